"""`dialer callbacks resolve` on a real Asterisk: what a person is shown, what is refused, and who was rung."""

import asyncio
import contextlib
import itertools
import json
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.domain.attempt import Attempt, advance
from dialer.domain.callback import Callback, Status
from dialer.domain.events import Lost
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore
from tests.cli.host import Host
from tests.cli.test_on_asterisk import Told, tell
from tests.lab import Agent, Customer, FarCall, Lab
from tests.lab.waiting import at_rest, quiet
from tests.rig import Daemon, Department, House, request

AGENTS = ("anna", "ben", "cleo")

Wish = Callable[[SqlStore, Callback], Awaitable[None]]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of this file's own: its Asterisk is killed."""
    with Lab.create() as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    await at_rest(lab)


@pytest.fixture
async def daemon(lab: Lab, tmp_path: Path) -> AsyncIterator[Daemon]:
    department = Department("sales", AGENTS, more=("customer_ring = 60",))
    with Daemon(House(lab, tmp_path, [department])) as running:
        await running.until_logged("pbx.ready")
        yield running


async def resolve(daemon: Daemon, callback: CallbackId, how: str, *more: str) -> Told:
    return await tell(
        Host(daemon.house.folder), "callbacks", "resolve", callback, "--as", how, "--reason", "they rang us", *more
    )


async def cut_off(daemon: Daemon, lab: Lab, numbers: list[str]) -> list[CallbackId]:
    """Callbacks in doubt: Asterisk was killed under their bridged calls; the far end's phones have hung up since."""
    for number, agent in zip(numbers, AGENTS, strict=False):
        lab.customer(number, Customer.answer(talk_ms=5000))
        lab.agent(agent, Agent.accept(talk_ms=6000))
    callbacks = daemon.submit([request(number) for number in numbers])
    for callback in callbacks:
        await daemon.until_step(callback, "bridged")
    lab.pbx.kill()
    await daemon.until_logged("pbx.down")
    lab.pbx.start()
    rows = await daemon.until_settled(callbacks)
    assert {row.status for row in rows.values()} == {Status.NEEDS_REVIEW}
    await quiet(lab)
    return callbacks


async def nothing(_store: SqlStore, _of: Callback) -> None:
    """Nobody wishes anything."""


async def cancel(store: SqlStore, of: Callback) -> None:
    await store.cancel(of.id, "no time")


async def objection(store: SqlStore, of: Callback) -> None:
    await store.object_to(of.visitor.phone, "ann", "asked us to stop")


async def lost_track(daemon: Daemon, number: str, step: str, wish: Wish = nothing) -> CallbackId:
    """A callback in doubt although its call lives: killed, the daemon came back without its PBX, and gave it up.
    Meanwhile somebody wished something else of it."""
    (callback,) = daemon.submit([request(number)])
    await daemon.until_step(callback, step)
    daemon.kill()
    async with daemon.store() as store:
        ((attempt, living),) = await store.open_attempts()
        await wish(store, living)
        lost, _ = advance(attempt, Lost("PBX main is no longer configured"), datetime.now(UTC))
        await store.finish(lost, NextStep(Status.NEEDS_REVIEW, living.due_at, "in_doubt", 0, 0))
    return callback


async def row(daemon: Daemon, callback: CallbackId) -> Callback:
    async with daemon.store() as store:
        found = await store.get(callback)
    assert found is not None
    return found


def rung(lab: Lab, number: str) -> list[FarCall]:
    """The far end's calls to a customer, in the order of their coming; none overlaps the next."""
    calls = [call for call in lab.far_end_calls() if call.who == "customer" and call.dialled == number]
    calls.sort(key=lambda call: call.start)
    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(calls))
    return calls


def outcomes(attempts: list[Attempt]) -> list[Outcome]:
    return [attempt.verdict.outcome for attempt in attempts if attempt.verdict]


async def test_cut_off_calls_are_resolved_each_way_and_only_the_retry_rings_again(lab: Lab, daemon: Daemon) -> None:
    numbers = [f"+44151496010{index}" for index in range(3)]
    done, given_up, again = await cut_off(daemon, lab, numbers)
    lab.customer(numbers[2], Customer.answer(talk_ms=500))
    completed, failed, retried = [
        await resolve(daemon, callback, how)
        for callback, how in ((done, "completed"), (given_up, "failed"), (again, "retry"))
    ]
    for told, how, status in (
        (completed, "completed", "completed"),
        (failed, "failed", "failed"),
        (retried, "retry", "scheduled"),
    ):
        assert (told.code, told.errors) == (0, "")
        assert re.fullmatch(r"the PBX  main: no channel of it lives; its journal says \w+, and no end", told.lines[0])
        assert any(line.startswith("came to  bridged 20") for line in told.lines)
        assert told.lines[-1].split("  ")[1] == status
        assert told.lines[-1].endswith(": they rang us")
        assert f"  {how} by " in told.lines[-1]
    rows = await daemon.until_settled([again], final=True)
    assert rows[again].status is Status.COMPLETED
    assert outcomes(await daemon.attempts(again)) == [Outcome.IN_DOUBT, Outcome.CONNECTED]
    shown = daemon.cli("callbacks", "show", again).stdout
    assert " as retry by " in next(line for line in shown.splitlines() if line.startswith("resolved  "))
    assert daemon.stop() == 0
    await quiet(lab)
    assert [len(rung(lab, number)) for number in numbers] == [1, 1, 2]


