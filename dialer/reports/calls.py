"""Figures of attempts: how punctual, how often answered, and how they ended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.outcome import Blame, Outcome, blame_of
from dialer.reports.groups import Key
from dialer.reports.rows import Call
from dialer.reports.spread import Spread, share

_PUNCTUAL = timedelta(seconds=60)
_DECIDED = frozenset(each for each in Outcome if each is Outcome.CONNECTED or blame_of(each) is Blame.CUSTOMER)
"""What the customer's side decides."""


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How late Originate was sent, over the attempts for which it was. `lateness` is Originate sent less due; `delay`
    is Originate sent less the moment at which all that the attempt needed was there. Seconds; None without any."""

    group: str
    attempts: int
    lateness_p50_seconds: float | None
    lateness_p95_seconds: float | None
    lateness_p99_seconds: float | None
    lateness_max_seconds: float | None
    within_60s_share: float | None
    delay_p50_seconds: float | None
    delay_p99_seconds: float | None


class PunctualitySums:
    """Of attempts whose Originate was sent."""

    def __init__(self) -> None:
        self._lateness = Spread()
        self._delay = Spread()
        self._punctual = 0

    def add(self, call: Call) -> None:
        """Count one more."""
        if call.sent_at is None:
            return
        late = call.sent_at - call.due_at
        self._lateness.add(late)
        self._delay.add(call.sent_at - max(call.ready_at, call.due_at))
        self._punctual += late <= _PUNCTUAL

    def figures(self, key: Key) -> Iterable[Punctuality]:
        """One row."""
        late, delay = self._lateness, self._delay
        (group,) = key
        yield Punctuality(
            group,
            late.count,
            late.percentile(50),
            late.percentile(95),
            late.percentile(99),
            late.most,
            share(self._punctual, late.count),
            delay.percentile(50),
            delay.percentile(99),
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """How often and how fast customers answered. `attempts` are those that were placed, `decided` those that the
    customer's side decided. `answer` is from the customer leg's beginning to the answer, `wait` from the promised time
    to the answer, `talk` from the customer's answer to the end. Seconds; None without any."""

    group: str
    attempts: int
    decided: int
    connected: int
    answer_rate: float | None
    attempts_per_success: float | None
    answer_p50_seconds: float | None
    answer_p95_seconds: float | None
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    talk_p50_seconds: float | None
    talk_mean_seconds: float | None
    talk_total_seconds: float


class AnswersSums:
    """Of attempts that were placed."""

    def __init__(self) -> None:
        self._attempts = 0
        self._decided = 0
        self._answer = Spread()
        self._wait = Spread()
        self._talk = Spread()

    def add(self, call: Call) -> None:
        """Count one more."""
        if call.outcome is Outcome.NOT_PLACED:
            return
        self._attempts += 1
        self._decided += call.outcome in _DECIDED
        if call.outcome is not Outcome.CONNECTED:
            return
        self._talk.add(call.talk)
        if call.answered_at is not None:
            self._wait.add(call.answered_at - call.promised_at)
            if call.dialled_at is not None:
                self._answer.add(call.answered_at - call.dialled_at)

    def figures(self, key: Key) -> Iterable[Answers]:
        """One row."""
        connected = self._talk.count
        (group,) = key
        yield Answers(
            group,
            self._attempts,
            self._decided,
            connected,
            share(connected, self._decided),
            round(self._attempts / connected, 2) if connected else None,
            self._answer.percentile(50),
            self._answer.percentile(95),
            self._wait.percentile(50),
            self._wait.percentile(95),
            self._talk.percentile(50),
            self._talk.mean,
            self._talk.total,
        )


@dataclass(frozen=True, slots=True)
class Ends:
    """How many of a group's attempts ended so, and which share of all of them that is."""

    group: str
    outcome: Outcome
    blame: Blame
    attempts: int
    share: float | None


class EndsSums:
    """Of all attempts that ended."""

    def __init__(self) -> None:
        self._counts: Counter[Outcome] = Counter()

    def add(self, call: Call) -> None:
        """Count one more."""
        self._counts[call.outcome] += 1

    def figures(self, key: Key) -> Iterable[Ends]:
        """One row for each outcome that occurred, the most frequent first."""
        (group,) = key
        for outcome, count in sorted(self._counts.items(), key=lambda item: (-item[1], item[0])):
            yield Ends(group, outcome, blame_of(outcome), count, share(count, self._counts.total()))
