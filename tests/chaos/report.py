"""What a run came to: recovery times, what became of attempts that a kill left open, and the one line at its end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from dialer.domain.attempt import Attempt
from dialer.domain.outcome import Outcome
from tests.chaos.household import Household
from tests.chaos.life import Life
from tests.chaos.plan import Kind

ADOPTED, SETTLED, RELEASED, REDIALLED, DOUBT, OTHER = "adopted", "settled", "released", "redialled", "in_doubt", "other"
FATES = (ADOPTED, SETTLED, RELEASED, REDIALLED, DOUBT, OTHER)

_STEPS = {
    "originate_failed": ADOPTED,
    "agent_gone": ADOPTED,
    "agent_ringing": ADOPTED,
    "agent_answered": ADOPTED,
    "customer_dialling": ADOPTED,
    "customer_ringing": ADOPTED,
    "bridged": ADOPTED,
    "handed_over": ADOPTED,
    "ended": SETTLED,
    "released": RELEASED,
    "lost": DOUBT,
}

Outage = tuple[datetime, datetime]


def recoveries(house: Household, outages: Sequence[Outage]) -> list[float]:
    """Milliseconds from the start of each daemon after a kill to its being ready, where nothing else was in the way."""
    times = []
    for before, life in zip(house.lives, house.lives[1:], strict=False):
        if not before.killed or life.task.kind in {Kind.CUT, Kind.STALL}:
            continue
        ready = next((line for line in life.lines() if line.get("event") == "pbx.ready"), None)
        if ready is None:
            continue
        at = datetime.fromisoformat(ready["timestamp"])
        if not any(down < at and life.started < up for down, up in outages):
            times.append((at - life.started).total_seconds() * 1000)
    return times


def fates(house: Household, dialled_again: frozenset[str]) -> dict[str, Counter[str]]:
    """For each end of a life by a kill: how many there were, and what recovery did with the attempts it left open.

    `dialled_again`: attempts that were released and whose callback was then dialled by another one.
    """
    table: dict[str, Counter[str]] = {}
    waiting: dict[str, list[str]] = {}
    kills: list[str] = []  # since a daemon last came so far as to take up what was open
    for life in house.lives:
        lines = life.lines()
        if any(line.get("event") == "daemon.ready" for line in lines):
            for line in lines:
                if line.get("event") == "attempt.left_open":
                    waiting.setdefault(line["attempt"], []).extend(kills)
            kills = []
        for line in lines:
            fate = _fate(line)
            if fate and (ends := waiting.pop(line["attempt"], None)):
                again = fate == RELEASED and line["attempt"] in dialled_again
                for end in ends:
                    table.setdefault(end, Counter())[REDIALLED if again else fate] += 1
        if life.killed:
            table.setdefault(life.ended, Counter())["kills"] += 1
            kills.append(life.ended)
    return table


def _fate(line: dict[str, Any]) -> str:
    match line.get("event"):
        case "attempt.lives":
            return ADOPTED
        case "attempt.step":
            return _STEPS.get(line["step"], OTHER)
        case _:
            return ""


def failed_over(attempts: Sequence[Attempt]) -> int:
    """How often one of a callback's attempts went by another trunk after the one before had failed."""
    return sum(
        one.verdict is not None and one.verdict.outcome is Outcome.TRUNK_FAILURE and next_.trunk != one.trunk
        for one, next_ in pairwise(attempts)
    )


def added(tables: Iterable[dict[str, Counter[str]]]) -> dict[str, Counter[str]]:
    """Several tables as one."""
    whole: dict[str, Counter[str]] = {}
    for table in tables:
        for name, counts in table.items():
            whole[name] = whole.get(name, Counter()) + counts
    return whole


def passed(lives: Iterable[Life]) -> frozenset[str]:
    """The points that were passed."""
    texts = [life.hits.read_text() for life in lives if life.hits.exists()]
    return frozenset(line.split(" ")[1] for text in texts for line in text.splitlines())


def quantile(values: Sequence[float], share: float) -> int | None:
    """The value below which that share of the values lies; None without values."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else None


def table_of(table: dict[str, Counter[str]]) -> list[str]:
    """The table as lines of text."""
    width = max(map(len, table), default=0)
    lines = [f"{'killed at':{width}} {'kills':>6} " + " ".join(f"{fate:>9}" for fate in FATES)]
    for name, counts in sorted(table.items()):
        lines.append(f"{name:{width}} {counts['kills']:6} " + " ".join(f"{counts[fate]:9}" for fate in FATES))
    return lines
