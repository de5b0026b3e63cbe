"""What is to be done to the daemons: a deck of tasks, shuffled by the seed, from which the houses draw."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from random import Random

from tests.chaos.points import BY_NAME, POINTS, Point, Setup

EACH = 20
"""How often each point is to be hit in a run that is long enough for that."""

TRIES = 4
"""How often a point is tried that was not reached: a PBX that restarts meanwhile may be in the way."""

CUTS_A_LIFE = 3


class Kind(StrEnum):
    """What ends or troubles a life of a daemon."""

    POINT = "point"
    """Killed at a named point."""
    RANDOM = "random"
    """Killed at a random moment."""
    LATE = "late"
    """Killed while its Originates are held, which arrive some time later."""
    CUT = "cut"
    """Its link is cut a few times; then it is stopped in order."""
    STALL = "stall"
    """Its link lets nothing through for a while; then it is stopped in order."""
    CALM = "calm"
    """Nothing; it is stopped in order."""


KILLING = frozenset({Kind.POINT, Kind.RANDOM, Kind.LATE})


@dataclass(frozen=True)
class Task:
    """One life of a daemon."""

    kind: Kind
    point: Point | None = None
    tries: int = 0

    @property
    def setup(self) -> Setup:
        """What the life needs."""
        return self.point.setup if self.point else Setup.STREAM

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.point.name if self.point else self.kind.value


@dataclass(frozen=True)
class Amounts:
    """How much of each: kills of daemons, cuts and holds of links, restarts and kills of Asterisk."""

    kills: int
    cuts: int
    holds: int
    restarts: int
    crashes: int
    sample: bool = False
    """The named points are one for each setup: the last on its way, so that all points are passed."""


SAMPLE = Amounts(kills=26, cuts=6, holds=4, restarts=1, crashes=1, sample=True)
"""A run of a minute or so."""

DEEPEST = {
    Setup.START: "ami.DBGet.identity.after",
    Setup.STREAM: "store.finish.after",
    Setup.OPEN: "ami.DBGet.mi.after",
    Setup.INTENT: "event.Released",
    Setup.OVERDUE: "ami.Hangup.after",
    Setup.STUCK: "store.amend.after",
    Setup.GHOST: "event.NoTrace",
    Setup.HANDOVER: "event.HandedOver",
    Setup.UNSENT: "event.Unsent",
    Setup.REFUSED: "event.Refused",
    Setup.SWEEP: "ami.DBDel.after",
    Setup.SUBMIT: "store.admit.after",
    Setup.WITHDRAWN: "ami.Redirect.after",
    Setup.TOO_LATE: "store.too_late.after",
    Setup.FAILOVER: "store.claim.failover.after",
    Setup.PUT_AWAY: "store.close.after",
    Setup.NAMELESS: "ami.DBPut.identity.after",
}
"""The point of each setup that lies last on the way."""


class Deck:
    """The tasks of a run. Points of a database without identity are left to the prologue; those of the sweep come
    last, when there is something to sweep."""

    def __init__(self, amounts: Amounts, random: Random) -> None:
        points = _named(amounts, random)
        named = len(points)
        late = min(amounts.holds, amounts.kills - named) // 2
        tasks = [Task(Kind.POINT, point) for point in points if point.setup is not Setup.NAMELESS]
        tasks += [Task(Kind.LATE)] * late
        tasks += [Task(Kind.RANDOM)] * (amounts.kills - named - late)
        tasks += [Task(Kind.CUT)] * -(-amounts.cuts // CUTS_A_LIFE)
        tasks += [Task(Kind.STALL)] * (amounts.holds - late)
        random.shuffle(tasks)
        self.nameless = [point for point in points if point.setup is Setup.NAMELESS]
        self._tasks = sorted(tasks, key=lambda task: task.setup is Setup.SWEEP)
        self.size = len(self._tasks)
        self.missed: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._tasks)

    def draw(self, fits: Callable[[Task], bool]) -> Task | None:
        """The first task that fits."""
        for index, task in enumerate(self._tasks):
            if fits(task):
                return self._tasks.pop(index)
        return None

    def spend(self) -> None:
        """A kill was made that was not planned: one at random less."""
        self.draw(lambda task: task.kind is Kind.RANDOM)

    def put_back(self, task: Task) -> None:
        """Its point was not reached: once more, last of all, or given up. The kill it took counts as a random one."""
        self.spend()
        if task.tries + 1 < TRIES:
            self._tasks.append(Task(task.kind, task.point, task.tries + 1))
        else:
            self.missed[task.name] += 1


def _named(amounts: Amounts, random: Random) -> list[Point]:
    """Half of the kills lie at named points, but all that it takes where that is not enough for each of them."""
    if amounts.sample:
        return [BY_NAME[name] for name in DEEPEST.values()]
    enough = EACH * len(POINTS)
    count = amounts.kills // 2
    if amounts.kills >= enough:
        count = max(count, enough)
    rounds = [random.sample(POINTS, len(POINTS)) for _ in range(-(-count // len(POINTS)))]
    return list(chain(*rounds))[:count]


def kill_claim() -> Task:
    """The kill that leaves an intent behind which was never sent."""
    return Task(Kind.POINT, BY_NAME["store.claim.after"], TRIES)