async def test_a_pbx_that_is_down_refuses_a_retry_and_nothing_else(lab: Lab, daemon: Daemon) -> None:
    numbers = [f"+44151496011{index}" for index in range(2)]
    done, again = await cut_off(daemon, lab, numbers)
    lab.customer(numbers[1], Customer.answer(talk_ms=500))
    lab.pbx.kill()
    completed = await resolve(daemon, done, "completed")
    assert (completed.code, completed.errors) == (0, "")
    assert completed.lines[0] == "the PBX  main cannot be asked: nothing listens there"
    refused = await resolve(daemon, again, "retry")
    assert refused.code == 1
    assert refused.errors == (
        f"dialer: {again}: not tried again: PBX main at 127.0.0.1:{lab.ami.port}: nothing listens there"
        " (mend that and try again, or take the risk of a second call: --force)\n"
    )
    assert (await row(daemon, again)).status is Status.NEEDS_REVIEW
    forced = await resolve(daemon, again, "retry", "--force", "--json")
    assert forced.code == 0
    assert forced.errors.startswith(f"dialer: {again}: forced, although: PBX main at ")
    told = json.loads("".join(forced.lines))
    assert (told["status"], told["resolution"]["forced"], told["resolution"]["why"]) == (
        "scheduled",
        True,
        "they rang us",
    )
    assert (told["evidence"]["pbx_now"], told["evidence"]["pbx_silent"]) == (None, "nothing listens there")
    (kept,) = json.loads(daemon.cli("callbacks", "show", "--json", again).stdout)["resolutions"]
    assert kept == told["resolution"]
    lab.pbx.start()
    rows = await daemon.until_settled([again], final=True)
    assert rows[again].status is Status.COMPLETED
    assert daemon.stop() == 0
    await quiet(lab)
    assert [len(rung(lab, number)) for number in numbers] == [1, 2]


async def test_a_retry_first_hangs_up_what_still_rings(lab: Lab, daemon: Daemon) -> None:
    number = "+441514960120"
    lab.customer(number, Customer.no_answer())
    callback = await lost_track(daemon, number, "customer_ringing")
    assert lab.channels()["pbx"] == 2
    told = await resolve(daemon, callback, "retry")
    assert (told.code, told.errors) == (0, "")
    assert told.lines[0].endswith(
        "main: the legs of agent and customer live; its journal says customer_dialled, and no end"
    )
    assert lab.channels()["pbx"] == 0
    lab.customer(number, Customer.answer(talk_ms=500))
    daemon.start()
    rows = await daemon.until_settled([callback], final=True)
    assert rows[callback].status is Status.COMPLETED
    assert daemon.stop() == 0
    await quiet(lab)
    assert [call.disposition for call in rung(lab, number)] == ["NO ANSWER", "ANSWERED"]


@pytest.mark.parametrize(
    ("wish", "why", "number"),
    [
        (cancel, "somebody asked to cancel it", "+441514960126"),
        (objection, "its number is on the do-not-call list, or was: whoever has it objected", "+441514960127"),
    ],
)
async def test_for_a_retry_that_can_never_be_nothing_is_hung_up(
    lab: Lab, daemon: Daemon, wish: Wish, why: str, number: str
) -> None:
    lab.customer(number, Customer.no_answer())
    callback = await lost_track(daemon, number, "customer_ringing", wish)
    for force in ((), ("--force",)):
        refused = await resolve(daemon, callback, "retry", *force)
        told = f"dialer: {callback}: not tried again: {why} (resolve it as failed)\n"
        assert (refused.code, refused.errors) == (1, told)
        assert refused.lines[0].endswith("customer_dialled, and no end"), "what is known is laid out all the same"
    assert lab.channels()["pbx"] == 2
    assert (await resolve(daemon, callback, "failed")).code == 0
    lab.pbx.cli("channel request hangup all")
    await quiet(lab)
    assert len(rung(lab, number)) == 1


