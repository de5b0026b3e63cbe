"""The engine's loop on a real store, with a PBX that takes every order and tells nothing by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from dialer.alerts import Alerts
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.directory import AgentOrder, Delay, Directory, RetryRule
from dialer.domain.errors import StoreError
from dialer.domain.events import Ended
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import EndRecord, JournalStep, Outcome
from dialer.domain.stop import Scope, Stop
from dialer.engine.consequences import BY_ITSELF
from dialer.engine.engine import Engine, Rules
from dialer.engine.ports import Claim, DeviceState, Order, Pbx
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore
from tests.contract.story import attempt_at, ended
from tests.unit.engine.floor import MINUTE, NOON, SECOND, callback, directory
from tests.unit.engine.switch import Switch

PATIENCE = 10.0  # seconds until a test that waits has failed
REST = 15 * SECOND


@dataclass
class Seen:
    """What the world outside the engine saw, and a way to wait for it."""

    orders: list[Order] = field(default_factory=list)
    claims: list[tuple[str, bool]] = field(default_factory=list)
    """The agents for whom something was to be claimed, and whether it was."""
    too_late: list[CallbackId] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    def ordered(self, order: Order) -> None:
        self.orders.append(order)
        self.changed.set()

    async def order(self, of: Callback) -> Order:
        """The next order to ring this callback."""
        before = len(self.orders)
        await self.until(lambda: any(order.callback == of.id for order in self.orders[before:]))
        return self.orders[-1]

    @property
    def refusals(self) -> list[str]:
        return [agent for agent, won in self.claims if not won]


class Clock:
    """Time that the test sets."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Watched(SqlStore):
    """Notes what the engine claims, and which wishes it found to be too late."""

    seen: Seen

    async def claim(self, claim: Claim) -> bool:
        won = await super().claim(claim)
        self.seen.claims.append((claim.attempt.agent, won))
        self.seen.changed.set()
        return won

    async def too_late(self, callback: CallbackId) -> None:
        await super().too_late(callback)
        self.seen.too_late.append(callback)
        self.seen.changed.set()


@dataclass
class House:
    engine: Engine
    store: Watched
    clock: Clock
    seen: Seen

    def idle(self, *agents: str) -> None:
        for agent in agents:
            pbx = "two" if agent in {"eve", "finn"} else "one"
            self.engine.device_state(pbx, f"PJSIP/{agent}", DeviceState.NOT_INUSE)

    async def add(self, *callbacks: Callback) -> None:
        await self.store.add(callbacks)
        self.engine.poke()

    def end(self, order: Order, step: JournalStep, *, dialled: str = "", cause: int = 0) -> None:
        """The dialplan's record of the end of what was ordered; no customer's phone has rung."""
        record = EndRecord(self.clock.at, step, None, "", dialled, cause, None, rang=False)
        self.engine.attempt_event(order.attempt, Ended(record))

    async def known(self, of: Callback) -> None:
        """Wake the engine, and wait until it has found that a wish comes too late for the attempt under way."""
        self.engine.poke()
        await self.seen.until(lambda: of.id in self.seen.too_late)


@asynccontextmanager
async def house(folder: Path, of: Directory) -> AsyncIterator[House]:
    """An engine at work, both PBXs up, no agent in sight yet."""
    seen, clock = Seen(), Clock()
    async with Watched.open(folder / "dialer.db", exclusive=True, now=clock.now) as store:
        store.seen = seen
        rules = Rules(agent_rest=REST)
        engine = Engine(directory=of, store=store, clock=clock, rules=rules, alerts=Alerts())
        for name in ("one", "two"):
            engine.attach(cast("Pbx", Switch(name, seen.ordered)))
        running = asyncio.create_task(engine.run())
        await engine.started.wait()
        for name in ("one", "two"):
            engine.pbx_up(name, "boot")
        try:
            yield House(engine, store, clock, seen)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


# --- wishes ----------------------------------------------------------------------------------------------------------


