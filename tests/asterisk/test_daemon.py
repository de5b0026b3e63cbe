"""The daemon's life as its administrator sees it: starts, stops, kills, a PBX that goes and comes, and what is told."""

import asyncio
import itertools
import json
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dialer.ami import encode
from dialer.ami.encode import decode_value
from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.routing import context
from dialer.routing.context import page
from dialer.settings import load
from tests.asterisk.test_calls import NOT_AGAIN
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import at_rest, quiet
from tests.rig import Daemon, Department, House, request
from tests.rig.daemon import until
from tests.unit.ami.test_encode import HOSTILE

MakeHouse = Callable[..., House]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of this file's own: its Asterisk is stopped, killed and reconfigured."""
    with Lab.create() as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    """Every test begins with a PBX that runs and phones that accept."""
    await at_rest(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(*departments: Department, **more: Any) -> House:
        return House(lab, tmp_path, departments or [Department("sales", ["anna", "ben"])], **more)

    return make


# --- starting --------------------------------------------------------------------------------------------------------


async def test_started_before_asterisk_it_waits_says_so_once_and_loses_nothing(lab: Lab, house: MakeHouse) -> None:
    lab.pbx.kill()
    number = "+441164960001"
    with Daemon(house()) as daemon:
        told = await daemon.until_logged("no session with the PBX")
        assert told["reason"] == "nothing listens there"
        assert told["level"] == "warning"
        (callback,) = daemon.submit([request(number)])
        lab.pbx.start()
        await daemon.until_logged("pbx.ready")
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert len(daemon.logged("no session with the PBX")) == 1
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 1


async def test_a_wrong_secret_at_the_start_is_said_once_and_ends_it(house: MakeHouse) -> None:
    with Daemon(house(secret="not-the-secret")) as daemon:
        assert daemon.wait() == 2
        last = daemon.log()[-1]["raw"]
        assert last.startswith("dialer: PBX main at 127.0.0.1:")
        assert "it refuses our user or secret" in last
        assert "manager.conf" in last
        assert "not-the-secret" not in daemon.tail(100)
        assert "Traceback" not in daemon.tail(100)


def refused_logins(lab: Lab) -> int:
    """How many logins with a wrong secret the PBX's own log tells of, of late."""
    return lab.pbx.tail(1000).count("failed to authenticate")


async def test_a_secret_changed_later_stops_claims_and_is_tried_again(lab: Lab, house: MakeHouse) -> None:
    files = [path for path in (lab.root / "pbx").rglob("*.conf") if lab.ami.secret in path.read_text()]
    before = {path: path.read_text() for path in files}
    number = "+441164960002"
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        for path, text in before.items():
            path.write_text(text.replace(lab.ami.secret, "another-secret"))
        try:
            await asyncio.to_thread(lab.pbx.restart)
            refused = "it refuses our user or secret"

            def said() -> int:
                return [line["reason"] for line in daemon.logged("no session with the PBX")].count(refused)

            await until(lambda: said() > 0, 30, "the refusal is logged")
            (callback,) = daemon.submit([request(number)])
            # Tried again with the wrong secret, it claims nothing; with the right one it may at once.
            refused_before = refused_logins(lab)
            await until(lambda: refused_logins(lab) > refused_before, 30, "the login is tried again")
            assert await daemon.attempts(callback) == []
            assert said() == 1
        finally:
            for path, text in before.items():
                path.write_text(text)
            await asyncio.to_thread(lab.pbx.restart)
        await daemon.until_logged("pbx.ready", count=2)
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert daemon.stop() == 0


async def test_a_second_daemon_on_the_same_store_refuses_to_start(house: MakeHouse) -> None:
    with Daemon(house()) as daemon:
        await daemon.until_logged("daemon.ready")
        second = daemon.cli("run")
        assert second.returncode == 1
        lines = [line for line in second.stderr.splitlines() if not line.startswith("{")]
        assert len(lines) == 1
        assert f"process {daemon.pid}" in lines[0]
        assert daemon.stop() == 0


async def test_over_tls(house: MakeHouse) -> None:
    with Daemon(house(tls=True)) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request("+441164960003")])
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert daemon.stop() == 0


async def test_systemd_is_told_when_it_is_ready_and_that_it_lives(house: MakeHouse, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(address))
        sock.settimeout(20)
        with Daemon(house(), {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}) as daemon:
            told = [await asyncio.to_thread(sock.recv, 100) for _ in range(6)]
            assert told.count(b"READY=1\n") == 1
            assert told.count(b"WATCHDOG=1\n") == 5
            assert daemon.stop() == 0


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_sigterm_waits_for_the_call_and_begins_no_other(lab: Lab, house: MakeHouse) -> None:
    first, second = "+441164960011", "+441164960012"
    lab.customer(first, Customer.answer(talk_ms=2500))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(first)])
        await daemon.until_step(callback, "bridged")
        daemon.signal(signal.SIGTERM)
        await daemon.until_logged("daemon.draining")
        (waiting,) = daemon.submit([request(second)])
        assert daemon.wait() == 0
        assert await daemon.outcomes(callback) == [Outcome.CONNECTED]
        assert await daemon.attempts(waiting) == []
    await quiet(lab)
    assert (lab.rung(first), lab.rung(second)) == (1, 0)


