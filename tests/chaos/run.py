"""A whole run: a lab, several houses side by side, and Asterisk itself restarted and killed under all of them."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.chaos import report
from tests.chaos.books import KINDS, SOURCES, Balance, Faults, balance, number_of
from tests.chaos.bounds import Bounds
from tests.chaos.household import Household
from tests.chaos.plan import Amounts, Deck
from tests.chaos.points import POINTS
from tests.chaos.stream import GAP, Staff
from tests.lab import Lab
from tests.lab.waiting import quiet, until

SETTLED_WITHIN = 120.0  # seconds
QUIET_WITHIN = 60.0
BETWEEN_OUTAGES = 6.0
PROGRESS = 10.0
ENDLESS = 1e6


class Run:
    """Everything that one seed decides. `folder` holds all that was written, and is the caller's to delete."""

    def __init__(self, amounts: Amounts, seed: int, houses: int, *, wired: bool = False) -> None:
        self._amounts = amounts
        self._seed = seed
        self._houses = houses
        self._wired = wired
        self._random = Random(seed)
        self._deck = Deck(amounts, self._random)
        self._outages: list[report.Outage] = []
        self._crashes: list[datetime] = []
        self.folder = Path(tempfile.mkdtemp(prefix="mi-chaos-"))
        self.result: dict[str, Any] = {}
        self._wires_broken: list[str] = []

    async def go(self) -> bool:
        """True when the promise was kept and no daemon ended by itself; what came of it is in `result`."""
        folder = self.folder
        began = time.monotonic()
        agents = [name for index in range(self._houses) for name in Staff.of(index).everybody]
        with Lab.create(folder / "lab", agents=agents) as lab:
            houses = [
                Household(index, self._houses, lab, folder, self._deck, self._seed, wired=self._wired)
                for index in range(self._houses)
            ]
            async with AsyncExitStack() as stack:
                for house in houses:
                    await stack.enter_async_context(house.open())
                await houses[0].without_identity(self._deck.nameless)
                await self._trouble(lab, houses)
                _say("the faults are over: everything is let finish")
                await asyncio.gather(*(house.finish(SETTLED_WITHIN) for house in houses))
                await quiet(lab, QUIET_WITHIN)
            books, self.result = await self._balance(lab, houses)
        self.result["wall_s"] = round(time.monotonic() - began)
        fell = [line for house in houses for line in house.fell]
        for line in (*books.broken, *fell, *self._wires_broken):
            _say(line)
        return books.even and not fell and not self._wires_broken

    async def _trouble(self, lab: Lab, houses: Sequence[Household]) -> None:
        outages = asyncio.create_task(self._take_asterisk_down(lab))
        telling = asyncio.create_task(self._tell(houses))
        await asyncio.gather(*(self._live(house, outages) for house in houses))
        await outages
        telling.cancel()

    async def _live(self, house: Household, outages: asyncio.Task[None]) -> None:
        while await house.next_life():
            pass
        while not outages.done():
            await house.calm_life()

    async def _take_asterisk_down(self, lab: Lab) -> None:
        """Restart and kill Asterisk, spread over the run."""
        hows = [False] * self._amounts.restarts + [True] * self._amounts.crashes
        self._random.shuffle(hows)
        for index, crash in enumerate(hows):
            left_then = self._deck.size * (len(hows) - index) // (len(hows) + 1)
            await until(lambda left=left_then: len(self._deck) <= left, ENDLESS)  # type: ignore[misc]  # a default
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * BETWEEN_OUTAGES)
            down = datetime.now(UTC)
            if crash:
                self._crashes.append(down)
                await asyncio.to_thread(lab.pbx.kill)
                await asyncio.to_thread(_give_up_calls, lab)
                await asyncio.to_thread(lab.pbx.start)
            else:
                await asyncio.to_thread(lab.pbx.restart)
            self._outages.append((down, datetime.now(UTC)))

    async def _tell(self, houses: Sequence[Household]) -> None:
        while True:
            await asyncio.sleep(PROGRESS)
            lives = [life for house in houses for life in house.lives]
            _say(f"{sum(life.killed for life in lives)} kills in {len(lives)} lives, {len(self._deck)} tasks to go")

    async def _balance(self, lab: Lab, houses: Sequence[Household]) -> tuple[Balance, dict[str, Any]]:
        far, books = lab.far_end_calls(), Balance()
        tables, times = [], []
        callbacks = attempts = failed_over = 0
        answers: Counter[str] = Counter()
        wires: Counter[str] = Counter()
        for house in houses:
            stored = await house.stored()
            if house.wires:
                async with SqlStore.open(house.database) as store:
                    self._wires_broken += await house.wires.judge(store, [callback for callback, _ in stored.values()])
                wires.update(house.wires.figures())
            phones = {callback.visitor.phone for callback, _ in stored.values()}
            faults = Faults(self._crashes, house.trouble.hang_ups_swallowed)
            own = [call for call in far if call.who == "agent" or number_of(call) in phones]
            bounds = Bounds(house.askers.told, GAP, house.feed.spared)
            books.add(balance(house.accepted, stored, own, faults, bounds))
            answers.update(wish.answer.value for wish in house.askers.told.values())
            known = [mine for _, mine in stored.values()]
            callbacks, attempts = callbacks + len(stored), attempts + sum(map(len, known))
            again = frozenset(one.id for mine in known for one in mine[:-1])
            tables.append(report.fates(house, again))
            times += report.recoveries(house, self._outages)
            failed_over += sum(map(report.failed_over, known))
        lives = [life for house in houses for life in house.lives]
        table = report.added(tables)
        for line in report.table_of(table):
            _say(line)
        passed = report.passed(lives)
        result = {
            "kills": sum(life.killed for life in lives),
            "seed": self._seed,
            "callbacks": callbacks,
            "attempts": attempts,
            **{kind: len(getattr(books, kind)) for kind in KINDS},
            "in_doubt": books.outcomes[Outcome.IN_DOUBT],
            "recovery_p50_ms": report.quantile(times, 0.5),
            "recovery_p99_ms": report.quantile(times, 0.99),
            "doubts": {source: books.doubts[source] for source in SOURCES},
            "wishes": dict(answers),
            "failed_over": failed_over,
            "outcomes": dict(books.outcomes.most_common()),
            "ended_by_themselves": sum(len(house.fell) for house in houses),
            "houses": self._houses,
            **({**wires, "wires_broken": len(self._wires_broken)} if self._wired else {}),
            "cuts": sum(house.trouble.cuts for house in houses),
            "holds": sum(house.trouble.holds for house in houses),
            "restarts": len(self._outages) - len(self._crashes),
            "crashes": len(self._crashes),
            "points": len(POINTS),
            "fewest_hits": min(table.get(point.name, Counter())["kills"] for point in POINTS),
            "missed": dict(self._deck.missed),
            "never_passed": sorted(point.name for point in POINTS if point.name not in passed),
        }
        return books, result


def _give_up_calls(lab: Lab) -> None:
    """A killed PBX says no goodbye: the far end's phones would wait for it until their session timers run out."""
    deadline = time.monotonic() + QUIET_WITHIN
    while lab.far.cli("core show channels concise").strip():
        assert time.monotonic() < deadline, "the far end's channels do not hang up"
        lab.far.cli("channel request hangup all")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
