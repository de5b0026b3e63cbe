"""One visitor's request to be called, and its status."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from dialer.domain.ids import CallbackId


class Status(StrEnum):
    """Where a callback stands; the last five are final."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    NEEDS_REVIEW = "needs_review"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN = frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.NEEDS_REVIEW})


@dataclass(frozen=True, slots=True)
class Consent:
    """The evidence that this call was asked for, where the widget showed the checkbox."""

    wording: str
    given_at: datetime
    page: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What the visitor told us. Personal, hostile, never trusted and never logged."""

    phone: str
    """E.164, validated."""
    name: str = ""
    email: str = ""
    page: str = ""
    message: str = ""
    session: str = ""
    consent: Consent | None = None
    sms: bool = False
    """May be sent text messages about this callback."""


class WishKind(StrEnum):
    """What somebody wants of a callback whose attempt is under way."""

    CANCEL = "cancel"
    MOVE = "move"
    OBJECTION = "objection"
    CALLED_IN = "called_in"


@dataclass(frozen=True, slots=True)
class Wish:
    """A change that came while an attempt was under way. It holds for what comes after the attempt, unless that
    connected; and the attempt itself is kept from its customer, if that is still possible.

    `due_at` is where a move goes (UTC), with the `expires_at` of that promise. `late`: the customer had been dialled by
    then, so that the attempt went on.
    """

    kind: WishKind
    reason: str = field(repr=False)
    due_at: datetime | None = None
    expires_at: datetime | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Callback:
    """A request from its acceptance to its end. Times are UTC.

    `wanted_at` is the visitor's wish (None: as soon as possible), `wanted_until` the end of a window that they named,
    `due_at` when it should be dialled next, `expires_at` when that promise is given up (None: never),
    `customer_attempts` how often the customer's side decided an attempt or their phone rang, `day_attempts` how many of
    those on `day` (a date of the department's zone), `agent_rings` how often an agent was rung in vain since the last
    of those, `version` the count of changes, for compare-and-set.

    After a trunk failed, the next attempt is `prefer_agent`'s, by a trunk that is none of `failed_trunks`. `origin` is
    a key of the visitor's network address, for limits.
    """

    id: CallbackId
    site: str
    department: str
    visitor: Visitor = field(repr=False)
    requested_at: datetime
    wanted_at: datetime | None
    due_at: datetime
    status: Status = Status.SCHEDULED
    reason: str = ""
    attempts: int = 0
    customer_attempts: int = 0
    agent_rings: int = 0
    version: int = 1
    wanted_until: datetime | None = None
    expires_at: datetime | None = None
    day: date | None = None
    day_attempts: int = 0
    prefer_agent: str = ""
    failed_trunks: tuple[str, ...] = ()
    wish: Wish | None = None
    origin: str = ""
