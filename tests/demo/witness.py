"""Our books against the far end's: who was rung, how often, and for how long they talked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain.attempt import Attempt
from dialer.domain.outcome import Outcome
from tests.lab import FarCall

CLOSE = timedelta(seconds=1.5)
TALK = 1.0  # seconds


@dataclass(frozen=True)
class Line:
    """One outcome: how many attempts ended so, how many of them reached the customer's network by our account, and
    how many calls of those the far end saw."""

    outcome: Outcome
    attempts: int
    ours: int
    theirs: int


def balance(attempts: Sequence[Attempt], far: Sequence[FarCall]) -> tuple[list[Line], list[str]]:
    """The two accounts side by side, and every disagreement in words."""
    customers = [call for call in far if call.who == "customer"]
    wrong: list[str] = []
    lines: dict[Outcome, Counter[str]] = {}
    for attempt in attempts:
        assert attempt.verdict is not None
        count = lines.setdefault(attempt.verdict.outcome, Counter())
        count["attempts"] += 1
        dialled = next((step.at for step in attempt.timeline if step.name == "customer_dialling"), None)
        seen = [
            call
            for call in customers
            if dialled is not None and _number(call) == attempt.dialled and abs(call.start - dialled) < CLOSE
        ]
        count["ours"] += dialled is not None
        count["theirs"] += len(seen)
        wrong += _disagreements(attempt, dialled is not None, seen)
        customers = [call for call in customers if call not in seen]
    wrong += [f"the far end was rung at {call.start:%H:%M:%S} and we know nothing of it" for call in customers]
    table = [Line(outcome, n["attempts"], n["ours"], n["theirs"]) for outcome, n in sorted(lines.items())]
    return table, wrong


def _number(call: FarCall) -> str:
    """What was dialled, with its + also where the trunk leaves it out."""
    return f"+{call.dialled.removeprefix('+')}"


def _disagreements(attempt: Attempt, dialled: bool, seen: Sequence[FarCall]) -> list[str]:  # noqa: FBT001  # a fact
    assert attempt.verdict is not None
    if len(seen) != dialled:
        return [f"attempt {attempt.id}: the far end saw {len(seen)} calls, we made {int(dialled)}"]
    connected = attempt.verdict.outcome is Outcome.CONNECTED
    if any((call.disposition == "ANSWERED") != connected for call in seen):
        return [f"attempt {attempt.id}: {attempt.verdict.outcome}, but the far end says {seen[0].disposition}"]
    talk = attempt.verdict.talk.total_seconds()
    if any(abs(call.billsec - talk) > TALK for call in seen):
        return [f"attempt {attempt.id}: we count {talk:.1f} s of talk, the far end {seen[0].billsec:.1f} s"]
    return []
