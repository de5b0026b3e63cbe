"""The poke's socket: a daemon takes the place of a dead one, and of nothing and nobody else."""

import socket
from pathlib import Path

import pytest

from dialer import poke
from dialer.domain.errors import ConfigurationError
from tests.lab.waiting import until


async def test_a_poke_is_heard_also_where_a_killed_daemon_left_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "dialer.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))
    heard: list[bool] = []
    async with poke.listening(path, lambda: heard.append(True)):
        assert poke.poke(path)
        await until(lambda: bool(heard))
    assert not path.exists()
    assert not poke.poke(path)


async def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    database = tmp_path / "dialer.db"
    database.write_bytes(b"callbacks")
    with pytest.raises(ConfigurationError, match=r"no socket lies there \(set daemon\.socket"):
        async with poke.listening(database, lambda: None):
            pass
    assert database.read_bytes() == b"callbacks"


async def test_a_living_daemon_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "dialer.sock"
    heard: list[bool] = []
    async with poke.listening(path, lambda: heard.append(True)):
        with pytest.raises(ConfigurationError, match="another daemon listens there"):
            async with poke.listening(path, lambda: None):
                pass
        await until(lambda: bool(heard))
        heard.clear()
        assert poke.poke(path)
        await until(lambda: bool(heard))


async def test_a_socket_that_cannot_be_made(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "dialer.sock", tmp_path / ("d" * 200), tmp_path / ("d" * 300)):
        with pytest.raises(ConfigurationError, match="cannot listen: "):
            async with poke.listening(path, lambda: None):
                pass
