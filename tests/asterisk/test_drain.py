"""A stop with calls up, a kill in the middle of it, an upgrade in between: the next start takes every call up.

A real daemon and a real Asterisk; the far end's records say who was rung, how often, and how long they talked.
"""

import asyncio
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId, channel_id
from dialer.domain.outcome import Outcome, Verdict
from tests.chaos.recovery import end_all
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import at_rest, quiet
from tests.rig import Daemon, Department, House, request

MakeHouse = Callable[..., House]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    await at_rest(lab)


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> MakeHouse:
    def make(**more: Any) -> House:
        return House(lab, tmp_path, [Department("sales", lab.agents)], **more)

    return make


async def end(daemon: Daemon, callback: CallbackId) -> Verdict:
    """How the only attempt of a callback ended."""
    (attempt,) = await daemon.attempts(callback)
    assert attempt.verdict is not None
    return attempt.verdict


async def bridged(daemon: Daemon, number: str) -> Attempt:
    """A call that is up, to this customer."""
    await daemon.until_logged("pbx.ready")
    (callback,) = daemon.submit([request(number)])
    return await daemon.until_step(callback, "bridged")


def talked(lab: Lab, number: str) -> float:
    """How long the customer talked, once, by their own record; s."""
    (call,) = (call for call in lab.far_end_calls() if call.who == "customer" and call.dialled == number)
    return call.billsec


async def adopted(daemon: Daemon, lab: Lab) -> None:
    """The next start finds one call, which is up; then it ends."""
    ready = await daemon.until_logged("pbx.ready", count=2)
    assert ready["calls_in_progress"] == 1
    assert lab.channels()["pbx"] == 2
    await end_all(lab)


