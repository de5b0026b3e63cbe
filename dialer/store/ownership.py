"""One daemon per database file: an advisory lock on a file beside it, which the kernel drops with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dialer.domain.errors import StoreBusy, StoreError

_FILE_MODE = 0o640


@contextmanager
def owned(lock: Path) -> Iterator[None]:
    """Hold `lock` while in the context; the file holds the process id of its owner, for the message.

    Raises `StoreBusy` when another process has it, `StoreError` when the file cannot be made. The file stays: to
    remove it would let two owners in.
    """
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
    except OSError as error:
        remedy = "create the folder and give it to the daemon's user"
        raise StoreError(f"the lock cannot be taken: {error.strerror}", where=str(lock), remedy=remedy) from None
    try:
        _lock(handle, lock)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, lock: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
        what = f"a daemon or an upgrade (process {holder}) has this database"
        raise StoreBusy(what, where=str(lock), remedy="stop it first, or use another database") from None
    os.ftruncate(handle, 0)
    with suppress(OSError):  # on a full disk the lock holds without its owner's name
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
