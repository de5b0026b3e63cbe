"""One visitor's request to be called, and its status."""

from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Callback:
    """A request from its acceptance to its end. Times are UTC.

    `wanted_at` is the visitor's wish (None: as soon as possible), `due_at` when it should be dialled next,
    `customer_attempts` how often the customer's side decided an attempt, `agent_rings` how often an agent was rung in
    vain since then, `version` the count of changes, for compare-and-set.
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
