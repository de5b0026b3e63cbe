"""What the store answers to those who look: pages, filters, pauses and counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from dialer.domain.callback import Status
from dialer.domain.outcome import Outcome

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
    """Nothing is claimed while this is in force."""

    who: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """How many callbacks stand where, and how many attempts ended how; every status and outcome has its count."""

    callbacks: Mapping[Status, int]
    attempts: Mapping[Outcome, int]
    open_attempts: int