async def test_a_second_sigterm_does_not_wait_and_the_next_start_takes_the_call_up(lab: Lab, house: MakeHouse) -> None:
    number = "+441164960013"
    lab.customer(number, Customer.answer(talk_ms=6000))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_step(callback, "bridged")
        daemon.signal(signal.SIGTERM)
        await daemon.until_logged("daemon.draining")
        assert daemon.stop() == 0
        assert lab.channels()["pbx"] == 2, "the call goes on without us"
        daemon.start()
        told = await daemon.until_logged("attempt.left_open")
        assert told["callback"] == callback
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        (attempt,) = await daemon.attempts(callback)
        assert attempt.verdict is not None
        assert attempt.verdict.talk.total_seconds() == pytest.approx(6, abs=0.5)
        assert daemon.stop() == 0
    assert lab.rung(number) == 1


async def test_killed_and_the_call_ended_meanwhile_it_is_settled_from_the_journal(lab: Lab, house: MakeHouse) -> None:
    talked, busy = "+441164960014", "+441164960015"
    lab.customer(talked, Customer.answer(talk_ms=1500))
    lab.customer(busy, Customer.busy())
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        both = daemon.submit([request(talked), request(busy)])
        for callback in both:
            await daemon.until_step(callback, "agent_answered")
        daemon.kill()
        await quiet(lab)
        daemon.start()
        await daemon.until_settled(both)
        assert [await daemon.outcomes(callback) for callback in both] == [
            [Outcome.CONNECTED],
            [Outcome.CUSTOMER_BUSY],
        ]
        assert daemon.stop() == 0
    assert (lab.rung(talked), lab.rung(busy)) == (1, 1)


# --- Asterisk goes and comes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_asterisk_dies_under_calls_and_every_attempt_has_one_outcome(
    lab: Lab, house: MakeHouse, how: str
) -> None:
    numbers = [f"+441164960{20 if how == 'restart' else 30}{index}" for index in range(3)]
    # A PBX that is killed tells nobody: the phones at the far end hang up by themselves in time.
    for number, agent in zip(numbers, ("anna", "ben", "cleo"), strict=True):
        lab.customer(number, Customer.answer(talk_ms=8000))
        lab.agent(agent, Agent.accept(talk_ms=10000))
    departments = [Department("sales", ["anna", "ben", "cleo"], retry=NOT_AGAIN)]
    with Daemon(house(*departments)) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = daemon.submit([request(number) for number in numbers])
        for callback in callbacks:
            await daemon.until_step(callback, "bridged")
        if how == "kill":
            lab.pbx.kill()
            down = await daemon.until_logged("pbx.down")
            assert down["calls_in_progress"] == 3
            lab.pbx.start()
        else:
            await asyncio.to_thread(lab.pbx.restart)
        await daemon.until_logged("pbx.ready", count=2)
        rows = await daemon.until_settled(callbacks)
        for callback in callbacks:
            (outcome,) = await daemon.outcomes(callback)
            # A PBX that was stopped in order had its hang-up handlers run; one that was killed left no end behind.
            assert outcome is (Outcome.IN_DOUBT if how == "kill" else Outcome.CONNECTED)
            assert rows[callback].status is (Status.NEEDS_REVIEW if how == "kill" else Status.COMPLETED)
        (after,) = daemon.submit([request("+441164960029")])
        rows = await daemon.until_settled([after])
        assert rows[after].status is Status.COMPLETED
        assert daemon.stop() == 0
    await quiet(lab)
    assert [lab.rung(number) for number in numbers] == [1, 1, 1]


# --- dispatching -----------------------------------------------------------------------------------------------------


async def test_one_call_per_agent_and_the_next_when_the_phone_is_free(lab: Lab, house: MakeHouse) -> None:
    numbers = [f"+44116496003{index}" for index in range(3)]
    for number in numbers:
        lab.customer(number, Customer.answer(talk_ms=500))
    with Daemon(house(Department("sales", ["anna"]))) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = daemon.submit([request(number) for number in numbers])
        await daemon.until_settled(callbacks)
        assert daemon.stop() == 0
    await quiet(lab)
    calls = [call for call in lab.far_end_calls() if call.callback_id in callbacks]
    calls.sort(key=lambda call: call.start)
    assert [call.callback_id for call in calls] == callbacks, "in the order of their coming"
    for earlier, later in itertools.pairwise(calls):
        assert earlier.end <= later.start


