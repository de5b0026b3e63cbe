"""What an Asterisk's own life does to calls: stops, crashes, reloads, another secret, another dialplan.

A real daemon and a real Asterisk; the far end's records say who was rung, and how often.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.ami.messages import DIALPLAN_VERSION
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId, channel_id
from dialer.domain.outcome import Outcome
from tests.asterisk.proxy import Proxy
from tests.lab import Agent, Behaviour, Customer, Lab
from tests.lab.config import SHIPPED
from tests.lab.waiting import at_rest, quiet, until
from tests.rig import Daemon, Department, House

AGENTS = ("anna", "ben", "cleo")
LATER = tuple(f"+4415149601{index:02}" for index in range(4))  # customers of the calls that have to wait


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of this file's own: its Asterisk is stopped, killed and reconfigured."""
    with Lab.create(agents=AGENTS) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    """Every test begins with a PBX that runs and phones that accept."""
    await at_rest(lab)
    for number in LATER:
        lab.customer(number, Customer.answer(talk_ms=300))


@pytest.fixture
async def proxy(lab: Lab) -> AsyncIterator[Proxy]:
    async with Proxy(lab.ami.host, lab.ami.port) as relay:
        yield relay


@pytest.fixture
def house(lab: Lab, proxy: Proxy, tmp_path: Path) -> House:
    pbx = {"ping_seconds": 0.5, "action_timeout_seconds": 2, "login_retry_seconds": 0.5}
    return House(lab, tmp_path, [Department("sales", AGENTS, retry={"not_placed": ["0s"]})], port=proxy.port, pbx=pbx)


@asynccontextmanager
async def started(house: House) -> AsyncIterator[Daemon]:
    """A daemon that is ready, and that ends in order when the test has passed."""
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        yield daemon
        assert daemon.stop() == 0


async def submitted(daemon: Daemon, *numbers: str) -> list[CallbackId]:
    """A callback for each number; the relay goes on meanwhile."""
    return await asyncio.to_thread(daemon.submit, [{"department": "sales", "phone": number} for number in numbers])


async def talking(daemon: Daemon, lab: Lab, number: str, talk_ms: int) -> CallbackId:
    """A call that is up."""
    lab.customer(number, Customer.answer(talk_ms=talk_ms))
    (callback,) = await submitted(daemon, number)
    await daemon.until_step(callback, "bridged")
    return callback


async def attempts(daemon: Daemon, callback: CallbackId, status: Status) -> list[Attempt]:
    """All attempts of a callback that has come to this status."""
    rows = await daemon.until_settled([callback], final=status is not Status.NEEDS_REVIEW)
    assert rows[callback].status is status
    return await daemon.attempts(callback)


def outcomes(tried: list[Attempt]) -> list[Outcome]:
    return [attempt.verdict.outcome for attempt in tried if attempt.verdict]


async def connected_once(daemon: Daemon, lab: Lab, callback: CallbackId, number: str) -> float:
    """The callback's only attempt went through, and its customer was rung once; the talk, s."""
    (attempt,) = await attempts(daemon, callback, Status.COMPLETED)
    assert outcomes([attempt]) == [Outcome.CONNECTED]
    await quiet(lab)
    assert lab.rung(number) == 1
    assert attempt.verdict is not None
    return attempt.verdict.talk.total_seconds()


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "agent", "customer"),
    [
        ("agent_ringing", Agent.accept(ring_ms=4000, talk_ms=500), Customer.answer()),
        ("agent_answered", Agent.accept(press_ms=4000, talk_ms=500), Customer.answer()),
        ("customer_ringing", Agent.accept(talk_ms=6000), Customer.answer(ring_ms=4000, talk_ms=500)),
    ],
)
async def test_killed_before_the_customer_is_dialled_it_is_dialled_again_and_later_a_person_is_asked(
    lab: Lab, house: House, phase: str, agent: Behaviour, customer: Behaviour
) -> None:
    """What counts is what the journal had brought to disk when Asterisk died."""
    number = "+4415149600" + str(10 + len(phase))
    for each in lab.agents:
        lab.agent(each, agent)  # a PBX that is killed tells nobody: the phones hang up by themselves in time
    lab.customer(number, customer)
    async with started(house) as daemon:
        (callback,) = await submitted(daemon, number)
        attempt = await daemon.until_step(callback, phase)
        await asyncio.to_thread(lab.pbx.kill)
        for each in lab.agents:
            lab.agent(each, Agent.accept())
        lab.customer(number, Customer.answer(talk_ms=500))
        await asyncio.to_thread(lab.pbx.start)
        dialled = phase == "customer_ringing"
        journalled = channel_id(attempt.id) in lab.pbx.cli("database show mi")
        assert journalled or not dialled, "the customer's leg waits for the journal"
        if journalled:
            tried = await attempts(daemon, callback, Status.NEEDS_REVIEW)
            assert outcomes(tried) == [Outcome.IN_DOUBT]
        else:
            tried = await attempts(daemon, callback, Status.COMPLETED)
            assert outcomes(tried) == [Outcome.NOT_PLACED, Outcome.CONNECTED]
    await quiet(lab)
    assert lab.rung(number) == int(dialled or not journalled)


