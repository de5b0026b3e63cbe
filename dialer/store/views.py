"""What the store answers to those who look: pages, filters, pauses, objections and counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import Stop

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the answer; `cursor` asks for what comes after it, None when this was the last."""

    items: tuple[T, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Which callbacks; what is left empty does not narrow. `due_from` is inclusive, `due_before` exclusive."""

    statuses: frozenset[Status] = frozenset()
    department: str | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which ended attempts, by their end; what is left empty does not narrow. `since` inclusive, `before` exclusive."""

    outcomes: frozenset[Outcome] = frozenset()
    department: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Something that is paused, by whom, why and since when."""

    stop: Stop
    who: str
    why: str = field(repr=False)
    since: datetime


@dataclass(frozen=True, slots=True)
class Objection:
    """A number (E.164) that is never called."""

    number: str = field(repr=False)
    who: str
    why: str = field(repr=False)
    since: datetime


@dataclass(frozen=True, slots=True)
class Objected:
    """What an objection found: waiting callbacks that it rejected, and those in progress that now bear its wish."""

    rejected: tuple[CallbackId, ...]
    in_progress: tuple[CallbackId, ...]


class Decision(StrEnum):
    """What a person can make of a callback that needs one."""

    COMPLETED = "completed"
    RETRY = "retry"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A person's decision on a callback. `forced`: without proof that its last attempt is over."""

    decision: Decision
    who: str
    why: str = field(repr=False)
    forced: bool
    decided_at: datetime

    @property
    def words(self) -> str:
        """All of it but the time, in one line."""
        return f"{self.decision}{', forced,' if self.forced else ''} by {self.who}: {self.why}"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many callbacks stand where, and how many attempts ended how; every status and outcome has its count."""

    callbacks: Mapping[Status, int]
    attempts: Mapping[Outcome, int]
    open_attempts: int
