"""After a gap: what lives is adopted, what ended is settled, what never reached its customer is released.

A real daemon and a real Asterisk; the far end's records say who was rung, and how often.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ulid import ULID

from dialer.alerts import Alerts
from dialer.ami.gateway import Gateway
from dialer.domain.attempt import Attempt, State
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import EVERYTHING
from dialer.engine import attempts as attempts_module
from dialer.engine.engine import Engine, Rules
from dialer.engine.ports import Claim
from dialer.settings import load
from dialer.store.store import SqlStore
from tests.asterisk.driving import config
from tests.asterisk.proxy import Proxy
from tests.chaos.zombies import AGENTS as POOL
from tests.chaos.zombies import AT_ONCE, MOMENTS, Books, control, on_their_way, one_round
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import at_rest, quiet
from tests.rig import Daemon, Department, House, request
from tests.rig.daemon import until

MakeHouse = Callable[..., House]
AGENTS = ("anna", "ben", "cleo", "dan", "eve", "finn", "gus", "hana")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create(agents=(*AGENTS, *POOL)) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    await at_rest(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(**more: Any) -> House:
        return House(lab, tmp_path, [Department("sales", AGENTS, retry=AT_ONCE)], **more)

    return make


def intent(callback: Callback, boot: str) -> Attempt:
    """The row that a daemon leaves behind that dies right after its intent became durable."""
    now = datetime.now(UTC)
    return Attempt(
        id=AttemptId(str(ULID())),
        callback_id=callback.id,
        number=callback.attempts + 1,
        department="sales",
        pbx="main",
        pbx_boot=boot,
        agent="anna",
        trunk="carrier",
        caller_id="+442079460100",
        dialled=callback.visitor.phone,
        due_at=callback.due_at,
        ready_at=now,
        created_at=now,
    )


@pytest.mark.parametrize("restarted", [False, True], ids=["same-boot", "asterisk-restarted"])
async def test_an_intent_that_was_never_sent_is_released_and_the_callback_placed_once(
    lab: Lab,
    house: MakeHouse,
    restarted: bool,  # noqa: FBT001  # a parameter
) -> None:
    number = f"+44116496010{int(restarted)}"
    lab.customer(number, Customer.answer(talk_ms=500))
    with Daemon(house()) as daemon:
        boot = (await daemon.until_logged("pbx.ready"))["boot"]
        assert daemon.cli("pause").returncode == 0
        await daemon.until_logged("engine.paused")
        (id_,) = daemon.submit([request(number)])
        daemon.kill()
        async with daemon.store() as store:
            callback = await store.get(id_)
            assert callback is not None
            left = intent(callback, "2001-01-01 00:00:00" if restarted else boot)
            assert await store.claim(Claim(callback, left))
            await store.resume(EVERYTHING, "test")
        daemon.start()
        rows = await daemon.until_settled([id_], final=True)
        assert rows[id_].status is Status.COMPLETED
        assert await daemon.outcomes(id_) == [Outcome.NOT_PLACED, Outcome.CONNECTED]
        assert len(daemon.logged("pbx.revoking")) == (0 if restarted else 1), "a restart alone proves it"
        first, _ = await daemon.attempts(id_)
        assert [step.name for step in first.timeline] == ["released"]
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 1


@pytest.mark.parametrize("moment", MOMENTS)
async def test_zombie_originates_ring_no_customer_twice(lab: Lab, tmp_path: Path, moment: str) -> None:
    """The daemon dies while its Originates are on their way; they arrive before, while or after its successor revokes
    them. A sample of `make zombies`."""
    numbers = [f"+441164960{MOMENTS.index(moment) + 5}{index:02}" for index in range(8)]
    books = Books()
    await one_round(lab, tmp_path, numbers, moment, books)
    assert books.rung == dict.fromkeys(numbers, 1)
    assert (books.zombies, books.replays, books.lost) == (8, 8, 0)


async def test_an_agent_is_not_left_to_answer_what_comes_late(lab: Lab, tmp_path: Path) -> None:
    numbers = [f"+4411649608{index:02}" for index in range(4)]
    for agent in POOL:
        lab.agent(agent, Agent.accept(ring_ms=3000))
    house = House(lab, tmp_path, [Department("sales", POOL, retry=AT_ONCE)], log_level="info")
    async with on_their_way(lab, house, numbers) as (proxy, daemon, callbacks):
        daemon.start()
        await daemon.until_settled(callbacks, final=True)
        proxy.release()
        await daemon.until_logged("attempt.came_late", count=len(numbers))
        await quiet(lab)
        assert daemon.stop() == 0
    agents = [call for call in lab.far_end_calls() if call.who == "agent" and call.callback_id in callbacks]
    assert sorted(call.disposition for call in agents) == ["ANSWERED"] * 4 + ["NO ANSWER"] * 4
    assert [lab.rung(number) for number in numbers] == [1] * 4


async def test_without_a_revocation_the_same_zombies_ring_twice(lab: Lab, tmp_path: Path) -> None:
    """The control: so the test above can fail."""
    numbers = [f"+4411649603{index:02}" for index in range(3)]
    assert await control(lab, tmp_path, numbers) == len(numbers)


async def test_a_link_cut_before_the_acknowledgement_leaves_the_call_to_be_adopted(lab: Lab, house: MakeHouse) -> None:
    number = "+441164960401"
    lab.customer(number, Customer.answer(talk_ms=3000))
    async with Proxy(lab.ami.host, lab.ami.port) as proxy:
        with Daemon(replace(house(), port=proxy.port)) as daemon:
            await daemon.until_logged("pbx.ready")
            proxy.cut_at = b"Action: Originate"
            (callback,) = daemon.submit([request(number)])
            await daemon.until_logged("pbx.ready", count=2)
            rows = await daemon.until_settled([callback])
            assert rows[callback].status is Status.COMPLETED
            (attempt,) = await daemon.attempts(callback)
            assert attempt.verdict is not None
            assert attempt.verdict.talk.total_seconds() == pytest.approx(3, abs=0.5)
            assert daemon.stop() == 0
    assert lab.rung(number) == 1


async def test_an_adopted_call_stands_where_the_journal_says(lab: Lab, house: MakeHouse) -> None:
    """The daemon was away while the call went from the whisper to the bridge: it is not taken for overdue later."""
    number = "+441164960402"
    lab.customer(number, Customer.answer(talk_ms=6000))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_step(callback, "agent_ringing")
        daemon.kill()
        await until(lambda: "answered|" in lab.pbx.cli("database show mi"), 15, "the customer answers")
        daemon.start()
        adopted = await daemon.until_step(callback, "bridged")
        assert adopted.state is State.BRIDGED
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert daemon.stop() == 0
    assert lab.rung(number) == 1


async def test_a_call_that_takes_too_long_is_looked_at_and_then_ended(
    lab: Lab, house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, so that patience can be taken away: the first sweep only looks, the second ends the call."""
    number = "+441164960403"
    lab.customer(number, Customer.answer())
    settings = load(house().write())
    async with SqlStore.open(settings.database, exclusive=True) as store:
        engine = Engine(directory=settings.directory(), store=store, clock=_Clock(), rules=Rules(), alerts=Alerts())
        gateway = Gateway(replace(config(lab), name="main"), ["PJSIP/anna"], engine, Random(1))
        engine.attach(gateway)
        running = [asyncio.create_task(engine.run())]
        await engine.started.wait()
        running.append(asyncio.create_task(gateway.run()))
        now = datetime.now(UTC)
        callback = Callback(
            CallbackId(str(ULID())), "shop", "sales", Visitor(number), now, None, now - timedelta(seconds=1)
        )
        await store.add([callback])
        engine.poke()
        await _until_state(store, callback.id, State.BRIDGED)
        monkeypatch.setattr(attempts_module, "patience", lambda *_: timedelta(0))
        (still,) = await store.attempts(callback.id)
        engine.sweep()
        await gateway.traces([still.id])  # asked on the same link: what the sweep asked for was done before
        assert still.id not in lab.pbx.cli("database show mi-no"), "the first sweep only looks"
        engine.sweep()
        await _until_state(store, callback.id, State.ENDED)
        assert still.id in lab.pbx.cli("database show mi-no")
        (done,) = await store.attempts(callback.id)
        assert done.verdict is not None
        assert done.verdict.outcome is Outcome.CONNECTED
        for task in reversed(running):
            task.cancel()
        await asyncio.wait(running)
    await quiet(lab)
    assert lab.rung(number) == 1


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def _until_state(store: SqlStore, callback: CallbackId, state: State) -> None:
    async with asyncio.timeout(20):
        while True:
            if any(attempt.state is state for attempt in await store.attempts(callback)):
                return
            await asyncio.sleep(0.05)
