"""The daemon's process: started, asked, stopped and killed; its log read line by line."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import httpx

from dialer import poke
from dialer.domain.attempt import Attempt
from dialer.domain.callback import OPEN, Callback
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.rig.house import House

POLL = 0.05  # seconds
LOOK = 0.3  # seconds between looks into the store
TICKS = os.sysconf("SC_CLK_TCK")


class Daemon:
    """`dialer run` as a process of its own. A context manager: the process is ended with it.

    `module` is what runs in the place of `dialer`; `log` is the name of its log, in the house's folder.
    """

    def __init__(
        self,
        house: House,
        environment: Mapping[str, str] | None = None,
        module: str = "dialer",
        log: str = "dialer.log",
    ) -> None:
        self.house = house
        self._environment = {**os.environ, **(environment or {})}
        self._module = module
        self._log = house.folder / log
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        house.write()

    @property
    def database(self) -> Path:
        return self.house.state / "dialer.db"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; returns at once."""
        with self._log.open("ab") as out:
            self._spawn(out)

    def _spawn(self, out: IO[bytes], *through: str) -> None:
        """Start it by the program `through`, if one is given."""
        command = [*through, *self._command("run")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._environment
        )
        self._starts += 1

    async def ready(self) -> None:
        """Wait until it is ready, since it was last started."""
        await self.until_logged("daemon.ready", 60, self._starts)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end; its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, and wait; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL; harmless when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def cli(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run another `dialer` command on the same configuration."""
        return subprocess.run(
            self._command(*arguments),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=self._environment,
        )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self._module, "--config", str(self.house.config), *arguments]

    async def port(self) -> int:
        """Where its API listens, once it is ready."""
        await self.ready()
        return int(self.logged("api.listening")[-1]["port"])

    def key(self, scopes: str = "submit,read,manage") -> str:
        """A new key of the shop's for its API, in full."""
        done = self.cli("key", "make", "--site", "shop", "--scope", scopes, "--json")
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["key"])

    async def client(self, key: str) -> httpx.AsyncClient:
        """Who asks its API with a key."""
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{await self.port()}",
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=30,
        )

    def submit(self, requests: Sequence[dict[str, Any]]) -> list[CallbackId]:
        """Submit requests as JSON Lines; all must be accepted."""
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        done = self.cli("submit", "--json", "-", text=lines)
        assert done.returncode == 0, done.stderr
        return [CallbackId(json.loads(line)["id"]) for line in done.stdout.splitlines()]

    def log(self) -> list[dict[str, Any]]:
        """What it logged so far; lines that are not JSON come as `{"raw": …}`."""
        lines = []
        for line in self._log.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"raw": line})
        return lines

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.log() if line.get("event") == event]

    def cpu_seconds(self) -> float:
        """CPU that the process has used, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    async def until_logged(self, event: str, seconds: float = 30, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th log line of an event."""
        await until(lambda: len(self.logged(event)) >= count, seconds, f"log line {event}: {self.tail()}")
        return self.logged(event)[count - 1]

    def tail(self, lines: int = 20) -> str:
        """The end of its log, to show when a test fails."""
        return "\n".join(self._log.read_text().splitlines()[-lines:])

    @contextlib.asynccontextmanager
    async def store(self) -> AsyncIterator[SqlStore]:
        """The store, opened beside the daemon."""
        async with SqlStore.open(self.database) as store:
            yield store

    async def until_settled(
        self, callbacks: Sequence[CallbackId], seconds: float = 60, *, final: bool = False
    ) -> dict[CallbackId, Callback]:
        """Wait until each callback's first attempt, or with `final` the callback itself, has ended; what they are."""
        async with self.store() as store:

            async def found() -> dict[CallbackId, Callback]:
                rows = [await store.get(callback) for callback in callbacks]
                return {row.id: row for row in rows if row is not None}

            deadline = time.monotonic() + seconds
            while True:
                now = await found()
                if all(row.status not in OPEN or (row.reason and not final) for row in now.values()):
                    return now
                if time.monotonic() > deadline:
                    waiting = [row.id for row in now.values() if row.status in OPEN and not row.reason]
                    raise TimeoutError(f"{len(waiting)} callbacks unsettled after {seconds} s:\n{self.tail()}")
                await asyncio.sleep(LOOK)

    async def until_step(self, callback: CallbackId, step: str, seconds: float = 30) -> Attempt:
        """Wait until the latest attempt of a callback has a step on its timeline; the attempt then."""
        async with self.store() as store:
            deadline = time.monotonic() + seconds
            while True:
                attempts = await store.attempts(callback)
                if attempts and any(each.name == step for each in attempts[-1].timeline):
                    return attempts[-1]
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no step {step} within {seconds} s:\n{self.tail()}")
                await asyncio.sleep(POLL)

    async def attempts(self, callback: CallbackId) -> list[Attempt]:
        """A callback's attempts."""
        async with self.store() as store:
            return await store.attempts(callback)

    async def outcomes(self, callback: CallbackId) -> list[Outcome]:
        """How each of a callback's attempts ended, of those that have."""
        return [attempt.verdict.outcome for attempt in await self.attempts(callback) if attempt.verdict]

    def poke(self) -> bool:
        """Wake it."""
        return poke.poke(self.house.state / "dialer.sock")


def request(number: str, department: str = "sales", **more: str) -> dict[str, str]:
    """A request that can be submitted."""
    return {"department": department, "phone": number, **more}


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition of the outside world, bounded."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        await asyncio.sleep(POLL)
