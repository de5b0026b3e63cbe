"""What the daemon has to share with what runs beside its engine."""

from dataclasses import dataclass

from dialer.domain.directory import Directory
from dialer.engine.engine import Engine
from dialer.engine.ports import Alerting, Clock
from dialer.poke import Poked
from dialer.settings import Settings
from dialer.store.store import SqlStore


@dataclass(frozen=True, slots=True)
class Host:
    """What the daemon has to share. `poked` tells when another process changed the store."""

    settings: Settings
    directory: Directory
    store: SqlStore
    engine: Engine
    clock: Clock
    alerts: Alerting
    poked: Poked
