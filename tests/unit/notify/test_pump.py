"""The pump on a real store, in a time that passes only while nothing else goes on."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from dialer.domain.errors import StoreError
from dialer.notify.outbox import Change, DeliveryState, Subscriber
from dialer.notify.pump import NotDelivered, Pump, PumpRules, Subscription
from dialer.store.deliveries import Deliveries, Delivery
from dialer.store.outbox import SqlOutbox
from dialer.store.store import SqlStore
from tests.contract.story import COMPLETED, NOON, attempt_at, callback, claim_of, ended

CRM = Subscriber("webhook:crm")
RULES = PumpRules(first=timedelta(seconds=5), most=timedelta(minutes=30), at_once=4, floor=timedelta(minutes=20))
DAYS = replace(RULES, most=timedelta(hours=2), floor=timedelta(hours=1))
"""For what takes days."""

PATIENCE = 30.0  # seconds that a machine may take for what should take milliseconds


class Time:
    """Passes by sleeping, once nothing is under way."""

    def __init__(self) -> None:
        self.at = NOON
        self.busy: Callable[[], bool] = lambda: False

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        while seconds >= 1 and self.busy():  # noqa: ASYNC110  # what it waits for has no event
            await asyncio.sleep(0.001)
        for _ in range(8):  # whoever was woken goes first
            await asyncio.sleep(0)
        self.at += timedelta(seconds=seconds)

    @property
    def hours(self) -> float:
        return (self.at - NOON) / timedelta(hours=1)


class Receiver:
    """Is told changes; `answers` decides on each, None is good."""

    def __init__(self, time: Time, answers: Callable[[Change], NotDelivered | None] = lambda _: None) -> None:
        self.time = time
        self.answers = answers
        self.tried: list[tuple[datetime, Change]] = []
        self.took: dict[str, list[int]] = defaultdict(list)
        self.most_at_once = 0
        self.under_way: Counter[str] = Counter()

    async def __call__(self, change: Change) -> None:
        self.under_way[change.callback] += 1
        assert self.under_way[change.callback] == 1
        self.most_at_once = max(self.most_at_once, self.under_way.total())
        self.tried.append((self.time.at, change))
        for _ in range(Random(change.id).randrange(5)):
            await asyncio.sleep(0)
        self.under_way[change.callback] -= 1
        if failure := self.answers(change):
            raise failure
        self.took[change.callback].append(change.version)

    @property
    def count(self) -> int:
        return sum(map(len, self.took.values()))

    @property
    def times(self) -> list[float]:
        """Of the tries, in seconds since the beginning."""
        return [(at - NOON).total_seconds() for at, _ in self.tried]


class Watching:
    def __init__(self) -> None:
        self.told: list[str] = []

    def stuck(self, subscriber: str, why: str) -> None:
        self.told.append(f"stuck: {why}")

    def well(self, subscriber: str) -> None:
        self.told.append("well")


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.002)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def store(tmp_path: Path, time: Time) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True, now=time.now) as opened:
        await SqlOutbox(opened).subscribe([CRM])
        yield opened


@asynccontextmanager
async def pumping(
    outbox: SqlOutbox, receiver: Receiver, watch: Watching | None = None, rules: PumpRules = RULES
) -> AsyncIterator[Pump]:
    time = receiver.time
    subscription = Subscription(CRM, receiver, rules)
    pump = Pump(outbox, subscription, clock=time, rng=Random(1), watch=watch or Watching(), sleep=time.sleep)
    time.busy = lambda: bool(pump._under_way)
    running = asyncio.create_task(pump.run())
    with outbox._store.heard_by(pump.wake):
        yield pump
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()


async def lived(store: SqlStore, numbers: Sequence[int]) -> None:
    """Callbacks with three changes each."""
    for new in [callback(number, phone=f"+4420794602{number:02}") for number in numbers]:
        await store.add([new])
        await store.claim(claim_of(new))
        await store.finish(ended(attempt_at(new)), COMPLETED)


async def waiting(store: SqlStore) -> tuple[Delivery, ...]:
    return (await Deliveries(store).page(1000, None, state=DeliveryState.WAITING)).items


async def dead(store: SqlStore) -> tuple[Delivery, ...]:
    return (await Deliveries(store).page(1000, None, state=DeliveryState.DEAD)).items


async def test_all_is_told_once_in_order_and_some_at_once(store: SqlStore, time: Time) -> None:
    receiver = Receiver(time)
    await lived(store, range(1, 11))
    async with pumping(SqlOutbox(store), receiver):
        await until(lambda: receiver.count == 30)
        await lived(store, range(11, 21))
        await until(lambda: receiver.count == 60)
        await until(lambda: nothing_left(store))
    assert all(versions == [1, 2, 3] for versions in receiver.took.values())
    assert receiver.most_at_once == RULES.at_once


async def nothing_left(store: SqlStore) -> bool:
    return not await waiting(store)


async def test_one_that_is_down_is_left_alone_for_longer_and_longer_and_then_told_all(
    store: SqlStore, time: Time
) -> None:
    def answers(_: Change) -> NotDelivered | None:
        return NotDelivered("it answered 503", down=True) if time.hours < 3 else None

    receiver, watch = Receiver(time, answers), Watching()
    await lived(store, range(1, 11))
    async with pumping(SqlOutbox(store), receiver, watch):
        await until(lambda: receiver.count == 30)
    in_vain = [at for at in receiver.times if at < 3 * 3600]
    assert len(in_vain) < 25
    pauses = [later - earlier for earlier, later in pairwise(in_vain[RULES.at_once :])]
    assert all(2 <= pause <= 30 * 60 + 1 for pause in pauses)
    assert max(pauses) > 10 * 60
    assert all(versions == [1, 2, 3] for versions in receiver.took.values())
    assert watch.told.index("stuck: it answered 503") < watch.told.index("well")
    assert watch.told.count("stuck: it answered 503") < len(in_vain) - 4  # not for what lasted some seconds


async def test_one_change_that_is_refused_stops_its_own_callback_only(store: SqlStore, time: Time) -> None:
    poison = callback(3).id
    refusals = 6

    def answers(change: Change) -> NotDelivered | None:
        seen = sum(each.callback == poison for _, each in receiver.tried)
        return NotDelivered("it answered 400") if change.callback == poison and seen <= refusals else None

    receiver, watch = Receiver(time, answers), Watching()
    await lived(store, range(1, 6))
    async with pumping(SqlOutbox(store), receiver, watch):
        await until(lambda: receiver.count == 15)
    assert all(versions == [1, 2, 3] for versions in receiver.took.values())
    tries = [at for at, (_, each) in zip(receiver.times, receiver.tried, strict=True) if each.callback == poison]
    pauses = [later - earlier for earlier, later in pairwise(tries[: refusals + 1])]
    assert pauses[-1] > 4 * pauses[0] > 0
    others = [at for at, (_, each) in zip(receiver.times, receiver.tried, strict=True) if each.callback != poison]
    assert max(others) < 5


async def test_a_change_that_brings_the_other_side_down_does_not_keep_the_rest_from_it(
    store: SqlStore, time: Time
) -> None:
    poison = callback(1).id

    def answers(change: Change) -> NotDelivered | None:
        return NotDelivered("it answered 500", down=True) if change.callback == poison else None

    receiver = Receiver(time, answers)
    await lived(store, range(1, 21))
    async with pumping(SqlOutbox(store), receiver):
        await until(lambda: receiver.count == 57)
    assert time.hours < 1


async def test_what_is_final_is_given_up_and_the_next_goes_on(store: SqlStore, time: Time) -> None:
    receiver = Receiver(time, lambda each: NotDelivered("it answered 410", final=True) if each.version == 2 else None)
    await lived(store, [1])
    async with pumping(SqlOutbox(store), receiver):
        await until(lambda: receiver.count == 2)
    assert receiver.took[callback(1).id] == [1, 3]
    (given_up,) = await dead(store)
    assert (given_up.change.version, given_up.why, given_up.change.tries) == (2, "it answered 410", 1)


async def test_after_three_days_all_that_waited_is_given_up_and_nothing_before(store: SqlStore, time: Time) -> None:
    receiver, watch = Receiver(time, lambda _: NotDelivered("nothing listens there", down=True)), Watching()
    await lived(store, range(1, 31))
    async with pumping(SqlOutbox(store), receiver, watch, DAYS):
        await until(lambda: time.hours > 68)
        assert await dead(store) == ()
        await until(lambda: nothing_left(store))
    assert 72 < time.hours < 76
    assert len(await dead(store)) == 90
    assert {each.why for each in await dead(store)} == {"nothing listens there"}
    assert len(receiver.tried) < 250
    assert "well" not in watch.told


async def test_one_that_is_refused_for_three_days_is_given_up_by_itself(store: SqlStore, time: Time) -> None:
    receiver = Receiver(time, lambda each: NotDelivered("it answered 422") if each.version == 1 else None)
    await lived(store, [1])
    async with pumping(SqlOutbox(store), receiver, rules=DAYS):
        await until(lambda: receiver.count == 2)
    assert 72 < time.hours < 76
    assert [each.change.version for each in await dead(store)] == [1]


async def test_what_was_given_up_and_is_told_again_has_its_whole_time_again(store: SqlStore, time: Time) -> None:
    receiver = Receiver(time, lambda _: NotDelivered("nothing listens there", down=True))
    await lived(store, [1])
    async with pumping(SqlOutbox(store), receiver, rules=DAYS):
        await until(lambda: nothing_left(store))
        given_up_at = time.hours
        await Deliveries(store).retry_all(CRM.name)
        await until(lambda: time.hours > given_up_at + 68)
        assert len(await waiting(store)) == 3
        receiver.answers = lambda _: None
        await until(lambda: receiver.count == 3)
    assert receiver.took[callback(1).id] == [1, 2, 3]


@pytest.mark.parametrize("down", [True, False])
async def test_what_the_other_side_asked_for_is_heeded(store: SqlStore, time: Time, down: bool) -> None:  # noqa: FBT001  # a parameter of the test
    hour = timedelta(hours=1)

    def answers(_: Change) -> NotDelivered | None:
        busy = NotDelivered("it answered 429", retry_after=hour, down=down)
        return busy if len(receiver.tried) <= 1 else None

    receiver = Receiver(time, answers)
    await lived(store, [1])
    async with pumping(SqlOutbox(store), receiver):
        await until(lambda: receiver.count == 3)
    assert receiver.times[1] - receiver.times[0] >= 3600
    assert receiver.times[1] < 3700


async def test_a_person_need_not_wait_until_it_is_tried_by_itself(store: SqlStore, time: Time) -> None:
    """But however often somebody asks, it is not tried more often than at first."""
    receiver = Receiver(time, lambda _: NotDelivered("it answered 503", down=True))
    await lived(store, [1])
    async with pumping(SqlOutbox(store), receiver) as pump:
        await until(lambda: time.hours > 2 and time.at - receiver.tried[-1][0] > timedelta(minutes=1))
        time.busy = lambda: True  # it stands still
        before, asked_at = len(receiver.tried), time.at
        for _ in range(20):
            await Deliveries(store).retry((await waiting(store))[0].change.id)
            pump.nudge()
        await until(lambda: len(receiver.tried) > before)
        for _ in range(20):
            pump.nudge()
            await asyncio.sleep(0.005)
        assert len(receiver.tried) == before + 1
        assert time.at - asked_at < timedelta(seconds=5)


class Failing(SqlOutbox):
    """Whose store fails now and then."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.random = Random(5)
        self.failures = 0

    def _maybe_fail(self) -> None:
        if self.random.random() < 0.6:
            self.failures += 1
            raise StoreError("the disk is full")

    async def ready(self, subscriber: str, now: datetime, limit: int) -> list[Change]:
        self._maybe_fail()
        return await super().ready(subscriber, now, limit)

    async def delivered(self, changes: Sequence[Change]) -> None:
        self._maybe_fail()
        await super().delivered(changes)


