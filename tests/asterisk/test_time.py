"""The wall clock is set, or the whole process stands still: what is due comes once, at its time, and calls go on.

A real daemon whose wall clock is moved by libfaketime; its monotonic clock goes on, as it does on a host.
"""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.asterisk.proxy import Proxy
from tests.chaos.recovery import end_all
from tests.lab import Agent, Customer, Lab
from tests.lab.calls import FarCall
from tests.lab.waiting import at_rest, quiet
from tests.rig import Daemon, Department, House, request
from tests.rig.daemon import until

MakeHouse = Callable[..., House]
AGENTS = ("anna", "ben", "cleo")
CROWD = tuple(f"t{index:02}" for index in range(40))
HOUR = 3600
NEVER = {"poll_floor_seconds": 3600}
"""The floor does not come round within a test: what happens, happens because the clock was seen to be set."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create(agents=(*AGENTS, *CROWD)) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    await at_rest(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(*agents: str, **more: Any) -> House:
        return House(lab, tmp_path, [Department("sales", agents or AGENTS, retry=more.pop("retry", {}))], **more)

    return make


class WallClock:
    """The wall clock of one process; `set_to` is seconds from the host's."""

    def __init__(self, folder: Path, at: int = 0) -> None:
        self._file = folder / "wall-clock"
        folder.mkdir(parents=True, exist_ok=True)
        self.set_to(at)
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set_to(self, seconds: int) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(f"{seconds:+d}\n")
        written.replace(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


def at(**ahead: float) -> str:
    """A time to call at, as a visitor would give it."""
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


async def talk_seconds(daemon: Daemon, callback: CallbackId) -> float:
    """How long the one connected attempt of a callback talked."""
    (attempt,) = await daemon.attempts(callback)
    assert attempt.verdict is not None
    assert attempt.verdict.outcome is Outcome.CONNECTED
    return attempt.verdict.talk.total_seconds()


def far_call(lab: Lab, number: str) -> FarCall:
    """The one call that this customer had."""
    (call,) = (call for call in lab.far_end_calls() if call.who == "customer" and call.dialled == number)
    return call


async def add_unannounced(store: SqlStore, number: str, due: datetime) -> CallbackId:
    """A callback in the store of which nobody tells the daemon: only its poll floor finds it."""
    id_ = CallbackId(str(ULID()))
    await store.add([Callback(id_, "shop", "sales", Visitor(number), datetime.now(UTC), None, due)])
    return id_


# --- the wall clock is set -------------------------------------------------------------------------------------------


async def test_set_forward_past_a_due_time_the_callback_is_placed_at_once_and_once(
    lab: Lab, house: MakeHouse, clock: WallClock
) -> None:
    number, later = "+441174960700", "+441174960701"
    lab.customer(number, Customer.answer(talk_ms=500))
    with Daemon(house(daemon=NEVER), clock.environment) as daemon:
        await daemon.until_logged("pbx.ready")
        soon, tomorrow = daemon.submit([request(number, at=at(minutes=30)), request(later, at=at(hours=20))])
        clock.set_to(HOUR)
        rows = await daemon.until_settled([soon], 15)
        assert rows[soon].status is Status.COMPLETED
        assert [line["seconds"] for line in daemon.logged("clock.stepped")] == [HOUR]
        clock.set_to(0)
        await daemon.until_logged("clock.stepped", count=2)
        (marker,) = daemon.submit([request("+441174960702")])
        await daemon.until_settled([marker])
        assert await daemon.attempts(tomorrow) == []
        assert daemon.stop() == 0
    await quiet(lab)
    assert (lab.rung(number), lab.rung(later)) == (1, 0)


async def test_set_back_calls_go_on_and_so_does_periodic_work(lab: Lab, house: MakeHouse, clock: WallClock) -> None:
    talking, found, waiting = "+441174960710", "+441174960711", "+441174960712"
    lab.customer(talking, Customer.answer())
    lab.customer(found, Customer.answer(talk_ms=500))
    with Daemon(house(daemon={"poll_floor_seconds": 1}), clock.environment) as daemon:
        await daemon.until_logged("pbx.ready")
        (call,) = daemon.submit([request(talking)])
        await daemon.until_step(call, "bridged")
        clock.set_to(-HOUR)
        stepped = await daemon.until_logged("clock.stepped")
        assert stepped["seconds"] == -HOUR
        async with daemon.store() as store:
            an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
            early = await add_unannounced(store, waiting, an_hour_ago + timedelta(minutes=1))
            due = await add_unannounced(store, found, an_hour_ago - timedelta(hours=1))
        await daemon.until_settled([due], 20)
        await end_all(lab)
        await daemon.until_settled([call], 20)
        assert await daemon.attempts(early) == []
        assert await talk_seconds(daemon, call) == pytest.approx(far_call(lab, talking).billsec, abs=0.5)
        assert daemon.logged("attempt.overdue") == []
        assert daemon.stop() == 0
    await quiet(lab)
    assert [lab.rung(number) for number in (talking, found, waiting)] == [1, 1, 0]


async def test_set_back_a_resting_agent_is_not_left_out_for_an_hour(
    lab: Lab, house: MakeHouse, clock: WallClock
) -> None:
    number = "+441174960720"
    lab.customer(number, Customer.answer(talk_ms=500))
    lab.agent("anna", Agent.declined())
    rest = {"agent_rest_seconds": 10, **NEVER}
    with Daemon(house("anna", daemon=rest, retry={"agent_declined": ["0s"]}), clock.environment) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number, at=at(minutes=-0.5))])
        await daemon.until_logged("attempt.ended")
        lab.agent("anna", Agent.accept())
        async with daemon.store() as store:
            other = await add_unannounced(store, number, datetime.now(UTC) - timedelta(hours=2))
        clock.set_to(-HOUR)
        rows = await daemon.until_settled([other], 30)
        assert rows[other].status is Status.COMPLETED
        assert len(await daemon.attempts(callback)) == 1, "by this clock it is due in an hour"
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 1


