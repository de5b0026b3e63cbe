"""What is asked of a site's callbacks and calls, and what is found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from dialer.domain.callback import Callback, Status
from dialer.domain.outcome import Outcome

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which callbacks; what is left empty does not narrow. `due_from` is inclusive, `due_before` exclusive;
    `external_id` is one that came by `source`."""

    statuses: frozenset[Status] = frozenset()
    department: str | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    source: str = ""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class WantedCalls:
    """Which ended attempts, by their end; what is left empty does not narrow. `since` inclusive, `before` exclusive."""

    outcomes: frozenset[Outcome] = frozenset()
    department: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A callback, and what it is to whoever handed it in (None: they did not say)."""

    callback: Callback
    external_id: str | None


@dataclass(frozen=True, slots=True)
class Some(Generic[T_co]):
    """Some of the answer; `cursor` asks for what comes after it, None when this was the last."""

    items: tuple[T_co, ...]
    cursor: str | None
