"""Free ports of the loopback, held against other labs on this machine for as long as a lab lives."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
FIRST, LAST = 61000, 65400  # above the range from which Linux picks ports by itself
RTP_FIRST, RTP_LAST = 10000, 32000  # shared by all: Asterisk passes over a port in use


class Ports:
    """Reserves ports one by one; ``release`` gives them all back."""

    def __init__(self) -> None:
        self._locks: list[IO[bytes]] = []

    def take(self) -> int:
        """A port that is free for TCP and UDP and that no other lab has taken."""
        folder = Path(tempfile.gettempdir()) / f"mi-lab-ports-{os.geteuid()}"
        folder.mkdir(exist_ok=True)
        span = LAST - FIRST
        start = os.getpid() * 37  # so that labs started together do not queue for the same ports
        for offset in range(span):
            port = FIRST + (start + offset) % span
            handle = (folder / str(port)).open("wb")
            if _lock(handle) and _free(port):
                self._locks.append(handle)
                return port
            handle.close()
        raise RuntimeError(f"no free port between {FIRST} and {LAST}")

    def release(self) -> None:
        """Give every port back."""
        while self._locks:
            self._locks.pop().close()


def free_port() -> int:
    """A port of TCP on which nobody listens now; nothing holds it."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def _lock(handle: IO[bytes]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:  # as Asterisk does: a closed session of an earlier lab does not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True