# --- stopped in order ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False], ids=["told", "journal"])
async def test_stopped_gracefully_the_call_goes_on_and_nothing_is_claimed(
    lab: Lab,
    proxy: Proxy,
    house: House,
    told: bool,  # noqa: FBT001  # a parameter
) -> None:
    """Its end is told, or, when the link broke meanwhile, found in the journal after the restart."""
    number, next_number = f"+44151496002{int(told)}", LATER[told]
    async with started(house) as daemon:
        callback = await talking(daemon, lab, number, talk_ms=4000)
        stopping = asyncio.create_task(asyncio.to_thread(lab.pbx.stop, gracefully=True))
        down = await daemon.until_logged("pbx.down")
        assert down["why"] == "the PBX is shutting down: it takes no new calls"
        if not told:
            proxy.fall_silent()
        (waiting,) = await submitted(daemon, next_number)
        await stopping
        assert await daemon.attempts(waiting) == []
        if told:
            await daemon.until_logged("attempt.ended")
        else:
            assert daemon.logged("attempt.ended") == []
            proxy.mend()
        await asyncio.to_thread(lab.pbx.start)
        assert await connected_once(daemon, lab, callback, number) == pytest.approx(4, abs=0.5)
        await connected_once(daemon, lab, waiting, next_number)


# --- reconfigured ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def changed(lab: Lab, name: str, old: str, new: str, reload: str) -> AsyncIterator[None]:
    """A file of the PBX's configuration with another text in it, reloaded, until it is put back."""
    path = lab.root / "pbx" / "etc" / name
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    await asyncio.to_thread(lab.pbx.cli, reload)
    try:
        yield
    finally:
        path.write_text(before)
        await asyncio.to_thread(lab.pbx.cli, reload)


def refusals(daemon: Daemon, text: str) -> int:
    """How often it said that there is no session for this reason."""
    return sum(text in line["reason"] for line in daemon.logged("no session with the PBX"))


async def test_another_secret_under_a_call_is_waited_out(lab: Lab, proxy: Proxy, house: House) -> None:
    number, next_number = "+441514960041", LATER[2]
    async with started(house) as daemon:
        callback = await talking(daemon, lab, number, talk_ms=5000)
        async with changed(lab, "manager_mi.conf", lab.ami.secret, "another-secret", "manager reload"):
            proxy.asked.clear()
            proxy.break_all()
            await until(lambda: proxy.asked.count(b"Action: Login") >= 3)
            (waiting,) = await submitted(daemon, next_number)
            assert refusals(daemon, "it refuses our user or secret") == 1, "tried again, said once"
            assert len(daemon.logged("pbx.ready")) == 1
            assert await daemon.attempts(waiting) == []
        ready = await daemon.until_logged("pbx.ready", count=2)
        assert ready["calls_in_progress"] == 1, "adopted"
        await connected_once(daemon, lab, callback, number)
        await connected_once(daemon, lab, waiting, next_number)


async def test_a_dialplan_reloaded_under_calls_changes_nothing(lab: Lab, house: House) -> None:
    number, early = "+441514960051", "+441514960052"
    async with started(house) as daemon:
        lab.agent("ben", Agent.accept(press_ms=3000))
        lab.customer(early, Customer.answer(talk_ms=500))
        callback = await talking(daemon, lab, number, talk_ms=5000)
        (whispered,) = await submitted(daemon, early)
        await daemon.until_step(whispered, "agent_answered")
        await asyncio.to_thread(lab.pbx.cli, "dialplan reload")
        assert len(await attempts(daemon, whispered, Status.COMPLETED)) == 1
        assert await connected_once(daemon, lab, callback, number) == pytest.approx(5, abs=0.5)
        assert lab.rung(early) == 1
        assert len(daemon.logged("pbx.ready")) == 1


async def test_a_dialplan_of_another_version_under_a_call_is_waited_out(
    lab: Lab, proxy: Proxy, house: House, tmp_path: Path
) -> None:
    number, next_number = "+441514960061", LATER[3]
    shipped = SHIPPED / "extensions_mi.conf"
    other = tmp_path / "extensions_mi.conf"
    other.write_text(shipped.read_text().replace(f"MI_DIALPLAN_VERSION={DIALPLAN_VERSION}", "MI_DIALPLAN_VERSION=99"))
    async with started(house) as daemon:
        callback = await talking(daemon, lab, number, talk_ms=4000)
        async with changed(lab, "extensions.conf", str(shipped), str(other), "dialplan reload"):
            assert await connected_once(daemon, lab, callback, number) == pytest.approx(4, abs=0.5)
            proxy.asked.clear()
            proxy.break_all()
            await until(lambda: proxy.asked.count(b"Action: Login") >= 3)
            (waiting,) = await submitted(daemon, next_number)
            assert refusals(daemon, "its dialplan is of version 99") == 1, "tried again, said once"
            assert await daemon.attempts(waiting) == []
        await daemon.until_logged("pbx.ready", count=2)
        await connected_once(daemon, lab, waiting, next_number)