async def settled_as_it_was(daemon: Daemon, lab: Lab, callback: CallbackId, number: str) -> None:
    """The call came to its end, and the store says of it what the far end says."""
    rows = await daemon.until_settled([callback])
    assert rows[callback].status is Status.COMPLETED
    verdict = await end(daemon, callback)
    assert verdict.outcome is Outcome.CONNECTED
    assert verdict.talk.total_seconds() == pytest.approx(talked(lab, number), abs=0.5)


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_what_outlasts_the_drain_is_left_up_and_said(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960801"
    lab.customer(number, Customer.answer())
    with Daemon(house(daemon={"drain_seconds": 1})) as daemon:
        attempt = await bridged(daemon, number)
        assert daemon.stop() == 0
        assert [line["calls"] for line in daemon.logged("drain.calls_left")] == [1]
        assert lab.channels()["pbx"] == 2
        daemon.start()
        await adopted(daemon, lab)
        await settled_as_it_was(daemon, lab, attempt.callback_id, number)
        assert daemon.stop() == 0


async def test_killed_in_its_drain(lab: Lab, house: MakeHouse) -> None:
    """What systemd does when the drain takes longer than the unit allows."""
    number = "+441174960802"
    lab.customer(number, Customer.answer())
    with Daemon(house()) as daemon:
        attempt = await bridged(daemon, number)
        daemon.signal(signal.SIGTERM)
        await daemon.until_logged("daemon.draining")
        daemon.kill()
        assert lab.channels()["pbx"] == 2
        daemon.start()
        await adopted(daemon, lab)
        await settled_as_it_was(daemon, lab, attempt.callback_id, number)
        assert daemon.stop() == 0


@pytest.mark.parametrize("step", ["agent_ringing", "agent_answered", "customer_ringing"])
async def test_two_signals_at_any_step_leave_the_call_to_the_next_start(lab: Lab, house: MakeHouse, step: str) -> None:
    number = {"agent_ringing": "+441174960803", "agent_answered": "+441174960804"}.get(step, "+441174960805")
    lab.customer(number, Customer.answer(ring_ms=1500, talk_ms=3000))
    for agent in lab.agents:
        lab.agent(agent, Agent.accept(ring_ms=1500, press_ms=1500))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_step(callback, step)
        daemon.signal(signal.SIGTERM)
        await daemon.until_logged("daemon.draining")
        daemon.signal(signal.SIGINT)
        assert daemon.wait() == 0
        assert not any(row.name == "bridged" for row in (await daemon.attempts(callback))[0].timeline)
        daemon.start()
        await settled_as_it_was(daemon, lab, callback, number)
        assert daemon.stop() == 0


async def test_a_drain_that_begins_under_a_ringing_agent_sees_the_call_through(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960806"
    lab.customer(number, Customer.answer(talk_ms=1000))
    for agent in lab.agents:
        lab.agent(agent, Agent.accept(ring_ms=1500))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([request(number)])
        await daemon.until_step(callback, "agent_ringing")
        assert daemon.stop() == 0
        assert (await end(daemon, callback)).outcome is Outcome.CONNECTED
        assert daemon.logged("drain.calls_left") == []
    await quiet(lab)
    assert lab.rung(number) == 1


# --- an upgrade in between -------------------------------------------------------------------------------------------

ENDED = "ended|1700000001000|customer_dialled|1700000000000"
UNREADABLE = (
    ENDED,  # cut short
    f"{ENDED}||ANSWER|16|customer|more",
    f"{ENDED}||ANSWER|sixteen|customer",
    f"{ENDED}||ANSWER|16|nobody-we-know",
    "finished|1700000001000",
    "42",
)


async def test_a_journal_in_words_that_are_not_ours_proves_nothing(lab: Lab, house: MakeHouse) -> None:
    """Written by a dialplan of another version while nobody watched: in doubt, and never a wrong outcome."""
    numbers = [f"+44117496081{index}" for index in range(len(UNREADABLE) + 2)]
    for number in numbers:
        lab.customer(number, Customer.answer(talk_ms=1500))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = daemon.submit([request(number) for number in numbers])
        attempts = [await daemon.until_step(callback, "agent_answered") for callback in callbacks]
        daemon.kill()
        await quiet(lab)
        kept, older, *strange = attempts
        for attempt, value in zip(strange, UNREADABLE, strict=True):
            _journal(lab, attempt, value)
        _journal(lab, older, "ended|1700000004500|customer_dialled|1700000000000||ANSWER|16")
        daemon.start()
        rows = await daemon.until_settled(callbacks)
        assert daemon.stop() == 0
        assert (await end(daemon, kept.callback_id)).talk.total_seconds() == pytest.approx(1.5, abs=0.5)
        before_who = await end(daemon, older.callback_id)
        assert (before_who.outcome, before_who.talk.total_seconds(), before_who.hung_up_by) == ("connected", 4.5, None)
        for attempt in strange:
            assert (await end(daemon, attempt.callback_id)).outcome is Outcome.IN_DOUBT
            assert rows[attempt.callback_id].status is Status.NEEDS_REVIEW
    assert [lab.rung(number) for number in numbers] == [1] * len(numbers)


async def test_a_living_call_with_a_step_that_is_not_ours_goes_on_to_its_end(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960820"
    lab.customer(number, Customer.answer())
    with Daemon(house()) as daemon:
        attempt = await bridged(daemon, number)
        daemon.kill()
        _journal(lab, attempt, "chatting|1700000000000|since")
        daemon.start()
        await daemon.until_logged("attempt.lives")
        await adopted(daemon, lab)
        await settled_as_it_was(daemon, lab, attempt.callback_id, number)
        assert daemon.stop() == 0


def _journal(lab: Lab, attempt: Attempt, value: str) -> None:
    """Put a value into an attempt's journal, as a dialplan of another version might have."""
    lab.pbx.cli(f'database put mi {channel_id(attempt.id)} "{value}"')


async def test_an_older_database_is_upgraded_under_a_call_that_is_up(lab: Lab, house: MakeHouse) -> None:
    number = "+441174960821"
    lab.customer(number, Customer.answer())
    with Daemon(house()) as daemon:
        attempt = await bridged(daemon, number)
        daemon.kill()
        await asyncio.to_thread(_as_the_first_release_kept_it, daemon.database)
        daemon.start()
        assert daemon.wait() != 0
        assert "run: dialer db upgrade" in daemon.tail()
        assert daemon.cli("db", "upgrade").returncode == 0
        daemon.start()
        await adopted(daemon, lab)
        await settled_as_it_was(daemon, lab, attempt.callback_id, number)
        assert daemon.stop() == 0


def _as_the_first_release_kept_it(database: Path) -> None:
    """Replace a database by one of the first schema with the same rows, less what that schema could not hold."""
    now = database.with_suffix(".now")
    database.rename(now)
    for suffix in ("-wal", "-shm"):
        journal = database.with_name(database.name + suffix)
        if journal.exists():
            journal.rename(now.with_name(now.name + suffix))
    with create_engine(f"sqlite:///{database}").begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "dialer.store:migrations")
        command.upgrade(config, "0001")
    with sqlite3.connect(database) as first:
        first.execute("ATTACH ? AS now", (str(now),))
        for table in ("callback", "attempt", "pause"):
            columns = ", ".join(row[1] for row in first.execute(f"PRAGMA main.table_info({table})"))
            first.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    first.close()
