"""One house of a chaos run: its daemon lives and dies, one life after the other, and its callbacks go on."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.ids import CallbackId
from dialer.settings import load
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter
from tests.chaos import stream
from tests.chaos.askers import Askers, Minds
from tests.chaos.feed import WAITING, Feed
from tests.chaos.life import Life, until_dead
from tests.chaos.link import Link
from tests.chaos.plan import KILLING, TRIES, Deck, Kind, Task, kill_claim
from tests.chaos.points import Point, Setup
from tests.chaos.trouble import Trouble
from tests.chaos.wires import Wires
from tests.lab import Lab
from tests.lab.waiting import until
from tests.rig import Daemon

VICTIM = "tests.chaos.victim"
LEAVES_INTENT = frozenset({"store.claim.after", "store.claim.failover.after", "ami.Originate.before"})

PATIENCE = {Setup.STUCK: 45.0, Setup.OVERDUE: 20.0, Setup.HANDOVER: 20.0, Setup.WITHDRAWN: 20.0, Setup.TOO_LATE: 20.0}
TROUBLED = 30.0  # seconds at most until its link has done to a daemon what it was to do
USUAL_PATIENCE = 12.0  # seconds, from the daemon's first step, until a point that is not reached is given up

MARGIN_S, KEEP_S = 20, 30
"""Originates are refused (2 + 20) s after their making; their keys go 8 s after that."""

ENVIRONMENTS = {
    Setup.OVERDUE: {"CHAOS_PATIENCE_S": "2.5"},
    Setup.STUCK: {"CHAOS_PATIENCE_S": "2.5", "CHAOS_SWEEP_S": "0.5"},
    Setup.SWEEP: {"CHAOS_SWEEP_S": "0.5"},
    Setup.UNSENT: {"CHAOS_PAUSE": "store.claim.after", "CHAOS_PAUSE_S": "0.7"},
}

UNSURE = {
    Setup.WITHDRAWN: Minds(0.8, 0, 1.6),
    Setup.TOO_LATE: Minds(0.8, 0.5, 3.5),
    Setup.STREAM: Minds(0.1, 0, 6),
}
"""How many customers change their minds while they are called, and when."""

STARTED_WITHIN = 60.0  # seconds
STOP_WITHIN = 15.0
WAITS = frozenset({Status.SCHEDULED})
UNSETTLED = frozenset({Status.SCHEDULED, Status.IN_PROGRESS})
ALL = 10_000


class Household:
    """A house with its link and its stream of callbacks. `lives` tells what happened."""

    def __init__(
        self, index: int, houses: int, lab: Lab, folder: Path, deck: Deck, seed: int, *, wired: bool = False
    ) -> None:
        self.index = index
        self.staff = stream.Staff.of(index)
        self.folder = folder / f"house{index}"
        self.lives: list[Life] = []
        self.accepted: list[CallbackId] = []
        self.fell: list[str] = []
        """Lives that ended as they must not."""
        self._lab = lab
        self._deck = deck
        self._random = Random(f"{seed}/{index}")
        numbers = list(stream.numbers(index, houses))
        # Each has its own: a number that somebody objected to is refused at every door.
        rung, unrung = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        self.feed = Feed(lab, self.staff, iter(rung), self._random)
        # As often as the numbers last for all that is in the deck.
        every = max(0.25, len(deck) * 0.002)
        self.wires = Wires(iter(unrung), Random(f"{seed}/{index}/wires"), every=every) if wired else None
        self._house = stream.house(lab, self.folder, self.staff)
        self._intent_left = False

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """With its link up, its store made and its wires loaded, where it has any."""
        async with contextlib.AsyncExitStack() as stack:
            link = await stack.enter_async_context(Link(self._lab.ami.host, self._lab.ami.port))
            tables = await stack.enter_async_context(self.wires.open()) if self.wires else {}
            self.trouble = Trouble(link, self._random)
            self._house = replace(self._house, port=link.port, tables=tables)
            self.folder.mkdir(parents=True)
            async with SqlStore.open(self.database, exclusive=True):
                pass
            directory = load(self._house.write()).directory()
            async with SqlStore.open(self.database) as store:
                self.askers = Askers(store, directory, self.folder / "dialer.sock", self._random)
                if self.wires:
                    await self.wires.begin(store)
                yield

    @property
    def database(self) -> Path:
        return self.folder / "dialer.db"

    # --- one life ----------------------------------------------------------------------------------------------------

    async def next_life(self) -> bool:
        """Draw a task and live it; False when there is none left."""
        async with SqlStore.open(self.database) as store:
            left_open = bool(await store.open_attempts())
            task = self._draw(left_open)
            if task is None:
                return False
            if task.setup is not Setup.SUBMIT:
                await self._feed(store, task)
        if task.setup is Setup.SUBMIT:
            await self._submit(task)
        else:
            await self._live(task)
        return True

    async def calm_life(self) -> None:
        """A life without a fault of ours."""
        task = Task(Kind.CALM)
        async with SqlStore.open(self.database) as store:
            await self._feed(store, task)
        await self._live(task)

    def _draw(self, left_open: bool) -> Task | None:  # noqa: FBT001  # a fact
        if self._intent_left:
            task = self._deck.draw(lambda each: each.setup is Setup.INTENT)
            if task is not None:
                return task
        ready = {Setup.INTENT} | (set() if left_open else {Setup.OPEN})
        task = self._deck.draw(lambda each: each.setup not in ready)
        if task is None and len(self._deck):
            # All that are left need what nobody left behind.
            self._deck.spend()
            return kill_claim()
        return task

    async def _feed(self, store: SqlStore, task: Task) -> None:
        """Have callbacks waiting that suit the life, some of whose visitors will change their minds."""
        now = datetime.now(UTC)
        waiting = (await store.callbacks(CallbackFilter(WAITS, due_before=now), WAITING)).items
        made = self.feed.callbacks(task.setup, len(waiting))
        await store.add(made, "chaos")
        self.accepted += [each.id for each in made]
        to_be_rung = [each for each in (*waiting, *made) if each.id not in self.feed.spared]
        if minds := UNSURE.get(task.setup):
            self.askers.begin(to_be_rung, minds)

    def daemon(self, task: Task, **environment: str) -> tuple[Daemon, Life]:
        """A daemon for one life, not started."""
        number = len(self.lives)
        log = f"life{number:04}.log"
        life = Life(task, number, self.folder / log)
        chaos = {
            "CHAOS_HITS": str(life.hits),
            "CHAOS_MARGIN_S": str(MARGIN_S),
            "CHAOS_KEEP_S": str(KEEP_S),
            "CHAOS_SWEEP_S": "2",
        }
        if task.point is not None:
            chaos |= {"CHAOS_POINT": task.point.name, "CHAOS_PASS": str(self._passing(task.point))}
        house = self._house
        if task.setup is Setup.STUCK:
            house = replace(house, pbx={"action_timeout_seconds": 0.7})
        return Daemon(house, {**chaos, **environment}, VICTIM, log), life

    def _passing(self, point: Point) -> int:
        """At which of its passings the daemon dies."""
        if point.setup is Setup.STREAM:
            return self._random.randint(1, 4)
        if point.setup is Setup.SWEEP:
            return self._random.randint(1, 20)
        return self._random.randint(1, 2) if point.name.startswith("event.") else 1

    async def _live(self, task: Task) -> None:
        daemon, life = self.daemon(task, **ENVIRONMENTS.get(task.setup, {}))
        self.lives.append(life)
        with daemon:
            await until(lambda: life.hits.exists() or not daemon.running, STARTED_WITHIN)
            meddling = asyncio.create_task(self.trouble.begin(task, daemon, life.hits))
            if task.kind in {Kind.CUT, Kind.STALL}:
                await asyncio.wait((meddling,), timeout=TROUBLED)
            died = await until_dead(daemon, self._patience(task))
            meddling.cancel()
            await asyncio.wait((meddling,))
            if died or task.kind in KILLING:
                self._ended(daemon, life, died=died)
            else:
                await self._stop(daemon, life)
        self.trouble.end()

    def _patience(self, task: Task) -> float:
        match task.kind:
            case Kind.RANDOM:
                return self._random.uniform(0, 6)
            case Kind.POINT | Kind.LATE:
                return PATIENCE.get(task.setup, USUAL_PATIENCE)
            case Kind.CUT | Kind.STALL:
                return self._random.uniform(0, 3)
            case Kind.CALM:
                return self._random.uniform(4, 6)

    def _ended(self, daemon: Daemon, life: Life, *, died: bool) -> None:
        """Note how a life ended that was killed, or has ended by itself, which it must not."""
        daemon.kill()
        code = daemon.wait()
        life.killed = code == -signal.SIGKILL
        if not life.killed:
            self.fell.append(f"{life.log}: ended by itself with exit code {code}: {daemon.tail(3)}")
        task = life.task
        reached = died and life.killed
        life.ended = task.name if reached or task.kind is not Kind.POINT else Kind.RANDOM.value
        if task.kind is Kind.POINT and not reached:
            self._deck.put_back(task)
        stays = self._intent_left and task.setup is Setup.INTENT and task.name != "event.Released"
        self._intent_left = reached and (task.name in LEAVES_INTENT or stays)

    async def _stop(self, daemon: Daemon, life: Life) -> None:
        """Stop a daemon in order; calls in progress go on without it."""
        life.ended = life.task.name
        self._intent_left = False
        await until(lambda: daemon.logged("daemon.ready"), STARTED_WITHIN)  # until then a signal just ends it
        daemon.signal(signal.SIGTERM)
        if not await until_dead(daemon, STOP_WITHIN):
            self.fell.append(f"{life.log}: did not stop within {STOP_WITHIN} s of SIGTERM")
        elif (code := daemon.wait()) != 0:
            self.fell.append(f"{life.log}: stopped with exit code {code}: {daemon.tail(3)}")

    async def _submit(self, task: Task) -> None:
        """Requests are taken in by a process that is killed; what it said it accepted, counts."""
        daemon, life = self.daemon(task)
        self.lives.append(life)
        numbers = [self.feed.number(task.setup) for _ in range(3)]
        text = "".join(json.dumps({"department": "sales", "phone": number}) + "\n" for number in numbers)
        done = await asyncio.to_thread(daemon.cli, "submit", "--json", "-", text=text)
        self.accepted += [CallbackId(json.loads(line)["id"]) for line in done.stdout.splitlines()]
        life.killed = done.returncode == -signal.SIGKILL
        life.ended = task.name
        if not life.killed:
            self.fell.append(f"submit was not killed at {task.name}: {done.returncode} {done.stderr}")

    # --- beginning and end -------------------------------------------------------------------------------------------

    async def without_identity(self, points: list[Point]) -> None:
        """Lives that find a database without an identity, while no other daemon runs."""
        for point in points:
            await asyncio.to_thread(self._lab.pbx.cli, "database del mi identity")
            await self._live(Task(Kind.POINT, point, TRIES))

    async def finish(self, within: float) -> None:
        """A last life, in which everything is settled, `within` seconds: what is not by then is lost."""
        async with SqlStore.open(self.database) as store:
            self.feed.everybody_takes_part((await store.callbacks(CallbackFilter(UNSETTLED), ALL)).items)

            async def settled() -> bool:
                return not (await store.callbacks(CallbackFilter(UNSETTLED), 1)).items

            daemon, life = self.daemon(Task(Kind.CALM))
            self.lives.append(life)
            with daemon:
                with contextlib.suppress(TimeoutError):
                    if self.wires:
                        await self.wires.finish(store)
                    for each in (await store.callbacks(CallbackFilter(WAITS, stream.NIGHT), ALL)).items:
                        await self.askers.cancel(each)  # whoever is asleep until tomorrow
                    await until(settled, within)
                    if self.wires:
                        await self.wires.told(store)
                await self._stop(daemon, life)
        await self.askers.end()

    async def stored(self) -> dict[CallbackId, tuple[Callback, list[Attempt]]]:
        """Every callback with its attempts."""
        found: dict[CallbackId, tuple[Callback, list[Attempt]]] = {}
        cursor: str | None = None
        async with SqlStore.open(self.database) as store:
            while True:
                page = await store.callbacks(CallbackFilter(), 1000, cursor)
                for each in page.items:
                    found[each.id] = each, await store.attempts(each.id)
                cursor = page.cursor
                if cursor is None:
                    return found
