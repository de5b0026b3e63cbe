"""A daemon with an API and no PBX: its manager's port is closed, so that callbacks are taken in and wait."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import httpx

from tests.lab import Lab
from tests.rig.daemon import Daemon
from tests.rig.house import House

CONFIG = """
[daemon]
state_dir = "{state}"
socket = "{folder}/dialer.sock"
poll_floor_seconds = 1
drain_seconds = 1
[log]
level = "info"
format = "json"
[limits]
per_number = []
per_visitor = []
[api]
listen = "127.0.0.1:{listen}"
per_key = "1000/1s"
per_address = "1000/1s"
{api}
[pbx.main]
port = {port}
username = "mi-dialer"
secret = "s3cret-of-the-pbx"
[trunk.carrier]
endpoint = "mi-trunk"
[site.shop]
name = "Example Shop"
call_between = "00:00-24:00"
origins = ["https://www.example.com"]
[agent.anna]
name = "Anna"
endpoint = "PJSIP/anna"
[department.sales]
name = "Sales"
agents = ["anna"]
caller_id = "+44 20 7946 0123"
patience = "never"
hours = {{ mon-sun = ["00:00-24:00"] }}
[department.mornings]
name = "Mornings"
agents = ["anna"]
caller_id = "+44 20 7946 0124"
hours = {{ mon-fri = ["09:00-12:00"] }}
"""


@dataclass(frozen=True)
class Detached(House):
    """`api` is more of `[api]`, as TOML; `listen` its port (0: any); `state` the folder of its store."""

    lab: Lab = field(default=cast("Lab", None))
    folder: Path = Path()
    departments: Sequence[object] = ()  # type: ignore[assignment]  # it has those of CONFIG
    api: str = ""
    listen: int = 0
    state: Path | None = None

    def write(self) -> Path:
        """Write the file and return its path."""
        state = self.state or self.folder
        state.mkdir(parents=True, exist_ok=True)
        text = CONFIG.format(state=state, folder=self.folder, api=self.api, listen=self.listen, port=closed_port())
        self.config.write_text(text)
        return self.config


class Served(Daemon):
    """The daemon's process, and the way to its API."""

    def __init__(self, folder: Path, **more: Any) -> None:
        """`more` is a `Detached`'s."""
        super().__init__(Detached(folder=folder, **more))

    @property
    def database(self) -> Path:
        assert isinstance(self.house, Detached)
        return (self.house.state or self.house.folder) / "dialer.db"

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    async def port(self, count: int = 1) -> int:
        """Where it listens, once it is ready for the `count`-th time."""
        await self.until_logged("daemon.ready", count=count)
        return int(self.logged("api.listening")[-1]["port"])

    def key(self, scopes: str = "submit,read,manage") -> str:
        """A new key in full."""
        return key_of(self, scopes)

    async def client(self, key: str = "", count: int = 1) -> httpx.AsyncClient:
        """Who asks it, with a key if one is given."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        url = f"http://127.0.0.1:{await self.port(count)}"
        return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30)


def key_of(daemon: Daemon, scopes: str = "submit,read,manage") -> str:
    """A new key of the shop's in full."""
    done = daemon.cli("key", "make", "--site", "shop", "--scope", scopes, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["key"])


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
