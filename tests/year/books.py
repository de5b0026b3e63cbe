"""The auditor's own books: what each lane, account, number, agent and callback has seen, by plain arithmetic on what
happened."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.callback import Callback
from dialer.domain.directory import Account, Department, Directory, Pace, Trunk
from dialer.domain.outcome import Outcome, Verdict
from tests.year.numbers import Number

_THE_CUSTOMERS = frozenset(
    {
        Outcome.CONNECTED,
        Outcome.CUSTOMER_BUSY,
        Outcome.CUSTOMER_NO_ANSWER,
        Outcome.CUSTOMER_DECLINED,
        Outcome.CUSTOMER_UNREACHABLE,
        Outcome.ABANDONED_BY_AGENT,
    }
)
_IN_VAIN = frozenset(
    {
        Outcome.AGENT_BUSY,
        Outcome.AGENT_NO_ANSWER,
        Outcome.AGENT_DECLINED,
        Outcome.AGENT_UNAVAILABLE,
        Outcome.TRUNK_FAILURE,
        Outcome.PBX_FAILURE,
    }
)


@dataclass(slots=True)
class Lane:
    """An account, a department, a PBX or a trunk."""

    pace: Pace
    last: datetime | None = None
    in_progress: int = 0

    def begin(self, now: datetime) -> str:
        """A call begins; what is wrong with that, or ''."""
        pace, wrong = self.pace, ""
        if pace.per_second is not None and self.last is not None:
            apart = (now - self.last).total_seconds()
            # Clocks count microseconds.
            if apart < 1 / pace.per_second - 1e-6:
                wrong = f"{apart:.3f} s after the one before, not {1 / pace.per_second:.3f}"
        if pace.at_once is not None and self.in_progress >= pace.at_once:
            wrong = f"one of {self.in_progress + 1} at once, not {pace.at_once}"
        self.last = now
        self.in_progress += 1
        return wrong


class Days:
    """What accounts used up on the days of their zones."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self._accounts = accounts
        self._attempts: defaultdict[tuple[str, date], int] = defaultdict(int)
        self._talk: defaultdict[tuple[str, date], float] = defaultdict(float)

    def begin(self, account_id: str, now: datetime) -> str:
        """An attempt begins; what is wrong with that, or ''."""
        account = self._accounts[account_id]
        day = account_id, now.astimezone(account.zone).date()
        wrong = ""
        if account.max_attempts_a_day is not None and self._attempts[day] >= account.max_attempts_a_day:
            wrong = f"attempt {self._attempts[day] + 1} of the day"
        if account.max_minutes_a_day is not None and self._talk[day] >= 60 * account.max_minutes_a_day:
            wrong = f"after {self._talk[day] / 60:.0f} minutes of talk that day"
        self._attempts[day] += 1
        return wrong

    def talked(self, account_id: str, since: datetime, until: datetime) -> None:
        """So long; over midnight, each day has its own part of it."""
        zone = self._accounts[account_id].zone
        while since < until:
            day = since.astimezone(zone).date()
            midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
            end = min(until, midnight)
            self._talk[account_id, day] += (end - since).total_seconds()
            since = end


@dataclass(slots=True)
class Person:
    """An agent, as far as calls go. `kept_for`: the callback whose trunk has just failed them. `in_vain`: that was
    moved since, so that nothing waits for them, whether or not the daemon knows."""

    idle: bool = True
    held: bool = False
    paused: bool = False
    rests_until: datetime | None = None
    kept_for: str = ""
    kept_until: datetime | None = None
    in_vain: bool = False

    def keep(self, callback: str, until: datetime) -> None:
        """They are waited for, to try this callback by another trunk."""
        self.kept_for, self.kept_until, self.in_vain = callback, until, False

    def may_be_rung(self, now: datetime, callback: str) -> bool:
        """Whether nothing forbids to give them this callback's call."""
        rests = self.rests_until is not None and now < self.rests_until
        kept = self._is_kept_from(callback, now) and not self.in_vain
        return self.idle and not (self.held or self.paused or rests or kept)

    def is_free(self, now: datetime, callback: str) -> bool:
        """Whether nothing keeps them from taking it."""
        return self.may_be_rung(now, callback) and not self._is_kept_from(callback, now)

    def is_kept(self, now: datetime, callback: str) -> bool:
        """Whether they are waited for, to try this callback by another trunk."""
        return self.kept_until is not None and now < self.kept_until and self.kept_for == callback

    def _is_kept_from(self, callback: str, now: datetime) -> bool:
        return self.kept_until is not None and now < self.kept_until and self.kept_for != callback