async def _cancel(store: SqlStore, of: Callback) -> object:
    return await store.cancel(of.id, "no time")


async def _object(store: SqlStore, of: Callback) -> object:
    return await store.object_to(of.visitor.phone, "ann", "asked us to stop")


async def _call_in(store: SqlStore, of: Callback) -> object:
    return await store.customer_called_in(of.visitor.phone, [of.department])


async def _move(store: SqlStore, of: Callback) -> object:
    return await store.reschedule(of.id, NOON + 30 * MINUTE, None, None)


@pytest.mark.parametrize("wish", [_cancel, _object, _call_in, _move], ids=lambda wish: wish.__name__)
async def test_an_agent_is_not_kept_for_a_callback_that_does_not_come_back_now(
    tmp_path: Path, wish: Callable[[SqlStore, Callback], Awaitable[object]]
) -> None:
    one, two = callback(1), callback(2)
    async with house(tmp_path, directory()) as at:
        at.idle("anna")
        await at.add(one)
        order = await at.seen.order(one)
        await wish(at.store, one)
        await at.known(one)
        await at.store.add([two])
        at.end(order, JournalStep.CUSTOMER_DIALLED, dialled="CONGESTION", cause=34)
        assert (await at.seen.order(two)).agent_endpoint == "PJSIP/anna"


async def test_what_was_moved_is_dialled_at_its_new_time_though_the_old_one_ran_out(tmp_path: Path) -> None:
    again = RetryRule({Outcome.AGENT_BUSY: (Delay(MINUTE),)}, 3, 10)
    one = callback(1, expires_at=NOON + MINUTE)
    async with house(tmp_path, directory(sales={"retry": again})) as at:
        at.idle("anna", "eve")
        await at.add(one)
        order = await at.seen.order(one)
        await at.store.reschedule(one.id, NOON, NOON + 30 * MINUTE, NOON)
        await at.known(one)
        at.clock.at = NOON + 2 * MINUTE
        at.end(order, JournalStep.AGENT_RINGING, cause=17)
        assert (await at.seen.order(one)).agent_endpoint != order.agent_endpoint, "the other rests"
        found = await at.store.get(one.id)
        assert found is not None
        assert found.expires_at == NOON + 30 * MINUTE


async def test_a_wish_of_a_callback_whose_pbx_is_no_longer_configured_waits_for_a_person_with_it(
    tmp_path: Path,
) -> None:
    one, two = callback(1), callback(2)
    async with Watched.open(tmp_path / "dialer.db", exclusive=True, now=Clock().now) as store:
        store.seen = Seen()
        await store.add([one])
        assert await store.claim(Claim(one, replace(attempt_at(one), agent="anna", pbx="gone")))
        await store.cancel(one.id, "no time")
    async with house(tmp_path, directory()) as at:
        at.idle("anna", "eve")
        await at.add(two)
        await at.seen.order(two)
        found = await at.store.get(one.id)
        assert found is not None
        assert (found.status, found.wish and found.wish.kind) == (Status.NEEDS_REVIEW, WishKind.CANCEL)


# --- refused claims --------------------------------------------------------------------------------------------------


async def unknown_attempt(at: House, agent: str) -> Attempt:
    """An open attempt of an agent, written by somebody else while the engine runs."""
    elsewhere = callback(90, "elsewhere")
    await at.store.add([elsewhere])
    made = replace(attempt_at(elsewhere), agent=agent)
    assert await SqlStore.claim(at.store, Claim(elsewhere, made))
    return made


async def test_a_callback_that_the_store_refuses_to_one_agent_goes_to_the_next_at_once(tmp_path: Path) -> None:
    one = callback(1)
    async with house(tmp_path, directory(sales={"order": AgentOrder.RING_ORDER})) as at:
        await unknown_attempt(at, "anna")
        at.idle("anna", "eve")
        await at.add(one)
        assert (await at.seen.order(one)).agent_endpoint == "PJSIP/eve"
        assert at.seen.claims == [("anna", False), ("eve", True)]


