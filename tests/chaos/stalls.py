"""How long the machine keeps a program waiting that only wants to look at the clock: nothing here can be timed closer
than that."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

_LOOK = 0.05


@dataclass
class Stalls:
    """`longest`: the longest wait so far, s."""

    longest: float = 0.0


@contextlib.contextmanager
def watching() -> Iterator[Stalls]:
    """Watch while inside."""
    stalls, over = Stalls(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            before = time.monotonic()
            over.wait(_LOOK)
            stalls.longest = max(stalls.longest, time.monotonic() - before - _LOOK)

    watcher = threading.Thread(target=watch, name="stalls", daemon=True)
    watcher.start()
    try:
        yield stalls
    finally:
        over.set()
        watcher.join()