@dataclass(slots=True)
class Ringing:
    """A number: how many attempts at it are under way, since when its phone has been left in peace, and since when as
    far as anybody was told: a PBX does not always say whether a phone rang."""

    under_way: int = 0
    last: datetime | None = None
    told: datetime | None = None

    def is_in_peace(self, gap: timedelta, now: datetime, *, as_told: bool = False) -> bool:
        """Nobody rings it, and nobody did just now."""
        last = max((at for at in (self.last, self.told if as_told else None) if at is not None), default=None)
        return not self.under_way and (last is None or last + gap <= now)


@dataclass(slots=True)
class Case:
    """One callback: `seen` is how the store has it now, `failed` the trunks that failed it in the present series;
    `agent`, `trunk` and `talk` (since when, and until when) are those of its last attempt."""

    number: Number
    department: Department
    account: str
    zones: tuple[ZoneInfo, ...]
    seen: Callback
    under_way: bool = False
    agent: str = ""
    trunk: str = ""
    talk: tuple[datetime, datetime] | None = None
    customer: int = 0
    in_vain: int = 0
    by_day: dict[date, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def day(self, now: datetime) -> date:
        """The department's."""
        return now.astimezone(self.department.hours.zone).date()

    def spent(self, now: datetime) -> str:
        """What of its budget is used up, or ''."""
        rule = self.department.retry
        if self.customer >= rule.max_customer_attempts:
            return f"after {self.customer} attempts"
        if self.in_vain >= rule.max_agent_rings:
            return f"after {self.in_vain} rings in vain"
        today = self.by_day.get(self.day(now), 0)
        if rule.max_customer_attempts_a_day is not None and today >= rule.max_customer_attempts_a_day:
            return f"after {today} attempts that day"
        return ""

    def count(self, told: Verdict, directory: Directory, now: datetime) -> bool:
        """An attempt ended so; True when the same agent tries it by another trunk."""
        if told.outcome is Outcome.TRUNK_FAILURE and told.rang is False and self._has_another_way(directory):
            self.failed.add(self.trunk)
            return True
        self.failed.clear()
        if told.outcome in _THE_CUSTOMERS or (told.outcome in _IN_VAIN and told.rang):
            self.customer, self.in_vain = self.customer + 1, 0
            self.by_day[self.day(now)] = self.by_day.get(self.day(now), 0) + 1
        elif told.outcome in _IN_VAIN:
            self.in_vain += 1
        return False

    def _has_another_way(self, directory: Directory) -> bool:
        """Whether a trunk that has not failed it yet could take the call from the same PBX."""
        pbx = directory.trunks[self.trunk].pbx
        trunks = [directory.trunks[id_] for id_ in self.department.trunks]
        failed = {*self.failed, self.trunk}
        return any(each.pbx == pbx and each.id not in failed and takes(each, self.number) for each in trunks)


def may_have_rung(told: Verdict) -> bool:
    """Whether the phone rang, for all that is told."""
    if told.outcome is Outcome.TRUNK_FAILURE:
        return told.rang is not False
    return told.outcome in _THE_CUSTOMERS or told.outcome is Outcome.IN_DOUBT


def takes(trunk: Trunk, number: Number) -> bool:
    """Whether the trunk is for such numbers."""
    return not trunk.prefixes or any(number.e164.startswith(prefix) for prefix in trunk.prefixes)
