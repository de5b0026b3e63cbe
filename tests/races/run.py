"""Callbacks that are cancelled, moved or objected to at a random moment of their attempt, many at a time, on a lab.

The witness is the far end: of those that were acknowledged, no customer's phone may see a call.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

from ulid import ULID

from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.intake import changes
from dialer.intake.changes import Answer, Waiting
from dialer.settings import load
from dialer.store.store import SqlStore
from tests.lab import Agent, Customer, FarCall, Lab
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House

AGENTS = [f"r{index:02}" for index in range(24)]
TOMORROW = timedelta(days=1)
LONGEST = 3.5
"""Seconds within which the change comes: a customer's phone rings some 2.5 s after the Originate."""


class Kind(StrEnum):
    """What somebody wants."""

    CANCEL = "cancel"
    MOVE = "move"
    OBJECTION = "objection"


_WANTED = {Kind.CANCEL: Status.CANCELLED, Kind.MOVE: Status.SCHEDULED, Kind.OBJECTION: Status.REJECTED}


@dataclass(frozen=True)
class Race:
    """One callback and what came of the change: the answer that its asker was given, and the status then."""

    kind: Kind
    number: str
    answer: Answer
    status: Status


@dataclass
class Result:
    """All of it, and every broken promise in words."""

    races: list[Race] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The figures."""
        answers = Counter(race.answer.value for race in self.races)
        return {
            "races": len(self.races),
            **{answer.value: answers[answer.value] for answer in Answer},
            **{f"{kind}_done": self._done(kind) for kind in Kind},
            "rung_after_acknowledged": sum("was rung although" in each for each in self.broken),
            "rung_twice": sum("was rung" in each and "times" in each for each in self.broken),
        }

    def _done(self, kind: Kind) -> int:
        return sum(race.kind is kind and race.answer is Answer.DONE for race in self.races)


def numbers() -> Iterator[str]:
    """Numbers that nobody has, each once."""
    for area in ("113", "114", "116", "117"):
        for index in range(1000):
            yield f"+44{area}496{index:04}"


async def run(count: int, seed: int) -> Result:
    """So many races, as many at a time as there are agents."""
    random = Random(seed)
    result = Result()
    folder = Path(tempfile.mkdtemp(prefix="mi-races-"))
    with Lab.create(folder / "lab", agents=AGENTS) as lab:
        for agent in AGENTS:
            lab.agent(agent, Agent.accept(ring_ms=100, press_ms=200))
        retry = {"cancelled": ["1s"]}
        house = House(lab, folder / "house", [Department("sales", AGENTS, retry=retry)], log_level="info")
        with Daemon(house) as daemon:
            await daemon.until_logged("pbx.ready")
            async with daemon.store() as store:
                free, left = asyncio.Semaphore(len(AGENTS) - 2), numbers()
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(count):
                        await free.acquire()
                        task = tasks.create_task(_race(lab, daemon, store, next(left), random, result))
                        task.add_done_callback(lambda _: free.release())
            # What was let go on must end before its customers are asked.
            await quiet(lab, 60)
            assert daemon.stop() == 0
        judge(result, lab.far_end_calls())
    return result


async def _race(lab: Lab, daemon: Daemon, store: SqlStore, number: str, random: Random, result: Result) -> None:
    lab.customer(number, Customer.answer(ring_ms=300, talk_ms=500))
    now = datetime.now(UTC)
    callback = Callback(CallbackId(str(ULID())), "shop", "sales", Visitor(number), now, None, now)
    await store.add([callback])
    daemon.poke()
    await asyncio.sleep(random.uniform(0, LONGEST))  # the race itself: a moment of the attempt's life
    kind = random.choice(list(Kind))
    result.races.append(await _change(daemon, store, callback, kind))


async def _change(daemon: Daemon, store: SqlStore, callback: Callback, kind: Kind) -> Race:
    number = callback.visitor.phone
    waiting = Waiting()
    try:
        match kind:
            case Kind.CANCEL:
                change = await changes.cancel(store, daemon.poke, callback.id, "changed my mind", waiting)
            case Kind.MOVE:
                directory = load(daemon.house.config).directory()
                at = (datetime.now(UTC) + TOMORROW).isoformat()
                change = await changes.move(
                    store, daemon.poke, directory, callback.id, (at, ""), datetime.now(UTC), waiting
                )
            case Kind.OBJECTION:
                silenced = await changes.object_to(store, daemon.poke, number, "races", "asked us to", waiting)
                if not silenced.under_way:
                    final = await store.get(callback.id)
                    assert final is not None
                    answer = Answer.DONE if callback.id in silenced.rejected else Answer.TOO_LATE
                    return Race(kind, number, answer, final.status)
                (change,) = silenced.under_way
    except IllegalState:
        final = await store.get(callback.id)
        assert final is not None
        return Race(kind, number, Answer.TOO_LATE, final.status)  # it was over by then
    return Race(kind, number, change.answer, change.callback.status)


def judge(result: Result, far: list[FarCall]) -> None:
    """Hold what was acknowledged against the calls that the far end saw."""
    rung = Counter(call.dialled for call in far if call.who == "customer")
    for race in result.races:
        calls = rung[race.number]
        if race.answer is Answer.DONE and calls:
            result.broken.append(f"{race.number} was rung although its {race.kind} was acknowledged")
        if race.answer is Answer.DONE and race.status is not _WANTED[race.kind]:
            result.broken.append(f"{race.number}: {race.kind} acknowledged, but it is {race.status}")
        if calls > 1:
            result.broken.append(f"{race.number} was rung {calls} times")
        if race.answer is Answer.UNDECIDED:
            result.broken.append(f"{race.number}: nobody decided on its {race.kind}")
