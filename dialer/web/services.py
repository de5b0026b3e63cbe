"""What the routes are given: found at `request.app.state.services`, made once in the daemon's composition."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.directory import Directory
from dialer.engine.ports import Clock
from dialer.intake.admission import AdmissionRule
from dialer.intake.changes import ChangingStore, Waiting
from dialer.intake.once import TakingStore
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.ports import Daemon, EventStore, SiteStore
from dialer.web.reporter import Reporter


@dataclass(frozen=True, slots=True)
class Services:
    """`origins`: of each site, where its pages come from; `rule`: the door's own; `waiting`: how long somebody who
    changes a callback waits for who won. `events_door` counts the widget's events, apart from all else."""

    directory: Directory
    clock: Clock
    doorkeeper: Doorkeeper
    events_door: Doorkeeper
    origins: Mapping[str, frozenset[str]]
    submissions: TakingStore
    views: SiteStore
    events: EventStore
    reporter: Reporter
    changing: ChangingStore
    daemon: Daemon
    rule: AdmissionRule
    waiting: Waiting
