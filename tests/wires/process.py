"""The daemon as a process that needs no Asterisk: its PBX is never there, and what is due is far away."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from dialer import poke

POLL = 0.02  # seconds

_CONFIG = """
[daemon]
state_dir = "."
drain_seconds = 0
[log]
format = "json"
[limits]
per_number = []
per_visitor = []
[pbx.main]
port = {pbx}
username = "mi-dialer"
secret = "s3cret-of-the-pbx"
[trunk.carrier]
endpoint = "mi-trunk"
[site.shop]
name = "Example Shop"
[agent.anna]
name = "Anna"
endpoint = "PJSIP/anna"
[department.sales]
name = "Sales"
agents = ["anna"]
caller_id = "+44 20 7946 0123"
hours = {{ mon-sun = ["00:00-24:00"] }}
"""


class Process:
    """`dialer run` in a folder of its own. A context manager: the process is ended with it. `more` are further
    tables of the configuration."""

    def __init__(self, folder: Path, more: str) -> None:
        self.folder = folder
        self.config = folder / "dialer.toml"
        self.database = folder / "dialer.db"
        self._log = folder / "dialer.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        folder.mkdir(parents=True, exist_ok=True)
        # Held, and nobody listens on it.
        self._nobody = socket.socket()
        self._nobody.bind(("127.0.0.1", 0))
        self.config.write_text(_CONFIG.format(pbx=self._nobody.getsockname()[1]) + more)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._nobody.close()

    async def start(self) -> None:
        """Start it, and return when it is ready."""
        process = self._spawn()
        deadline = time.monotonic() + 60
        while len(self.logged("daemon.ready")) < self._starts:
            if time.monotonic() > deadline or process.poll() is not None:
                raise TimeoutError(f"the daemon is not ready: {self._log.read_text()[-2000:]}")
            await asyncio.sleep(POLL)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dialer", "--config", str(self.config), "run"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self._starts += 1
        return self._process

    def kill(self) -> None:
        """SIGKILL, and wait."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def poke(self) -> bool:
        """Wake it."""
        return poke.poke(self.folder / "dialer.sock")

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of one event."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if f'"{event}"' in line]