async def test_the_next_agent_is_rung_when_one_does_not_take_it(lab: Lab, house: MakeHouse) -> None:
    lab.agent("anna", Agent.busy())
    lab.agent("ben", Agent.declined())
    number = "+441164960041"
    lab.customer(number, Customer.answer(talk_ms=500))
    retry = {"agent_busy": ["0s"], "agent_declined": ["0s"]}
    department = Department("sales", ["anna", "ben", "cleo"], retry=retry, more=['order = "ring_order"'])
    with Daemon(house(department, daemon={"agent_rest_seconds": 60})) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_settled([callback], final=True)
        assert await daemon.outcomes(callback) == [Outcome.AGENT_BUSY, Outcome.AGENT_DECLINED, Outcome.CONNECTED]
        async with daemon.store() as store:
            row = await store.get(callback)
        assert row is not None
        assert (row.status, row.attempts, row.customer_attempts) == (Status.COMPLETED, 3, 1)
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 1


async def test_nothing_is_dialled_while_closed_paused_or_cancelled(lab: Lab, house: MakeHouse) -> None:
    closed = Department("nights", ["eve"], hours=_hours_that_are_over())
    with Daemon(house(Department("sales", ["anna"]), closed)) as daemon:
        await daemon.until_logged("pbx.ready")
        assert daemon.cli("pause", "--reason", "line fault").returncode == 0
        await daemon.until_logged("engine.paused")
        waiting, cancelled, shut = daemon.submit(
            [request("+441164960051"), request("+441164960052"), request("+441164960053", "nights")]
        )
        assert daemon.cli("callbacks", "cancel", cancelled, "--reason", "asked us to").returncode == 0
        assert await daemon.attempts(waiting) == []
        assert daemon.cli("resume").returncode == 0
        rows = await daemon.until_settled([waiting])
        assert rows[waiting].status is Status.COMPLETED
        assert daemon.stop() == 0
        async with daemon.store() as store:
            gone, later = await store.get(cancelled), await store.get(shut)
        assert gone is not None
        assert gone.status is Status.CANCELLED
        assert later is not None
        assert later.status is Status.SCHEDULED
        assert later.due_at - later.requested_at > timedelta(minutes=1)
        assert await daemon.attempts(cancelled) == await daemon.attempts(shut) == []
    await quiet(lab)
    assert [lab.rung(f"+44116496005{index}") for index in (1, 2, 3)] == [1, 0, 0]


def _hours_that_are_over() -> str:
    """Open only on the weekday before yesterday's, all day: closed now and for days to come."""
    then = datetime.now(ZoneInfo("Europe/London")) - timedelta(days=2)
    return f'hours = {{ {then.strftime("%a").lower()} = ["00:00-24:00"] }}'


# --- hostile text ----------------------------------------------------------------------------------------------------


async def test_hostile_text_in_every_field_changes_nothing_in_asterisk(lab: Lab, house: MakeHouse) -> None:
    """Through the front door: what is refused is refused with a reason, what is taken reaches the agent as text."""
    before = lab.pbx.cli("dialplan show globals")
    agents = ["anna", "ben", "cleo", "dan", "eve", "finn"]
    for agent in agents:
        lab.agent(agent, Agent.declined(ring_ms=0))
    department = Department("sales", agents, retry={"agent_declined": ["1h"]})
    fields = [
        field
        for text in HOSTILE
        for field in (
            {"name": text},
            {"name": text[:200]},
            {"message": text},
            {"page": text},
            {"page": f"https://shop.example/{text[:1500]}"},
            {"session": text},
        )
    ]
    lines = [request(f"+441174960{index:03}", **field) for index, field in enumerate(fields)]
    made = house(department)
    with Daemon(made) as daemon:
        await daemon.until_logged("pbx.ready")
        done = daemon.cli("submit", "--json", "-", text=_jsonl(lines))
        taken = [CallbackId(json.loads(line)["id"]) for line in done.stdout.splitlines()]
        refused = done.stderr.splitlines()
        assert len(taken) + len(refused) == len(lines)
        assert min(len(taken), len(refused)) > len(HOSTILE)
        assert all(line.startswith("dialer: line ") for line in refused)
        rows = await daemon.until_settled(taken)
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.pbx.cli("dialplan show globals") == before
    received = {call.callback_id: call for call in lab.far_end_calls() if call.who == "agent"}
    directory = load(made.config).directory()
    sales, site = directory.departments["sales"], directory.sites["shop"]
    for callback in taken:
        call, visitor = received[callback], rows[callback].visitor
        assert call.caller_name == encode.caller_name(context.caller_name(sales, visitor))
        assert page(visitor, site).startswith(decode_value(call.page))
        assert bool(call.page) == bool(page(visitor, site))


def _jsonl(requests: Sequence[dict[str, str]]) -> str:
    return "".join(json.dumps(each) + "\n" for each in requests)
