"""The next step of a callback after an attempt: done, again at a time, a person's review, or given up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Department, OpeningHours, RetryRule
from dialer.domain.outcome import Blame, Outcome, blame_of
from dialer.scheduling.hours import after_opening_time, next_open_in_all
from dialer.scheduling.promise import given_up_at


@dataclass(frozen=True, slots=True)
class NextStep:
    """What becomes of the callback: its status and why, when it is due and when that promise is given up (UTC), and
    what else of it changes; each field as the callback's own."""

    status: Status
    due_at: datetime
    reason: str
    customer_attempts: int
    agent_rings: int
    expires_at: datetime | None = None
    day: date | None = None
    day_attempts: int = 0
    prefer_agent: str = ""
    failed_trunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: its outcome, whether the customer's phone rang (None: not known), who took part, and
    whether another trunk can still take this call (`failover`)."""

    outcome: Outcome
    rang: bool | None = None
    agent: str = ""
    trunk: str = ""
    failover: bool = False


# --- what an attempt counts for --------------------------------------------------------------------------------------

_COSTS_NOTHING = frozenset({Outcome.NOT_PLACED, Outcome.CANCELLED, Outcome.IN_DOUBT})

_IN_VAIN = frozenset(
    outcome
    for outcome in Outcome
    if blame_of(outcome) in {Blame.AGENT, Blame.CARRIER, Blame.US} and outcome is not Outcome.ABANDONED_BY_AGENT
)
"""An agent was rung, and the customer's side decided nothing: the agent's, the carrier's or our failure."""

_THE_CUSTOMERS = frozenset(Outcome) - _COSTS_NOTHING - _IN_VAIN


def _is_in_vain(ending: Ending) -> bool:
    """Whether an agent was rung and the customer noticed nothing. A carrier that fails after their phone rang has cost
    them a ring all the same."""
    return ending.outcome in _IN_VAIN and not ending.rang


class _Counts(NamedTuple):
    """As the callback's own fields."""

    customer_attempts: int
    agent_rings: int
    day: date | None
    day_attempts: int


def _counts_of(callback: Callback) -> _Counts:
    return _Counts(callback.customer_attempts, callback.agent_rings, callback.day, callback.day_attempts)


def _counted(callback: Callback, ending: Ending, zone: ZoneInfo, now: datetime) -> _Counts:
    before = _counts_of(callback)
    if ending.outcome in _COSTS_NOTHING:
        return before
    if _is_in_vain(ending):
        return before._replace(agent_rings=before.agent_rings + 1)
    today = now.astimezone(zone).date()
    return _Counts(before.customer_attempts + 1, 0, today, before.day_attempts + 1 if before.day == today else 1)


# --- the decision ----------------------------------------------------------------------------------------------------


def plan(
    callback: Callback,
    ending: Ending,
    department: Department,
    quiet: Sequence[OpeningHours],
    now: datetime,
    spread: float,
) -> NextStep:
    """Decide after an attempt that ended at `now` (UTC). `quiet` are the windows of the called person, `spread` (0 up
    to, not including, 1) is where within its jitter the delay falls.

    An agent-side outcome never uses up a customer attempt. The next try is due when department and person may be
    called; a decision of the customer's side begins a promise anew, any other leaves the old one to run out.
    """
    outcome = ending.outcome
    if outcome is Outcome.TRUNK_FAILURE and ending.rang is False and ending.failover:
        return _by_another_trunk(callback, ending, department, quiet, now)
    counts = _counted(callback, ending, department.hours.zone, now)
    status, reason = _status(ending, department.retry, counts)
    if status is not Status.SCHEDULED:
        return _as_it_is(callback, counts, status, reason)
    earliest, limit = _earliest(counts, ending, department, now, spread)
    due = None if earliest is None else next_open_in_all((department.hours, *quiet), earliest)
    if due is None:
        return _as_it_is(callback, counts, Status.FAILED, f"{reason}, but never opens")
    expires_at = callback.expires_at
    if outcome in _THE_CUSTOMERS:
        expires_at = given_up_at(department, due, callback.wanted_until)
    if _too_late(due, expires_at, callback.wanted_until):
        return _as_it_is(callback, counts, Status.EXPIRED, f"{outcome}: {_TIME_RAN_OUT}")
    return _step(counts, Status.SCHEDULED, f"{reason}{limit}", due, expires_at)


