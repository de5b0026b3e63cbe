"""A telephony host's folder with a configuration and a store, and the real program run on it."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from dialer.store import schema
from dialer.store.store import SqlStore

T = TypeVar("T")

COMMAND = (sys.executable, "-m", "dialer")
TIMEOUT = 60.0  # seconds
CONFIG = """
[daemon]
state_dir = "."
[pbx.main]
username = "mi-dialer"
secret = "s3cret-of-the-pbx"
[trunk.carrier]
endpoint = "mi-trunk"
[site.shop]
name = "Example Shop"
call_between = "00:00-24:00"
[agent.anna]
name = "Anna"
endpoint = "PJSIP/anna"
[department.sales]
name = "Sales"
agents = ["anna"]
caller_id = "+44 20 7946 0123"
hours = { mon-sun = ["00:00-24:00"] }
[department.mornings]
name = "Mornings"
agents = ["anna"]
caller_id = "+44 20 7946 0124"
hours = { mon-sun = ["09:00-12:00"] }
"""


def requests(count: int, **fields: str) -> str:
    """As many requests as JSON Lines, each for another number."""
    one = {"department": "sales", **fields}
    return "".join(json.dumps({**one, "phone": f"020 7946 {nth:04}"}) + "\n" for nth in range(count))


@dataclass(frozen=True)
class Host:
    """`folder` holds dialer.toml and, once upgraded, dialer.db."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "dialer.toml"

    @property
    def database(self) -> Path:
        return self.folder / "dialer.db"

    def configure(self, text: str = CONFIG) -> None:
        self.config.write_text(text)

    def upgrade(self) -> None:
        asyncio.run(schema.upgrade(self.database))

    def command(self, *arguments: str) -> list[str]:
        return [*COMMAND, "--config", str(self.config), *arguments]

    def run(self, *arguments: str, data: str | bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run a command in a pipe."""
        done = subprocess.run(
            self.command(*arguments),
            input=data.encode() if isinstance(data, str) else data,
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            env=environment(),
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def at_terminal(self, columns: int, *arguments: str) -> str:
        """What a terminal of so many columns would show, its control sequences included."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            self.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(TERM="xterm")
        )
        os.close(theirs)
        shown = bytearray()
        # Reading a terminal that nobody has open any more is an error.
        try:
            while block := os.read(ours, 65536):
                shown += block
        except OSError:
            process.wait(TIMEOUT)
        os.close(ours)
        return shown.decode().replace("\r\n", "\n")

    def stored(self, id_: str) -> Callback:
        """A callback as it is in the store now."""
        found = self.with_store(lambda store: store.get(CallbackId(id_)))
        assert found is not None
        return found

    @contextlib.contextmanager
    def daemon(self, does: Callable[[SqlStore], Awaitable[object]]) -> Iterator[None]:
        """What a daemon would do to the store when it is woken, once; it must have been woken in the end."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            path = self.folder / "dialer.sock"
            listening.bind(str(path))
            listening.settimeout(TIMEOUT)

            def serve() -> None:
                assert listening.recv(100)
                self.with_store(does)

            with ThreadPoolExecutor(1) as pool:
                served = pool.submit(serve)
                yield
                served.result(TIMEOUT)
            path.unlink()

    def with_store(self, work: Callable[[SqlStore], Awaitable[T]]) -> T:
        """What `work` makes of the store."""

        async def working() -> T:
            async with SqlStore.open(self.database) as store:
                return await work(store)

        return asyncio.run(working())


def environment(**more: str) -> dict[str, str]:
    """Our own environment without what would change the program's behaviour."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("DIALER_", "COLUMNS", "NO_COLOR"))
    }
    return {**ours, **more}
