"""Who is rung, by which way, and who is spared: agents, trunks and PBXs that come and go, on real Asterisks."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.lab import Agent, Behaviour, Customer, Lab
from tests.lab.waiting import at_rest, quiet, until
from tests.rig import Daemon, Department, House, request

MakeHouse = Callable[..., House]

NOW = {"agent_no_answer": ["1s"], "agent_busy": ["1s"], "trunk_failure": ["1h"], "cancelled": ["1s"]}
RINGS_THEN_FAILS = Behaviour(ring_ms=500, refuse=503)
"""The customer's phone rings, and then the carrier has no line after all."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


@pytest.fixture(scope="module")
def second_lab() -> Iterator[Lab]:
    """Another PBX, with a far end of its own."""
    with Lab.create() as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> AsyncIterator[None]:
    """Phones that accept, and a PBX without calls."""
    await at_rest(lab)
    yield
    await quiet(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(*departments: Department, **more: Any) -> House:
        return House(lab, tmp_path, departments, **more)

    return make


async def outcomes(daemon: Daemon, callback: CallbackId) -> list[tuple[str, str, str]]:
    """Agent, trunk and outcome of each attempt."""
    return [
        (attempt.agent, attempt.trunk, attempt.verdict.outcome.value if attempt.verdict else "")
        for attempt in await daemon.attempts(callback)
    ]


# --- agents ----------------------------------------------------------------------------------------------------------


async def test_an_agent_who_hangs_up_gets_the_next_callback_without_a_poll(lab: Lab, house: MakeHouse) -> None:
    first, second = "+441174960001", "+441174960002"
    lab.customer(first, Customer.answer(talk_ms=700))
    with Daemon(house(Department("sales", ["anna"]), daemon={"poll_floor_seconds": 3600})) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = daemon.submit([request(first), request(second)])
        rows = await daemon.until_settled(callbacks)
        assert {row.status for row in rows.values()} == {Status.COMPLETED}
        (one,), (two,) = [await daemon.attempts(callback) for callback in callbacks]
        assert one.ended_at is not None
        assert two.created_at > one.ended_at
        assert two.ready_at > one.created_at, "ready when the phone was free again, not when it was due"
        assert daemon.stop() == 0


async def test_overflow_rings_another_departments_agent_after_a_while(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960003"
    sales = Department("sales", ["ursula"], overflow={"after": "2s", "departments": ["support"]})
    with Daemon(house(sales, Department("support", ["ben"]))) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_settled([callback])
        (attempt,) = await daemon.attempts(callback)
        assert (attempt.agent, attempt.department) == ("ben", "sales")
        assert (attempt.created_at - attempt.due_at).total_seconds() >= 2
        assert daemon.stop() == 0
    await quiet(lab)
    (agent,) = [call for call in lab.far_end_calls() if call.who == "agent" and call.callback_id == callback]
    assert agent.department == "sales"


@pytest.mark.parametrize("phone", [Agent.no_answer(), Agent.forwards("ben")], ids=["rings-out", "forwards"])
async def test_an_agent_who_is_not_there_is_paused_and_the_next_takes_over(
    lab: Lab, house: MakeHouse, phone: Behaviour
) -> None:
    number = "+441174960004"
    lab.agent("anna", phone)
    sales = Department(
        "sales",
        ["anna", "ben"],
        more=['order = "ring_order"', "agent_ring = 1", "max_missed_rings = 2"],
        retry={"agent_no_answer": ["3s"]},
    )
    with Daemon(house(sales)) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        rows = await daemon.until_settled([callback], final=True)
        assert rows[callback].status is Status.COMPLETED
        assert [agent for agent, _, _ in await outcomes(daemon, callback)] == ["anna", "anna", "ben"]
        told = await daemon.until_logged("alert.raised")
        assert (told["kind"], told["key"]) == ("agent_paused", "anna")
        assert told["what"].startswith(
            "agent anna is paused: 2 calls in a row were not taken: the phone rang and nobody"
        )
        assert "dialer resume --agent anna" in told["remedy"]
        paused = daemon.cli("pauses", "--json")
        assert '"agent"' in paused.stdout
        assert '"anna"' in paused.stdout
        assert daemon.cli("resume", "--agent", "anna").returncode == 0
        await daemon.until_logged("alert.cleared")
        assert daemon.stop() == 0


# --- trunks ----------------------------------------------------------------------------------------------------------


def two_trunks(house: MakeHouse) -> House:
    """The same carrier twice: to the first numbers are written with a +, to the second without."""
    sales = Department("sales", ["anna", "ben"], trunks=["carrier", "spare"], retry=NOW)
    return house(sales, trunks={"spare": {"number_format": "e164_plain"}})


async def test_when_a_trunk_fails_the_same_agent_goes_by_the_next(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960011"
    lab.customer(number, Customer.congestion())
    with Daemon(two_trunks(house)) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        rows = await daemon.until_settled([callback], final=True)
        (agent, *_), *_ = found = await outcomes(daemon, callback)
        assert found == [
            (agent, "carrier", Outcome.TRUNK_FAILURE.value),
            (agent, "spare", Outcome.CONNECTED.value),
        ]
        assert rows[callback].customer_attempts == 1, "the carrier's failure costs the customer nothing"
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number.removeprefix("+")) == 1


async def test_a_phone_that_rang_is_not_rung_again_by_another_trunk(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960012"
    lab.customer(number, RINGS_THEN_FAILS)
    with Daemon(two_trunks(house)) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        rows = await daemon.until_settled([callback])
        ((_, trunk, outcome),) = await outcomes(daemon, callback)
        assert (trunk, outcome) == ("carrier", Outcome.TRUNK_FAILURE.value)
        assert rows[callback].status is Status.SCHEDULED
        assert rows[callback].failed_trunks == ()
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 1
    assert lab.rung(number.removeprefix("+")) == 0


async def test_a_trunk_that_keeps_failing_rests_and_a_person_is_told(lab: Lab, house: MakeHouse) -> None:
    numbers = [f"+44117496002{index}" for index in range(4)]
    for number in numbers[:3]:
        lab.customer(number, Customer.congestion())
    with Daemon(two_trunks(house)) as daemon:
        await daemon.until_logged("pbx.ready")
        for number in numbers:
            (callback,) = daemon.submit([request(number)])
            await daemon.until_settled([callback], final=True)
        ways = [[way for _, way, _ in await outcomes(daemon, one)] for one in [callback]]
        assert ways == [["spare"]], "the fourth did not try the trunk that rests"
        told = await daemon.until_logged("alert.raised")
        assert (told["kind"], told["key"]) == ("trunk_rests", "carrier")
        assert daemon.stop() == 0


# --- PBXs ------------------------------------------------------------------------------------------------------------


async def test_what_waits_for_a_lost_pbx_goes_by_the_other(lab: Lab, second_lab: Lab, house: MakeHouse) -> None:
    numbers = [f"+44117496003{index}" for index in range(3)]
    sales = Department("sales", ["anna", "cleo"])
    with Daemon(house(sales, more_labs={"second": second_lab}, agent_pbx={"cleo": "second"})) as daemon:
        await daemon.until_logged("pbx.ready", count=2)
        lab.pbx.kill()
        try:
            await until(lambda: any(line["pbx"] == "main" for line in daemon.logged("pbx.down")))
            callbacks = daemon.submit([request(number) for number in numbers])
            rows = await daemon.until_settled(callbacks, seconds=60)
            assert {row.status for row in rows.values()} == {Status.COMPLETED}
            attempts = [attempt for callback in callbacks for attempt in await daemon.attempts(callback)]
            assert {(each.pbx, each.agent, each.trunk) for each in attempts} == {("second", "cleo", "second-carrier")}
            assert len(attempts) == len(numbers)
        finally:
            lab.pbx.start()
        await daemon.until_logged("pbx.ready", count=3)
        assert daemon.stop() == 0
    await quiet(second_lab)
    assert [second_lab.rung(number) for number in numbers] == [1, 1, 1]
    assert [lab.rung(number) for number in numbers] == [0, 0, 0]


# --- callers who get through by themselves ---------------------------------------------------------------------------


def by_inbound(house: MakeHouse, *agents: str) -> House:
    departments = [
        Department("sales", agents, more=["cancel_when_called_in = true"]),
        Department("support", agents),
    ]
    return house(*departments, trunks={"carrier": {"inbound_contexts": ["from-trunk"]}})


async def test_who_got_through_to_us_is_not_called_back(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960041"
    with Daemon(by_inbound(house, "ursula")) as daemon:
        await daemon.until_logged("pbx.ready")
        sales, support = daemon.submit([request(number), request(number, "support")])
        lab.call_in("01174960041", "voice")
        await daemon.until_logged("callback.called_in")
        async with daemon.store() as store:
            found = {row.id: row for row in [await store.get(sales), await store.get(support)] if row}
        assert (found[sales].status, found[sales].reason) == (Status.CANCELLED, "customer_called_in")
        assert found[support].status is Status.SCHEDULED, "a department that does not go by that"
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 0


async def test_who_rang_and_was_not_answered_is_called_back(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960042"
    with Daemon(by_inbound(house, "ursula")) as daemon:
        await daemon.until_logged("pbx.ready")
        (sales,) = daemon.submit([request(number)])
        lab.call_in("01174960042", "nobody", patience=1.0)
        lab.call_in("01174960043", "voice")  # another number: its answer is heard after the first was not
        await until(lambda: any(c.who == "caller" and c.caller_number == "01174960043" for c in lab.far_end_calls()))
        await until(lambda: any(c.who == "caller" and c.caller_number == "01174960042" for c in lab.far_end_calls()))
        async with daemon.store() as store:
            found = await store.get(sales)
        assert found is not None
        assert found.status is Status.SCHEDULED
        assert daemon.stop() == 0


async def test_who_gets_through_while_the_agent_is_rung_for_them_is_not_rung(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960044"
    lab.agent("anna", Agent.accept(ring_ms=4000))
    with Daemon(by_inbound(house, "anna")) as daemon:
        await daemon.until_logged("pbx.ready")
        (sales,) = daemon.submit([request(number)])
        await daemon.until_step(sales, "agent_ringing")
        lab.call_in("01174960044", "voice")
        rows = await daemon.until_settled([sales], final=True)
        assert (rows[sales].status, rows[sales].reason) == (Status.CANCELLED, "customer_called_in")
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 0