@pytest.mark.parametrize("ahead", [-HOUR, HOUR], ids=["behind", "ahead"])
async def test_a_clock_that_disagrees_with_the_pbx_places_calls_all_the_same(
    lab: Lab, house: MakeHouse, clock: WallClock, ahead: int
) -> None:
    """The PBX refuses what comes after `place_by`, by its own clock: so it is that clock by which it is reckoned."""
    number = f"+44117496073{int(ahead > 0)}"
    lab.customer(number, Customer.answer(talk_ms=2000))
    clock.set_to(ahead)
    with Daemon(house(), clock.environment) as daemon:
        await daemon.until_logged("pbx.ready")
        async with daemon.store() as store:
            callback = await add_unannounced(store, number, datetime.now(UTC) - timedelta(hours=2))
        daemon.poke()
        rows = await daemon.until_settled([callback], 30)
        assert rows[callback].status is Status.COMPLETED
        assert await talk_seconds(daemon, callback) == pytest.approx(far_call(lab, number).billsec, abs=0.5)
        (attempt,) = await daemon.attempts(callback)
        assert attempt.place_by is not None
        assert abs(attempt.place_by - datetime.now(UTC)) < timedelta(minutes=3), "by the PBX's clock"
        assert daemon.stop() == 0
    assert lab.rung(number) == 1


# --- the process stands still ----------------------------------------------------------------------------------------


async def test_after_a_standstill_calls_are_settled_and_no_agent_gets_two(lab: Lab, house: MakeHouse) -> None:
    """Calls went on and ended, and a callback for each of forty agents, and as many again, became due meanwhile."""
    before = [f"+44117496074{index}" for index in range(3)]
    due = [f"+44118496{index:04}" for index in range(700, 780)]
    for number in before:
        lab.customer(number, Customer.answer(talk_ms=6000))
    for number in due:
        lab.customer(number, Customer.answer(talk_ms=1500))
    # As a trunk is paced unless it says otherwise: with forty calls in one moment Asterisk misses agents' keys.
    with Daemon(house(*CROWD, trunks={"carrier": {"calls_per_second": 10}})) as daemon:
        await daemon.until_logged("pbx.ready")
        calls = daemon.submit([request(number) for number in before])
        for call in calls:
            await daemon.until_step(call, "bridged")
        daemon.signal(signal.SIGSTOP)
        waiting = daemon.submit([request(number) for number in due])
        await quiet(lab)
        assert [await daemon.attempts(each) for each in waiting] == [[]] * len(due), "nobody is there to dial"
        daemon.signal(signal.SIGCONT)
        await daemon.until_settled([*calls, *waiting], 60)
        for call, number in zip(calls, before, strict=True):
            assert await talk_seconds(daemon, call) == pytest.approx(far_call(lab, number).billsec, abs=0.5)
        assert daemon.logged("clock.stepped") == [], "both clocks went on"
        assert daemon.stop() == 0
    await quiet(lab)
    assert {number: lab.rung(number) for number in (*before, *due)} == dict.fromkeys((*before, *due), 1)
    agents = [call for call in lab.far_end_calls() if call.who == "agent" and call.callback_id in waiting]
    for agent in CROWD:
        own = sorted((call for call in agents if call.dialled == agent), key=lambda call: call.start)
        assert all(after.answer and earlier.end <= after.answer for earlier, after in pairwise(own)), "one at a time"


async def test_a_link_that_was_cut_in_a_standstill_is_rebuilt(lab: Lab, house: MakeHouse) -> None:
    """As Asterisk does with a session that does not read for longer than `writetimeout`."""
    number = "+441174960751"
    lab.customer(number, Customer.answer(talk_ms=3000))
    async with Proxy(lab.ami.host, lab.ami.port) as proxy:
        with Daemon(replace(house(), port=proxy.port)) as daemon:
            await daemon.until_logged("pbx.ready")
            (callback,) = daemon.submit([request(number)])
            await daemon.until_step(callback, "bridged")
            daemon.signal(signal.SIGSTOP)
            proxy.break_all()
            await quiet(lab)
            daemon.signal(signal.SIGCONT)
            await daemon.until_logged("pbx.ready", count=2)
            await daemon.until_settled([callback])
            assert await talk_seconds(daemon, callback) == pytest.approx(far_call(lab, number).billsec, abs=0.5)
            assert daemon.stop() == 0
    assert lab.rung(number) == 1


async def test_stopped_with_its_originate_unanswered_it_knows_the_call_again(lab: Lab, house: MakeHouse) -> None:
    """The answer came while it stood still, and so did its time-out: what it cannot know, it looks up."""
    number = "+441174960750"
    lab.customer(number, Customer.answer(talk_ms=7000))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        lab.pbx.signal(signal.SIGSTOP)
        try:
            (callback,) = daemon.submit([request(number)])
            await daemon.until_logged("attempt.placed")
            daemon.signal(signal.SIGSTOP)
        finally:
            lab.pbx.signal(signal.SIGCONT)
        await until(lambda: lab.channels()["pbx"] == 2, 15, "the call comes up by itself")
        await quiet(lab)
        daemon.signal(signal.SIGCONT)
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert await talk_seconds(daemon, callback) == pytest.approx(far_call(lab, number).billsec, abs=0.5)
        assert daemon.stop() == 0
    assert lab.rung(number) == 1
