"""How often a number, and a visitor, may ask, and who is not to be called at all: the door's own rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.callback import Callback
from dialer.domain.errors import RequestRefused
from dialer.intake.admission import Seen


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` (≥ 1) within any stretch of `within` (> 0)."""

    count: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_number`: requests for one number; `per_visitor`: different numbers from one session or one address."""

    per_number: tuple[Limit, ...] = ()
    per_visitor: tuple[Limit, ...] = ()


class LimitRule:
    """See `AdmissionRule`. A refusal by a limit says when enough of what it counted has left its stretch."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    @property
    def horizon(self) -> timedelta:
        """The longest stretch of all limits; 0 when there are none."""
        both = (*self._limits.per_number, *self._limits.per_visitor)
        return max((limit.within for limit in both), default=timedelta(0))

    def __call__(self, new: Callback, seen: Seen) -> RequestRefused | None:
        """Why the callback is refused, or None."""
        if seen.objected:
            what = "whoever has this number does not want to be called"
            return RequestRefused("number_objected", "phone", what, remedy="give another number")
        now = new.requested_at
        free = [_free_at(limit, seen.number_times, now) for limit in self._limits.per_number]
        if again := _latest(free):
            return _too_much("limit_number", "this number was asked for too often", again)
        free = [_free_for(limit, new.visitor.phone, seen.visitor_numbers, now) for limit in self._limits.per_visitor]
        if again := _latest(free):
            return _too_much("limit_visitor", "too many different numbers from one visitor", again)
        return None


def _free_at(limit: Limit, times: Iterable[datetime], now: datetime) -> datetime | None:
    """When one more keeps the limit, if it does not now. A request leaves the stretch exactly `within` after it."""
    counted = sorted(at for at in times if at > now - limit.within)
    return counted[-limit.count] + limit.within if len(counted) >= limit.count else None


def _free_for(limit: Limit, number: str, requests: Sequence[tuple[datetime, str]], now: datetime) -> datetime | None:
    """The same for different numbers: one that was asked for within the stretch is no new one."""
    latest = {asked: at for at, asked in requests if at > now - limit.within}
    return None if number in latest else _free_at(limit, latest.values(), now)


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _too_much(code: str, what: str, again: datetime) -> RequestRefused:
    return RequestRefused(code, "phone", what, remedy="try again later", retry_at=again)
