"""What runs beside the engine in the daemon's loop: each lives from before the daemon is ready until it has drained."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from dialer.domain.directory import Directory
from dialer.engine.engine import Engine
from dialer.engine.ports import Alerting, Clock
from dialer.settings import Settings
from dialer.store.store import SqlStore


@dataclass(frozen=True, slots=True)
class Host:
    """What the daemon has to share."""

    settings: Settings
    directory: Directory
    store: SqlStore
    engine: Engine
    clock: Clock
    alerts: Alerting


def companions(host: Host) -> Iterator[AbstractAsyncContextManager[None]]:
    """All of them, in the order of their start. Entering one raises the `DialerError` that made it impossible."""
    del host
    yield from ()
