"""What runs beside the engine in the daemon's loop: each lives from before the daemon is ready until it has drained.

Each has a module of its own here, and its line in `companions`; whoever is told of changes has one in `outbox` instead.
Those that are not configured are not loaded: the libraries of all of them would take half a second of every start, and
20 MB.
"""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

from dialer.companions.host import Host
from dialer.companions.outbox import outbox

__all__ = ["Host", "companions"]


def companions(host: Host) -> Iterator[AbstractAsyncContextManager[None]]:
    """All of them, in the order of their start. Entering one raises the `DialerError` that made it impossible."""
    yield outbox(host)
    if host.settings.feed:
        from dialer.companions.feeds import pulling  # noqa: PLC0415  # see above

        # After the outbox: what a feed brings is told back from the first change on.
        yield pulling(host)
    if host.settings.api is not None:
        from dialer.companions.api import api  # noqa: PLC0415  # see above

        yield api(host, host.settings.api)
