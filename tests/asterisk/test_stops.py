"""What holds calls back: pauses of every scope, promises that run out, windows that close, numbers that object."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import at_rest, quiet, until
from tests.rig import Daemon, Department, House, request

MakeHouse = Callable[..., House]
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> AsyncIterator[None]:
    await at_rest(lab)
    yield
    await quiet(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(*departments: Department, **more: Any) -> House:
        return House(lab, tmp_path, departments, **more)

    return make


async def status_of(daemon: Daemon, callback: CallbackId) -> tuple[Status, str]:
    async with daemon.store() as store:
        found = await store.get(callback)
    assert found is not None
    return found.status, found.reason


# --- pauses ----------------------------------------------------------------------------------------------------------


async def test_a_pause_of_everything_holds_at_once_and_leaves_calls_in_progress_alone(
    lab: Lab, house: MakeHouse
) -> None:
    numbers = [f"+4411849605{index:02}" for index in range(40)]
    for number in numbers:
        lab.customer(number, Customer.answer(talk_ms=1500))
    departments = [Department("sales", ["anna", "ben", "cleo", "dan"])]
    with Daemon(house(*departments, trunks={"carrier": {"calls_per_second": 4}})) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = daemon.submit([request(number) for number in numbers])
        await until(lambda: len(daemon.logged("attempt.placed")) >= 6)
        done = daemon.cli("pause", "--reason", "line fault")
        acknowledged = datetime.now(UTC)
        assert done.returncode == 0
        late = daemon.submit([request("+441184960090")])
        await daemon.until_logged("engine.paused")
        await quiet(lab)
        async with daemon.store() as store:

            async def all_written() -> bool:
                return not await store.open_attempts()

            await until(all_written)  # an end is on disk a moment after its channels are gone
            begun = [one for callback in [*callbacks, *late] for one in await store.attempts(callback)]
        assert all(one.created_at < acknowledged + SECOND for one in begun)
        assert {one.verdict.outcome for one in begun if one.verdict} == {Outcome.CONNECTED}
        assert all(one.verdict for one in begun), "they were let end"
        assert 6 <= len(begun) < len(numbers)
        assert daemon.stop() == 0


async def test_a_pause_outlives_the_daemon_and_says_who_and_why(lab: Lab, house: MakeHouse) -> None:
    number = "+441184960041"
    with Daemon(house(Department("sales", ["anna"]))) as daemon:
        await daemon.until_logged("pbx.ready")
        assert daemon.cli("pause", "--department", "sales", "--reason", "fire drill").returncode == 0
        daemon.kill()
        daemon.start()
        await daemon.until_logged("pbx.ready", count=2)
        (callback,) = daemon.submit([request(number)])
        await daemon.until_logged("engine.paused", count=2)
        told = daemon.cli("callbacks", "show", callback).stdout
        assert "fire drill" in daemon.cli("pauses").stdout
        assert "sales" in told
        assert "paused" in told
        assert await daemon.attempts(callback) == []
        assert daemon.cli("resume", "--department", "sales").returncode == 0
        rows = await daemon.until_settled([callback])
        assert rows[callback].status is Status.COMPLETED
        assert daemon.stop() == 0


async def test_what_is_not_paused_goes_on(lab: Lab, house: MakeHouse) -> None:
    departments = [
        Department("sales", ["anna"], site="acme", trunks=["carrier"]),
        Department("support", ["ben"], site="bolt", trunks=["spare"]),
    ]
    accounts: dict[str, dict[str, object]] = {"acme": {}, "bolt": {}}
    sites = {name: {"account": name} for name in accounts}
    with Daemon(house(*departments, accounts=accounts, sites=sites, trunks={"spare": {}})) as daemon:
        await daemon.until_logged("pbx.ready")
        held = ("--account", "acme"), ("--department", "sales"), ("--trunk", "carrier"), ("--agent", "anna")
        for index, (option, key) in enumerate(held):
            assert daemon.cli("pause", option, key).returncode == 0
            numbers = [f"+4411849600{index}{place}" for place in (1, 2)]
            waiting, placed = daemon.submit([request(numbers[0]), request(numbers[1], "support")])
            rows = await daemon.until_settled([placed])
            assert rows[placed].status is Status.COMPLETED
            assert await daemon.attempts(waiting) == [], f"held by {option} {key}"
            assert daemon.cli("resume", option, key).returncode == 0
            rows = await daemon.until_settled([waiting])
            assert rows[waiting].status is Status.COMPLETED
        assert daemon.stop() == 0


# --- promises and windows --------------------------------------------------------------------------------------------


async def test_what_nobody_can_take_expires_and_is_not_dialled_later(lab: Lab, house: MakeHouse) -> None:
    number = "+441184960061"
    with Daemon(house(Department("sales", ["ursula"], more=['patience = "2s"']))) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_logged("callback.expired")
        assert await status_of(daemon, callback) == (Status.EXPIRED, "nobody could take it in time")
        assert daemon.stop() == 0
    assert lab.rung(number) == 0


async def test_a_customer_is_not_rung_after_their_window_however_late_the_agent_answers(
    lab: Lab, house: MakeHouse
) -> None:
    number = "+441184960062"
    lab.agent("anna", Agent.accept(ring_ms=4000))
    now = datetime.now(UTC)
    with Daemon(house(Department("sales", ["anna"], retry={"cancelled": ["1s"]}))) as daemon:
        await daemon.until_logged("pbx.ready")
        window = {"at": datetime.now(UTC).isoformat(), "until": (datetime.now(UTC) + 4 * SECOND).isoformat()}
        (callback,) = daemon.submit([request(number, **window)])
        rows = await daemon.until_settled([callback], final=True)
        assert rows[callback].status is Status.EXPIRED
        (attempt,) = await daemon.attempts(callback)
        assert attempt.verdict is not None
        assert (attempt.verdict.outcome, attempt.verdict.detail) == (Outcome.CANCELLED, "refused_closed")
        assert attempt.created_at > now
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 0


# --- objections ------------------------------------------------------------------------------------------------------


async def test_an_objection_ends_what_waits_and_what_rings_and_is_heeded_at_the_door(
    lab: Lab, house: MakeHouse
) -> None:
    number = "+441184960071"
    lab.agent("anna", Agent.accept(ring_ms=4000))
    with Daemon(house(Department("sales", ["anna"]), Department("support", ["ursula"]))) as daemon:
        await daemon.until_logged("pbx.ready")
        ringing, waiting = daemon.submit([request(number), request(number, "support")])
        await daemon.until_step(ringing, "agent_ringing")
        done = daemon.cli("do-not-call", "add", number, "--reason", "asked on the phone")
        assert done.returncode == 0, done.stderr
        assert (await status_of(daemon, ringing))[0] is Status.REJECTED
        assert (await status_of(daemon, waiting))[0] is Status.REJECTED
        refused = daemon.cli("submit", "--department", "sales", "--phone", number)
        assert refused.returncode == 1
        assert number not in refused.stderr
        assert daemon.stop() == 0
    await quiet(lab)
    assert lab.rung(number) == 0
