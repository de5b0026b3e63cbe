"""The poke: a datagram on a Unix socket that tells a running daemon to look into its store again."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from dialer.domain.errors import ConfigurationError

_MODE = 0o660
_ELSEWHERE = "set daemon.socket to a path of its own"


class Poked:
    """Calls all who want to hear of a poke. They neither wait nor raise."""

    def __init__(self, listener: Callable[[], None]) -> None:
        self._listeners = [listener]

    def __call__(self) -> None:
        for listener in list(self._listeners):
            listener()

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """While inside, call this one, too."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, poked: Callable[[], None]) -> None:
        self._poked = poked

    def datagram_received(self, data: bytes, addr: object) -> None:
        # The content says nothing: a poke only wakes, the store says what changed.
        del data, addr
        self._poked()


@contextlib.asynccontextmanager
async def listening(path: Path, poked: Callable[[], None]) -> AsyncIterator[None]:
    """Call `poked` for every poke while inside. Replaces a socket that a killed daemon left behind, and nothing else.

    Raises `ConfigurationError` when it cannot listen at `path`.
    """
    sock = _bound(path)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Listener(poked), sock=sock)
    try:
        yield
    finally:
        transport.close()
        _remove(path)


def _bound(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        _check_free(path)
        _remove(path)
        sock.bind(str(path))
        path.chmod(_MODE)
    except ConfigurationError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"cannot listen: {error.strerror or error}", where=str(path), remedy="set daemon.socket to a writable place"
        ) from None
    return sock


def _check_free(path: Path) -> None:
    """What is not a left socket stays: a path that is mistaken for another would cost the database."""
    if path.exists() and not path.is_socket():
        raise ConfigurationError("something that is no socket lies there", where=str(path), remedy=_ELSEWHERE)
    if _heard(path, b""):
        raise ConfigurationError("another daemon listens there", where=str(path), remedy=_ELSEWHERE)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def poke(path: Path) -> bool:
    """Wake the daemon that listens at `path`; False when none does (its poll floor or its start will look anyway)."""
    return _heard(path, b"poke")


def _heard(path: Path, said: bytes) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            sock.sendto(said, str(path))
        except OSError:
            return False
    return True
