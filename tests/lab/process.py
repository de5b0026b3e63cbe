"""One Asterisk in the foreground, with folders of its own, that never outlives the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.tree import Tree

# The kernel ends a child when the *thread* that started it ends: one thread, as old as the process, starts them all.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-spawner")
START_TIMEOUT = 30.0  # seconds
STOP_TIMEOUT = 10.0


class AsteriskError(RuntimeError):
    """An Asterisk did not start, stop or answer; the message ends with the tail of its log."""


@dataclass
class Asterisk:
    """A configured Asterisk: ``home`` holds ``etc/`` (its configuration) and everything that it writes."""

    tree: Tree
    home: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """The full log: warnings, errors and notices; kept over restarts."""
        return self.home / "log" / "messages"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; raises when it was never started."""
        if self._process is None:
            raise AsteriskError(f"{self.home.name} has not been started")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until fully booted (about 1.5 s)."""
        self.launch()
        self.wait_booted()

    def launch(self) -> None:
        """Start without waiting."""
        if self.running:
            raise AsteriskError(f"{self.home.name} runs already")
        command = ["setpriv", "--pdeathsig", "KILL", "--", *self._command("-f", "-g")]
        self._process = _SPAWNER.submit(_spawn, command, self.home).result()

    def wait_booted(self) -> None:
        """Wait until the whole configuration is loaded."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if not self.running:
                break
            if (self.home / "run" / "asterisk.ctl").exists():
                self.cli("core waitfullybooted")
                return
            time.sleep(0.02)
        raise AsteriskError(f"{self.home.name} did not start:\n{self.tail()}")

    def cli(self, command: str, timeout: float = START_TIMEOUT) -> str:
        """What Asterisk's own command line prints for a command; works during a graceful stop too. Seconds."""
        done = subprocess.run(
            self._command("-r", "-x", command), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise AsteriskError(f"{self.home.name}: {command}: {done.stdout}{done.stderr}\n{self.tail()}")
        return done.stdout

    def stop(self, *, gracefully: bool = False, timeout: float = STOP_TIMEOUT) -> None:
        """Stop: at once, cutting calls, or gracefully, when the last call has ended. ``timeout`` in seconds."""
        if self.running:
            self.cli("core stop gracefully" if gracefully else "core stop now")
            self.wait_stopped(timeout)

    def wait_stopped(self, timeout: float = STOP_TIMEOUT) -> None:
        """Wait for the end of the process, in seconds."""
        if self._process is not None:
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                raise AsteriskError(f"{self.home.name} did not stop within {timeout} s:\n{self.tail()}") from None

    def kill(self) -> None:
        """SIGKILL, as a crash or a power cut would end it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT)
            (self.home / "run" / "asterisk.ctl").unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop at once and start again on the same database."""
        self.stop()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP to make it hang."""
        os.kill(self.pid, number)

    def cpu_seconds(self) -> float:
        """User and system CPU time used since the start, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log and of what it printed."""
        texts = [path.read_text(errors="replace") for path in (self.home / "stdout", self.log) if path.exists()]
        return "\n".join("\n".join(text.splitlines()[-lines:]) for text in texts)

    def _command(self, *arguments: str) -> list[str]:
        return self.tree.command("-C", str(self.home / "etc" / "asterisk.conf"), *arguments)


def _spawn(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    with (home / "stdout").open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home, start_new_session=True
        )