async def test_an_agent_whom_the_store_refuses_is_asked_for_again_after_a_rest_only(tmp_path: Path) -> None:
    one, two = callback(1), callback(2, "support")
    async with house(tmp_path, directory()) as at:
        unknown = await unknown_attempt(at, "anna")
        at.idle("anna", "ben")
        await at.add(one)
        await at.seen.until(lambda: bool(at.seen.refusals))
        await at.add(two)
        await at.seen.order(two)
        assert at.seen.refusals == ["anna"]
        over = NextStep(Status.COMPLETED, NOON, "connected", 1, 0)
        await at.store.finish(ended(unknown), over)
        at.clock.at = NOON + REST
        at.engine.poke()
        assert (await at.seen.order(one)).agent_endpoint == "PJSIP/anna"
        assert at.seen.refusals == ["anna"]


async def test_a_callback_that_was_changed_meanwhile_costs_its_agent_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = callback(1), callback(2, due=NOON - SECOND)
    claim = Watched.claim

    async def cancelled_first(store: Watched, wanted: Claim) -> bool:
        if wanted.callback.id == one.id:
            await store.cancel(one.id, "just in time")
            await store.add([two])
        return await claim(store, wanted)

    monkeypatch.setattr(Watched, "claim", cancelled_first)
    async with house(tmp_path, directory()) as at:
        at.idle("anna")
        await at.add(one)
        assert (await at.seen.order(two)).agent_endpoint == "PJSIP/anna"
        assert at.seen.claims == [("anna", False), ("anna", True)]


# --- deadlines -------------------------------------------------------------------------------------------------------


async def test_a_call_of_a_department_that_is_no_longer_configured_has_a_deadline_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = callback(1, "old")
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as store:
        await store.add([old])
        assert await store.claim(Claim(old, replace(attempt_at(old), agent="anna", pbx="one")))
    async with house(tmp_path, directory()) as at:
        loop = asyncio.get_running_loop()
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + 600)
        with capture_logs() as logs:
            at.engine.sweep()
        assert [line["callback"] for line in logs if line["event"] == "attempt.overdue"] == [old.id]


# --- alerts ----------------------------------------------------------------------------------------------------------


async def test_a_store_that_can_be_read_again_is_no_alert_any_more_though_nothing_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, directory()) as at:
        read, reads = at.store.wishes, 0

        async def wishes() -> list[Callback]:
            nonlocal reads
            reads += 1
            at.seen.changed.set()
            if reads == 1:
                raise StoreError("the disk refused to be read or written")
            return await read()

        monkeypatch.setattr(at.store, "wishes", wishes)
        with capture_logs() as logs:
            at.engine.poke()
            await at.seen.until(lambda: reads == 1)
            at.clock.at += 6 * SECOND
            for count in (2, 3):  # when it is read once more, the round before is over
                at.engine.poke()
                await at.seen.until(lambda count=count: reads == count)  # type: ignore[misc]  # bound at once
        told = [line["event"] for line in logs if line["event"].startswith("alert.")]
        assert told == ["alert.raised", "alert.cleared"]


async def test_an_agent_whom_an_earlier_run_paused_is_alerted_to_until_somebody_resumes_them(tmp_path: Path) -> None:
    anna, ben = Stop(Scope.AGENT, "anna"), Stop(Scope.AGENT, "ben")
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as store:
        await store.pause(anna, BY_ITSELF, "nobody answered")
        await store.pause(ben, "carol", "lunch")
    with capture_logs() as logs:
        async with house(tmp_path, directory()) as at:
            await at.store.resume(anna, "carol")
            await at.store.resume(ben, "carol")
            at.idle("anna")
            await at.add(callback(1))
            await at.seen.order(callback(1))
    told = [(line["event"], line["key"], line["what"]) for line in logs if line["event"].startswith("alert.")]
    what = "agent anna is paused: nobody answered"
    assert told == [("alert.raised", "anna", what), ("alert.cleared", "anna", what)]
