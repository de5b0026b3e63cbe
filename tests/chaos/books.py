"""The books: what was accepted and what the store says of it, against what the far end saw. Pure.

Every callback has a number of its own, so that the far end's records of a number are the records of one callback. The
trunks write it in two ways: with a + and without.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.chaos.bounds import NO_BOUNDS, Bounds, after_withdrawal, at, not_as_wished, too_soon
from tests.lab import FarCall

TALK = 1.0
"""Seconds by which our talk time may differ from the far end's."""

BYE = timedelta(seconds=0.5)
"""How long a hang-up may be on its way: an agent who left that shortly before the customer's phone rang was still on
the line for all that anybody could know."""

_UNSETTLED = frozenset({Status.SCHEDULED, Status.IN_PROGRESS})

_RANG = {
    Outcome.CONNECTED: {"ANSWERED"},
    Outcome.CUSTOMER_BUSY: {"BUSY"},
    Outcome.CUSTOMER_NO_ANSWER: {"NO ANSWER"},
    Outcome.CUSTOMER_DECLINED: {"NO ANSWER", "FAILED"},
    Outcome.CUSTOMER_UNREACHABLE: {"NO ANSWER", "FAILED"},
}
"""Outcomes that say that the customer was called, once, and what the far end then calls it."""

_MAY_HAVE_RUNG = {
    Outcome.TRUNK_FAILURE: {"NO ANSWER", "FAILED", "CONGESTION"},
    Outcome.ABANDONED_BY_AGENT: {"NO ANSWER", "FAILED"},
    Outcome.IN_DOUBT: {"ANSWERED", "BUSY", "NO ANSWER", "FAILED", "CONGESTION"},
}
"""Outcomes that leave open whether the customer's network was reached. All others say that it never was."""

CRASH, WIPED, STUCK, GIVEN_UP = "asterisk_killed", "database_wiped", "cannot_be_hung_up", "pbx_given_up"
SOURCES = (CRASH, WIPED, STUCK, GIVEN_UP)
_DETAILS = {
    "cut off after": CRASH,
    "its journal entry is gone": CRASH,
    "the PBX's database was wiped": WIPED,
    "it is overdue": STUCK,
    "PBX ": GIVEN_UP,
}
"""How the reason of a doubt begins, and which of the protocol's four sources that is."""


@dataclass(frozen=True)
class Faults:
    """What was done that explains a doubt: when Asterisk was killed, and whether hang-ups were swallowed."""

    crashes: Sequence[datetime] = ()
    hang_ups_swallowed: bool = False


PROMISES = ("lost", "rung_twice", "silent", "wrong_outcome", "rung_after_withdrawn", "too_soon", "out_of_time")
"""The kinds of broken promises."""

KINDS = (*PROMISES, "talk_apart")
"""Beside these, talk times on which the two ends differ: on a machine with too much to do, each end stalls by itself.
"""


@dataclass
class Balance:
    """Every disagreement in words, by its kind, and the doubts by their source."""

    lost: list[str] = field(default_factory=list)
    rung_twice: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    wrong_outcome: list[str] = field(default_factory=list)
    rung_after_withdrawn: list[str] = field(default_factory=list)
    too_soon: list[str] = field(default_factory=list)
    out_of_time: list[str] = field(default_factory=list)
    talk_apart: list[str] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Balance") -> None:
        """Take another balance in."""
        for name in KINDS:
            getattr(self, name).extend(getattr(other, name))
        self.doubts += other.doubts
        self.outcomes += other.outcomes

    @property
    def broken(self) -> list[str]:
        """All of them."""
        return [line for name in KINDS for line in getattr(self, name)]

    @property
    def even(self) -> bool:
        """True when the promise was kept."""
        return not self.broken


def balance(
    accepted: Sequence[CallbackId],
    stored: Mapping[CallbackId, tuple[Callback, Sequence[Attempt]]],
    far: Sequence[FarCall],
    faults: Faults,
    bounds: Bounds = NO_BOUNDS,
) -> Balance:
    """Strike the balance once everything has ended. `stored`: each callback with its attempts, first to last."""
    found = Balance()
    customers: dict[str, list[FarCall]] = {}
    agents: dict[str, list[FarCall]] = {}
    for call in sorted(far, key=lambda call: call.start):
        book, key = (customers, number_of(call)) if call.who == "customer" else (agents, call.callback_id)
        book.setdefault(key, []).append(call)
    found.lost += [
        f"callback {id_} was accepted, and the store does not know it" for id_ in accepted if id_ not in stored
    ]
    for callback, attempts in stored.values():
        rung = _without_crossings(attempts, customers.pop(callback.visitor.phone, []))
        found.lost += _lost(callback, attempts)
        found.rung_twice += _rung_twice(callback, attempts, rung)
        found.silent += _silent(callback, rung, agents.get(callback.id, []))
        found.wrong_outcome += _wrong(callback, attempts, rung)
        found.talk_apart += _talk_apart(callback, attempts, rung)
        found.too_soon += too_soon(callback, attempts, rung, bounds.gap)
        if wish := bounds.wishes.get(callback.id):
            found.rung_after_withdrawn += after_withdrawal(callback, attempts, rung, wish)
            found.wrong_outcome += not_as_wished(callback, attempts, wish)
        if callback.id in bounds.spared:
            found.out_of_time += [f"attempt {each.id} of {callback.id}, which may not be rung" for each in attempts]
        for attempt in attempts:
            found.outcomes[attempt.verdict.outcome if attempt.verdict else "none"] += 1
            if attempt.verdict and attempt.verdict.outcome is Outcome.IN_DOUBT:
                source, explained = _source(attempt, faults)
                found.doubts[source] += 1
                if not explained:
                    found.wrong_outcome.append(f"attempt {attempt.id} is in doubt without a cause: {_told(attempt)}")
    found.rung_twice += [
        f"{call.start:%H:%M:%S} somebody was rung of no callback" for calls in customers.values() for call in calls
    ]
    return found