def _by_another_trunk(
    callback: Callback, ending: Ending, department: Department, quiet: Sequence[OpeningHours], now: datetime
) -> NextStep:
    """The customer never noticed: the same agent, at once, by a trunk that has not failed, and nothing is counted."""
    counts = _counts_of(callback)
    reason = f"again by another trunk after {ending.outcome}"
    due = next_open_in_all((department.hours, *quiet), now)
    if due is None:
        return _as_it_is(callback, counts, Status.FAILED, f"{reason}, but never opens")
    if _too_late(due, callback.expires_at, callback.wanted_until):
        return _as_it_is(callback, counts, Status.EXPIRED, f"{ending.outcome}: {_TIME_RAN_OUT}")
    step = _step(counts, Status.SCHEDULED, reason, due, callback.expires_at)
    return replace(step, prefer_agent=ending.agent, failed_trunks=(*callback.failed_trunks, ending.trunk))


_TIME_RAN_OUT = "its time ran out before the next try"


def _too_late(due: datetime, *ends: datetime | None) -> bool:
    return any(end is not None and end <= due for end in ends)


def _as_it_is(callback: Callback, counts: _Counts, status: Status, reason: str) -> NextStep:
    """Nothing comes next: due and expiry stay as they were."""
    return _step(counts, status, reason, callback.due_at, callback.expires_at)


def _step(counts: _Counts, status: Status, reason: str, due_at: datetime, expires_at: datetime | None) -> NextStep:
    return NextStep(
        status,
        due_at,
        reason,
        counts.customer_attempts,
        counts.agent_rings,
        expires_at,
        counts.day,
        counts.day_attempts,
    )


# --- what follows ----------------------------------------------------------------------------------------------------


def _status(ending: Ending, rule: RetryRule, counts: _Counts) -> tuple[Status, str]:
    match ending.outcome:
        case Outcome.CONNECTED:
            return Status.COMPLETED, "connected"
        case Outcome.IN_DOUBT:
            return Status.NEEDS_REVIEW, "in_doubt"
        case (
            Outcome.CUSTOMER_BUSY
            | Outcome.CUSTOMER_NO_ANSWER
            | Outcome.CUSTOMER_DECLINED
            | Outcome.CUSTOMER_UNREACHABLE
            | Outcome.AGENT_BUSY
            | Outcome.AGENT_NO_ANSWER
            | Outcome.AGENT_DECLINED
            | Outcome.AGENT_UNAVAILABLE
            | Outcome.ABANDONED_BY_AGENT
            | Outcome.TRUNK_FAILURE
            | Outcome.PBX_FAILURE
            | Outcome.NOT_PLACED
            | Outcome.CANCELLED
        ):
            return _again(ending, rule, counts)
        case _:
            assert_never(ending.outcome)


def _again(ending: Ending, rule: RetryRule, counts: _Counts) -> tuple[Status, str]:
    outcome, attempts, rings = ending.outcome, counts.customer_attempts, counts.agent_rings
    if outcome not in rule.delays:
        return Status.FAILED, f"{outcome}: not tried again"
    if attempts >= rule.max_customer_attempts:
        return Status.FAILED, f"{outcome}: {attempts} attempts were made"
    if rings >= rule.max_agent_rings:
        return Status.FAILED, f"{outcome}: agents were rung {rings} times in vain"
    if outcome in _COSTS_NOTHING:
        return Status.SCHEDULED, f"again after {outcome}"
    if _is_in_vain(ending):
        return Status.SCHEDULED, f"again after {outcome} (agents rung {rings} of {rule.max_agent_rings} times)"
    return Status.SCHEDULED, f"again after {outcome} ({attempts} of {rule.max_customer_attempts})"


def _earliest(
    counts: _Counts, ending: Ending, department: Department, now: datetime, spread: float
) -> tuple[datetime | None, str]:
    """When the ladder and the day's cap allow the next try (None: never), and what to say where it was the cap."""
    rule, hours = department.retry, department.hours
    ladder = rule.delays[ending.outcome]
    tries = counts.agent_rings if _is_in_vain(ending) else counts.customer_attempts
    delay = ladder[min(max(tries, 1), len(ladder)) - 1]
    length = delay.length * (1 + rule.jitter * spread)
    earliest = after_opening_time(hours, now, length) if delay.opening else now + length
    cap = rule.max_customer_attempts_a_day
    today = now.astimezone(hours.zone).date()
    if earliest is None or cap is None or counts.day != today or counts.day_attempts < cap:
        return earliest, ""
    tomorrow = datetime.combine(today + timedelta(days=1), time(), hours.zone).astimezone(UTC)
    return (tomorrow, f", the next day: no more than {cap} a day") if earliest < tomorrow else (earliest, "")
