"""The PBX's database over time: its identity, the keys that go when nobody can ask for them any more, and evidence
that comes late."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ulid import ULID

from dialer.domain.attempt import Attempt, State, Step
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.ids import AttemptId, CallbackId, channel_id
from dialer.domain.outcome import Outcome, Party, verdict
from dialer.engine.ports import Claim
from dialer.engine.tombstones import Tombstones
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore
from tests.asterisk.driving import config, up
from tests.lab import Agent, Customer, Lab
from tests.lab.ami import AmiClient
from tests.lab.attempt import Attempt as Placed
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House
from tests.rig.daemon import until

AGENTS = ("anna", "ben")
DEVICES = ("PJSIP/anna",)
FAMILIES = ("mi", "mi-no")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create(agents=AGENTS) as running:
        yield running


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> House:
    return House(lab, tmp_path, [Department("sales", AGENTS)])


def id_at(moment: datetime) -> AttemptId:
    return AttemptId(str(ULID.from_datetime(moment)))


def keys(lab: Lab) -> str:
    return "".join(lab.pbx.cli(f"database show {family}") for family in FAMILIES)


async def written(lab: Lab, *attempts: AttemptId) -> None:
    """Give each attempt a journal entry and a revocation."""
    async with await AmiClient.connect(lab.ami) as client:
        for attempt in attempts:
            for family in FAMILIES:
                await client.action("DBPut", ("Family", family), ("Key", channel_id(attempt)), ("Val", "ended|1"))


async def stored(store: SqlStore, id_: AttemptId, number: str, outcome: Outcome | None) -> Attempt:
    """An attempt of a callback of its own as an earlier run left it: with this outcome, or open."""
    made = ULID.from_str(id_).datetime
    callback = Callback(CallbackId(str(ULID())), "shop", "sales", Visitor(number), made, None, made)
    await store.add([callback])
    attempt = Attempt(
        id=id_,
        callback_id=callback.id,
        number=1,
        department="sales",
        pbx="main",
        pbx_boot="2001-01-01 00:00:00",
        agent="anna",
        trunk="carrier",
        caller_id="+442079460100",
        dialled=number,
        due_at=made,
        ready_at=made,
        created_at=made,
    )
    assert await store.claim(Claim(callback, attempt))
    if outcome is None:
        return attempt
    last = Step("lost", made, "nobody saw it")
    over = replace(attempt, state=State.ENDED, verdict=verdict(outcome), ended_at=made, timeline=(last,))
    status = Status.NEEDS_REVIEW if outcome is Outcome.IN_DOUBT else Status.COMPLETED
    await store.finish(over, NextStep(status, made, str(outcome), customer_attempts=0, agent_rings=0))
    return over


async def test_a_database_is_known_by_the_same_name_until_it_is_wiped(lab: Lab) -> None:
    async with up(config(lab), DEVICES) as (gateway, _):
        first = gateway.identity
    lab.pbx.restart()
    async with up(config(lab), DEVICES) as (gateway, _):
        assert gateway.identity == first
        assert abs(await gateway.now() - datetime.now(UTC)) < timedelta(seconds=5)
    lab.pbx.cli("database deltree mi")
    async with up(config(lab), DEVICES) as (gateway, _):
        assert gateway.identity not in {first, ""}


async def test_what_a_wiped_journal_would_have_told_is_left_to_a_person(lab: Lab, house: House) -> None:
    number = "+441174960501"
    lab.agent("anna", Agent.busy())
    lab.agent("ben", Agent.busy())
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        lab.agent("anna", Agent.accept(ring_ms=1500))
        lab.agent("ben", Agent.accept(ring_ms=1500))
        (callback,) = daemon.submit([{"department": "sales", "phone": number}])
        await daemon.until_step(callback, "agent_ringing")
        daemon.kill()
        await quiet(lab)
        lab.pbx.cli("database deltree mi")
        daemon.start()
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.NEEDS_REVIEW
        (attempt,) = await daemon.attempts(callback)
        assert attempt.verdict is not None
        assert attempt.verdict.outcome is Outcome.IN_DOUBT
        assert "wiped" in attempt.verdict.detail
        assert daemon.stop() == 0


async def test_old_keys_go_and_young_and_living_ones_stay(lab: Lab, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old, older, open_, young = (id_at(now - age * HOUR) for age in (26, 100, 27, 24))
    orphan, young_orphan = id_at(now - 26 * 24 * HOUR), id_at(now - 2 * HOUR)
    await written(lab, old, older, open_, young, orphan, young_orphan)
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as store:
        for index, id_ in enumerate((old, older, young)):
            await stored(store, id_, f"+44117496051{index}", Outcome.CONNECTED)
        await stored(store, open_, "+441174960520", None)
        tombstones = Tombstones(store)
        async with up(replace(config(lab), name="main"), DEVICES) as (gateway, _):
            for _ in range(80):
                await tombstones.step(gateway, [open_])
    left = keys(lab)
    gone = {name: left.count(id_) for name, id_ in (("old", old), ("older", older), ("orphan", orphan))}
    stays = {name: left.count(id_) for name, id_ in (("open", open_), ("young", young), ("young orphan", young_orphan))}
    assert gone == {"old": 0, "older": 0, "orphan": 0}
    assert stays == {"open": 2, "young": 2, "young orphan": 2}
    assert "/mi/identity" in left


async def test_the_daemon_sweeps_by_itself(lab: Lab, house: House) -> None:
    old = id_at(datetime.now(UTC) - 26 * HOUR)
    await written(lab, old)
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        async with daemon.store() as store:
            await stored(store, old, "+441174960530", Outcome.CONNECTED)
        await until(lambda: old not in keys(lab), 30, "the keys are swept")
        assert daemon.stop() == 0


async def test_a_record_that_is_found_later_amends_what_was_in_doubt(lab: Lab, house: House) -> None:
    number = "+441174960540"
    lab.agent("anna", Agent.accept())
    lab.customer(number, Customer.answer(talk_ms=2000))
    doubtful = id_at(datetime.now(UTC))
    async with SqlStore.open(house.folder / "dialer.db", exclusive=True) as store:
        attempt = await stored(store, doubtful, number, Outcome.IN_DOUBT)
    async with await AmiClient.connect(lab.ami_all) as client:
        placed = Placed("anna", number, id=channel_id(doubtful))
        await placed.originate(client)
        await placed.ended(client)
    with Daemon(house) as daemon:
        await daemon.until_logged("attempt.amended")
        (amended,) = await daemon.attempts(attempt.callback_id)
        async with daemon.store() as store:
            callback = await store.get(attempt.callback_id)
        assert callback is not None
        assert callback.status is Status.COMPLETED
        assert amended.verdict is not None
        assert (amended.verdict.outcome, amended.verdict.hung_up_by) == (Outcome.CONNECTED, Party.CUSTOMER)
        assert amended.verdict.talk.total_seconds() == pytest.approx(2, abs=0.5)
        assert [step.name for step in amended.timeline] == ["lost", "amended"]
        assert daemon.stop() == 0


async def test_an_end_that_is_told_late_amends_too(lab: Lab, house: House) -> None:
    """The daemon runs and holds the attempt for one in doubt when its call ends under its eyes."""
    number = "+441174960541"
    lab.agent("anna", Agent.accept())
    lab.customer(number, Customer.answer(talk_ms=4000))
    doubtful = id_at(datetime.now(UTC))
    async with SqlStore.open(house.folder / "dialer.db", exclusive=True) as store:
        attempt = await stored(store, doubtful, number, Outcome.IN_DOUBT)
    async with await AmiClient.connect(lab.ami_all) as client:
        await Placed("anna", number, id=channel_id(doubtful)).originate(client)
        await until(lambda: f"{doubtful}" in lab.pbx.cli("database show mi"), 10, "the agent has answered")
        with Daemon(house) as daemon:
            await daemon.until_logged("pbx.ready")
            assert not daemon.logged("attempt.amended")
            await daemon.until_logged("attempt.amended")
            (amended,) = await daemon.attempts(attempt.callback_id)
            assert amended.verdict is not None
            assert amended.verdict.outcome is Outcome.CONNECTED
            assert daemon.stop() == 0
