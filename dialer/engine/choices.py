"""What a decision can come to: a call to place, another time, or an end; and what is to be done next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dialer.domain.callback import Callback, Status
from dialer.engine.capacity import Lines
from dialer.routing.route import Route
from dialer.scheduling.turns import Turn


@dataclass(frozen=True, slots=True)
class Place:
    """Ring this callback's agent now, in its account's `turn`. `ready_at` is the first moment at which everything that
    it needs was there, `ring_until` when the hours that hold now, or the visitor's window, end (None: never); both UTC.
    """

    callback: Callback
    way: Route
    lines: Lines
    turn: Turn
    ready_at: datetime
    ring_until: datetime | None


@dataclass(frozen=True, slots=True)
class Defer:
    """The callback may be rung at another time only."""

    callback: Callback
    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Close:
    """The callback is not rung any more."""

    callback: Callback
    status: Status
    reason: str


Decision = Place | Defer | Close


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be done, in this order, and when to decide again at the latest (UTC; None: when something changes).
    `passed_over`: how many of each department's callbacks were looked at and left, whatever becomes of the rest."""

    made: tuple[Decision, ...]
    look_at: datetime | None
    passed_over: Mapping[str, int] = field(default_factory=dict)