def number_of(call: FarCall) -> str:
    """The number that was dialled (E.164), however the trunk wrote it."""
    return f"+{call.dialled.removeprefix('+')}"


def _lost(callback: Callback, attempts: Sequence[Attempt]) -> Iterator[str]:
    if callback.status in _UNSETTLED:
        yield f"callback {callback.id} is still {callback.status}: {callback.reason}"
    for attempt in attempts:
        if attempt.verdict is None:
            yield f"attempt {attempt.id} of {callback.id} has no outcome, it is {attempt.state}"


def _rung_twice(callback: Callback, attempts: Sequence[Attempt], rung: Sequence[FarCall]) -> Iterator[str]:
    for one, next_ in pairwise(rung):
        if next_.start < one.end:
            yield f"callback {callback.id} was rung at {at(next_)} while it was rung since {at(one)}"
        elif one.disposition == "ANSWERED":
            yield f"callback {callback.id} was rung at {at(next_)} after it had been connected at {at(one)}"
    for attempt, calls in _by_attempt(attempts, rung):
        if len(calls) > 1:
            yield f"attempt {attempt.id} of {callback.id} rang {len(calls)} times: {', '.join(map(at, calls))}"
    if rung and not attempts:
        yield f"callback {callback.id} was rung at {at(rung[0])} without an attempt"


def _silent(callback: Callback, rung: Sequence[FarCall], agents: Sequence[FarCall]) -> Iterator[str]:
    for call in rung:
        until = call.answer or call.start
        if not any(
            agent.answer is not None and agent.answer <= call.start and agent.end >= until - BYE for agent in agents
        ):
            yield f"callback {callback.id} was rung at {at(call)} without an agent on the line"


def _wrong(callback: Callback, attempts: Sequence[Attempt], rung: Sequence[FarCall]) -> Iterator[str]:
    for attempt, calls in _by_attempt(attempts, rung):
        if attempt.verdict is None:
            continue
        outcome = attempt.verdict.outcome
        allowed = _RANG.get(outcome) or _MAY_HAVE_RUNG.get(outcome) or set()
        where = f"attempt {attempt.id} of {callback.id}: {_told(attempt)}"
        if outcome in _RANG and not calls:
            yield f"{where}, and the far end saw no call"
        for call in calls:
            if call.disposition not in allowed:
                yield f"{where}, and the far end saw {call.disposition} at {at(call)}"


def _talk_apart(callback: Callback, attempts: Sequence[Attempt], rung: Sequence[FarCall]) -> Iterator[str]:
    for attempt, calls in _by_attempt(attempts, rung):
        if attempt.verdict is None or attempt.verdict.outcome is not Outcome.CONNECTED:
            continue
        talk = attempt.verdict.talk.total_seconds()
        for call in calls:
            if abs(call.billsec - talk) > TALK:
                yield f"attempt {attempt.id} of {callback.id}: {talk:.2f} s against {call.billsec:.2f} s"


def _without_crossings(attempts: Sequence[Attempt], rung: Sequence[FarCall]) -> list[FarCall]:
    """The calls, where an answer that crossed our hang-up on the wire counts as none: the PBX never saw it."""
    seen = []
    for attempt, calls in _by_attempt(attempts, rung):
        for call in calls:
            crossed = _crossed(attempt, call)
            seen.append(replace(call, disposition="NO ANSWER", answer=None) if crossed else call)
    return seen if attempts else list(rung)


def _crossed(attempt: Attempt, call: FarCall) -> bool:
    connected = attempt.verdict is not None and attempt.verdict.outcome is Outcome.CONNECTED
    if connected or call.answer is None or attempt.ended_at is None:
        return False
    return call.end - call.answer <= BYE and call.answer >= attempt.ended_at - BYE


def _by_attempt(attempts: Sequence[Attempt], rung: Sequence[FarCall]) -> Iterator[tuple[Attempt, list[FarCall]]]:
    """The calls of each attempt: an attempt's time ends where the next one's begins."""
    for index, attempt in enumerate(attempts):
        since = attempt.created_at if index else datetime.min.replace(tzinfo=attempt.created_at.tzinfo)
        until = attempts[index + 1].created_at if index + 1 < len(attempts) else None
        yield attempt, [call for call in rung if call.start >= since and (until is None or call.start < until)]


def _source(attempt: Attempt, faults: Faults) -> tuple[str, bool]:
    """Where a doubt comes from, and whether something was done that explains it."""
    assert attempt.verdict is not None
    detail = attempt.verdict.detail
    source = next((name for start, name in _DETAILS.items() if detail.startswith(start)), "unknown")
    if source == STUCK:
        return source, faults.hang_ups_swallowed
    alive_at = [crash for crash in faults.crashes if attempt.created_at <= crash <= (attempt.ended_at or crash)]
    return source, source == CRASH and bool(alive_at)


def _told(attempt: Attempt) -> str:
    assert attempt.verdict is not None
    return f"{attempt.verdict.outcome} ({attempt.verdict.detail or 'no detail'}, cause {attempt.verdict.cause})"