async def test_a_store_that_fails_is_asked_again_and_nothing_is_told_twice(store: SqlStore, time: Time) -> None:
    receiver, outbox = Receiver(time), Failing(store)
    await lived(store, range(1, 6))
    async with pumping(outbox, receiver):
        time.busy = lambda: False  # what waits for the store is under way
        await until(lambda: nothing_left(store))
    assert outbox.failures > 5
    assert receiver.count == len(receiver.tried) == 15
    assert all(versions == [1, 2, 3] for versions in receiver.took.values())


async def test_a_fault_of_our_own_neither_ends_the_pump_nor_tells_what_it_met(store: SqlStore, time: Time) -> None:
    failed: list[Change] = []

    def answers(change: Change) -> NotDelivered | None:
        if change.callback == callback(1).id and len(failed) < 2:
            failed.append(change)
            raise KeyError("Zoë, +44 20 7946 0123")
        return None

    receiver = Receiver(time, answers)
    await lived(store, [1, 2])
    with capture_logs() as logs:
        async with pumping(SqlOutbox(store), receiver):
            await until(lambda: receiver.count == 6)
    faults = [line for line in logs if line["event"] == "outbox.fault"]
    assert [line["kind"] for line in faults] == ["KeyError", "KeyError"]
    assert "Zoë" not in str(logs)
    assert "0123" not in str(logs)


async def test_what_was_told_but_not_noted_is_told_again_as_the_same(store: SqlStore, time: Time) -> None:
    class Cut(SqlOutbox):
        async def delivered(self, changes: Sequence[Change]) -> None:
            await asyncio.Event().wait()  # the power goes before it is noted

    receiver = Receiver(time)
    await lived(store, [1])
    async with pumping(Cut(store), receiver):
        await until(lambda: len(receiver.tried) == 1)
    async with pumping(SqlOutbox(store), receiver):
        await until(lambda: receiver.count == 4)
    assert [each.version for _, each in receiver.tried] == [1, 1, 2, 3]
    assert [each.event_id for _, each in receiver.tried[:2]] == [f"{callback(1).id}-1"] * 2
