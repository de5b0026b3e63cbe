"""What runs beside the engine in the daemon's loop: each lives from before the daemon is ready until it has drained.

Each has a module of its own here, and its line in `companions`; whoever is told of changes has one in `outbox` instead.
"""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

from dialer.companions.host import Host
from dialer.companions.outbox import outbox

__all__ = ["Host", "companions"]


def companions(host: Host) -> Iterator[AbstractAsyncContextManager[None]]:
    """All of them, in the order of their start. Entering one raises the `DialerError` that made it impossible."""
    yield outbox(host)