async def test_a_customer_on_the_line_is_not_cut_off_unless_forced(lab: Lab, daemon: Daemon) -> None:
    number = "+441514960121"
    lab.customer(number, Customer.answer())
    callback = await lost_track(daemon, number, "bridged")
    refused = await resolve(daemon, callback, "retry")
    assert refused.code == 1
    assert f"{callback}: not tried again: the customer is on the line now (" in refused.errors
    assert lab.channels()["pbx"] == 2, "they talk on"
    forced = await resolve(daemon, callback, "retry", "--force")
    assert forced.code == 0
    assert [line.partition("although: ")[2] for line in forced.errors.splitlines()] == [
        "the customer is on the line now",
        "the customer was reached: resolve it as completed",
    ]
    assert lab.channels()["pbx"] == 0
    lab.customer(number, Customer.answer(talk_ms=500))
    daemon.start()
    await daemon.until_settled([callback], final=True)
    assert daemon.stop() == 0
    await quiet(lab)
    assert len(rung(lab, number)) == 2


async def test_an_end_that_the_pbx_recorded_is_shown_first_and_speaks_against_a_retry(lab: Lab, daemon: Daemon) -> None:
    number = "+441514960122"
    lab.customer(number, Customer.answer(talk_ms=2000))
    callback = await lost_track(daemon, number, "bridged")
    await quiet(lab)
    refused = await resolve(daemon, callback, "retry")
    assert refused.code == 1
    assert refused.lines[0].startswith("the PBX  main recorded: connected, 2.")
    assert f"{callback}: not tried again: the customer was reached: resolve it as completed (" in refused.errors
    sound = daemon.house.config.read_text()
    daemon.house.config.write_text(sound.replace(lab.ami.secret, "not-the-secret"))
    unheard = await resolve(daemon, callback, "retry")
    assert unheard.code == 1
    assert unheard.lines[0] == "the PBX  main cannot be asked: it refuses our user or secret"
    assert "it refuses our user or secret (mend that" in unheard.errors
    assert "not-the-secret" not in unheard.errors
    daemon.house.config.write_text(sound)
    told = json.loads("".join((await resolve(daemon, callback, "completed", "--json")).lines))
    assert told["status"] == "completed"
    assert told["evidence"]["pbx_now"]["outcome"] == "connected"
    assert told["evidence"]["pbx_now"]["talk_seconds"] == pytest.approx(2, abs=0.5)
    assert len(rung(lab, number)) == 1


async def test_a_pbx_that_keeps_no_revocation_refuses_a_retry(lab: Lab, daemon: Daemon) -> None:
    number = "+441514960123"
    lab.customer(number, Customer.no_answer())
    callback = await lost_track(daemon, number, "customer_ringing")
    with _losing(lab, "mi-no"):
        refused = await resolve(daemon, callback, "retry")
    assert refused.code == 1
    assert "not tried again: PBX main: it did not keep the revocation of the last attempt (" in refused.errors
    assert (await row(daemon, callback)).status is Status.NEEDS_REVIEW
    assert lab.channels()["pbx"] == 2
    lab.pbx.cli("channel request hangup all")
    await quiet(lab)
    assert len(rung(lab, number)) == 1


async def test_what_was_decided_meanwhile_stands(lab: Lab, daemon: Daemon) -> None:
    (callback,) = await cut_off(daemon, lab, ["+441514960124"])
    first, second = await asyncio.gather(resolve(daemon, callback, "completed"), resolve(daemon, callback, "failed"))
    lost, won = sorted((first, second), key=lambda told: told.code, reverse=True)
    assert (lost.code, won.code) == (1, 0)
    assert f"dialer: {callback}: " in lost.errors
    async with daemon.store() as store:
        assert len(await store.resolutions(callback)) == 1
    assert daemon.stop() == 0


async def test_at_a_narrow_terminal_nothing_is_cut(lab: Lab, daemon: Daemon) -> None:
    number = "+441514960125"
    lab.customer(number, Customer.answer(talk_ms=500))
    callback = await lost_track(daemon, number, "bridged")
    await quiet(lab)
    shown = await asyncio.to_thread(
        Host(daemon.house.folder).at_terminal,
        60,
        *("callbacks", "resolve", callback, "--as", "completed", "--reason", "heard it"),
    )
    lines = shown.splitlines()
    assert "connected" in lines[0] + lines[1]
    assert all(len(line) <= 60 for line in lines[:-1] if "\x1b" not in line)
    assert number in shown


@contextlib.contextmanager
def _losing(lab: Lab, family: str) -> Iterator[None]:
    """An AstDB that takes back what is written to a family, as one on a full disk does."""
    over = threading.Event()

    def lose() -> None:
        while not over.is_set():
            lab.pbx.cli(f"database deltree {family}")

    thief = threading.Thread(target=lose)
    thief.start()
    try:
        yield
    finally:
        over.set()
        thief.join()
