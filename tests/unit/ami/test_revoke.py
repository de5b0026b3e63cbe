"""Revoking against a PBX whose database forgets, refuses or falls silent: only what stayed counts as revoked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from structlog.testing import capture_logs

from dialer.ami.gateway import Gateway
from dialer.domain.errors import ActionRefused, LinkDown, NeverSent, OutcomeUnknown
from dialer.domain.ids import AttemptId, channel_id
from tests.unit.ami.samples import ATTEMPT
from tests.unit.ami.scripted import (
    IDENTITY,
    PATIENCE,
    Action,
    Scripted,
    Sink,
    event,
    listed,
    refuse,
    reply,
    running,
    silence,
    stored,
)

OTHER = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
BOTH = (ATTEMPT, OTHER)
LONG = 60.0  # seconds that no test waits for


class Database:
    """The PBX's database, with the faults of a real one's disk; `keys` is what is in it."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.read_back = 0  # questions for a revocation
        self.refusals = 0  # writes still to be refused
        self.rollbacks: dict[str, int] = {}  # key → acknowledged writes still to be taken back
        self.overwritten_by = ""  # what somebody else writes right after us

    def put(self, action: Action) -> bytes:
        assert action["Family"] == "mi-no"
        if self.refusals:
            self.refusals -= 1
            return reply(action, "Error", Message="Failed to update entry")
        if self.rollbacks.get(action["Key"], 0):
            self.rollbacks[action["Key"]] -= 1
        else:
            self.keys[action["Key"]] = self.overwritten_by or action["Val"]
        return reply(action)

    def get(self, action: Action) -> bytes:
        if action["Family"] == "mi":
            return stored(IDENTITY)(action) or b""
        assert action["Family"] == "mi-no"
        self.read_back += 1
        if action["Key"] not in self.keys:
            return reply(action, "Error", Message="Database entry not found")
        about = {"ActionID": action["ActionID"]}
        found = event("DBGetResponse", Family="mi-no", Key=action["Key"], Val=self.keys[action["Key"]], **about)
        return reply(action) + found + event("DBGetComplete", **about)


@asynccontextmanager
async def revoking(database: Database, flush: float = 0.0) -> AsyncIterator[tuple[Scripted, Gateway]]:
    """A gateway that is up, to a PBX with that database."""
    sink = Sink()
    async with Scripted(DBPut=database.put, DBGet=database.get) as pbx:
        gateway = Gateway(pbx.config(), [], sink, Random(1), flush=flush)
        async with running(gateway.run()):
            await sink.until(lambda: sink.count("up") == 1)
            pbx.seen.clear()
            yield pbx, gateway


async def test_what_was_written_and_stayed_is_revoked() -> None:
    database = Database()
    async with revoking(database) as (pbx, gateway):
        with capture_logs() as logs:
            assert await gateway.revoke(BOTH) == set(BOTH)
        assert set(database.keys) == {channel_id(attempt) for attempt in BOTH}
        assert (pbx.seen["DBPut"], pbx.seen["DBGet"]) == (2, 2)
    assert all(float(value) > 0 for value in database.keys.values())
    assert logs == []


async def test_nothing_is_asked_about_no_attempts() -> None:
    async with revoking(Database(), flush=LONG) as (pbx, gateway):
        assert await gateway.revoke([]) == frozenset()
        assert pbx.seen["DBPut"] == 0


async def test_nothing_is_read_back_before_the_flush() -> None:
    async with revoking(Database(), flush=LONG) as (pbx, gateway), running(_revoke(gateway)) as task:
        for _ in BOTH:
            await pbx.until("DBPut")
        for _ in range(10):  # whole exchanges, in which a reader without patience would long have asked and been told
            await gateway.traces([])
        assert pbx.seen["DBGet"] == 0
        assert not task.done()


async def _revoke(gateway: Gateway) -> None:
    await gateway.revoke(BOTH)


@pytest.mark.parametrize("lost", [1, 2])
async def test_what_the_pbx_took_back_is_written_again_and_alone(lost: int) -> None:
    database = Database()
    database.rollbacks = {channel_id(OTHER): lost}
    async with revoking(database) as (pbx, gateway):
        assert await gateway.revoke(BOTH) == set(BOTH)
        assert pbx.seen["DBPut"] == 2 + lost


async def test_what_never_stays_is_not_revoked_and_said_once() -> None:
    database = Database()
    database.rollbacks = {channel_id(OTHER): 99}
    async with revoking(database) as (pbx, gateway):
        with capture_logs() as logs:
            assert await gateway.revoke(BOTH) == {ATTEMPT}
        assert pbx.seen["DBPut"] == 4
    assert [entry["revocations"] for entry in logs] == [1]


async def test_a_refused_write_is_not_believed_even_where_an_older_one_is_found() -> None:
    """Somebody else's, of a moment ago, may not be on disk yet."""
    database = Database()
    database.refusals = 3
    database.keys = {channel_id(ATTEMPT): "1"}
    async with revoking(database) as (pbx, gateway):
        assert await gateway.revoke([ATTEMPT]) == frozenset()
        assert (pbx.seen["DBPut"], pbx.seen["DBGet"]) == (3, 0)
        assert await gateway.revoke([ATTEMPT]) == {ATTEMPT}


async def test_the_text_read_back_must_be_our_own() -> None:
    database = Database()
    database.overwritten_by = "1"
    async with revoking(database) as (_, gateway):
        assert await gateway.revoke([ATTEMPT]) == frozenset()


async def test_a_pbx_that_will_not_say_has_not_shown_it() -> None:
    async with revoking(Database()) as (pbx, gateway):
        pbx.answers["DBGet"] = refuse("Asterisk is shutting down")
        assert await gateway.revoke([ATTEMPT]) == frozenset()


@pytest.mark.parametrize("action", ["DBPut", "DBGet"])
async def test_an_answer_that_never_comes_leaves_nothing_known(action: str) -> None:
    async with revoking(Database()) as (pbx, gateway):
        pbx.answers[action] = silence
        with pytest.raises(OutcomeUnknown):
            await gateway.revoke(BOTH)


async def test_a_link_lost_before_the_read_back_leaves_nothing_known() -> None:
    database = Database()
    async with revoking(database, flush=0.05) as (pbx, gateway):
        asking = asyncio.create_task(gateway.revoke(BOTH))
        for _ in BOTH:
            await pbx.until("DBPut")
        pbx.cut()
        with pytest.raises((NeverSent, OutcomeUnknown)):
            async with asyncio.timeout(PATIENCE):
                await asking
    assert database.read_back == 0


# --- hanging up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "told"),
    [(reply, True), (refuse("No such channel"), False), (silence, True)],
)
async def test_a_leg_that_is_gone_needs_no_hanging_up(answer: object, told: bool) -> None:  # noqa: FBT001  # a parameter
    assert callable(answer)
    async with revoking(Database()) as (pbx, gateway):
        pbx.answers["Hangup"] = answer
        assert await gateway.hang_up(ATTEMPT) is told
        assert (await pbx.until("Hangup"))["Channel"] == channel_id(ATTEMPT)


async def test_what_the_pbx_will_not_hang_up_is_told() -> None:
    async with revoking(Database()) as (pbx, gateway):
        pbx.answers["Hangup"] = refuse("Permission denied")
        with pytest.raises(ActionRefused):
            await gateway.hang_up(ATTEMPT)


async def test_a_link_lost_under_a_hang_up_leaves_nothing_known() -> None:
    async with revoking(Database()) as (pbx, gateway):
        pbx.answers["Hangup"] = silence
        asking = asyncio.create_task(gateway.hang_up(ATTEMPT))
        await pbx.until("Hangup")
        pbx.cut()
        with pytest.raises(OutcomeUnknown):
            await asking


async def test_what_is_linked_to_the_agents_leg_goes_with_it() -> None:
    own = channel_id(ATTEMPT)
    legs = {own: own, "1.2": own, "1.3": "1.3"}

    def channels(action: Action) -> bytes | None:
        about = {"ActionID": action["ActionID"]}
        listed_legs = (event("CoreShowChannel", Uniqueid=leg, Linkedid=to, **about) for leg, to in legs.items())
        return listed("CoreShowChannelsComplete", *listed_legs)(action)

    async with revoking(Database()) as (pbx, gateway):
        pbx.answers["CoreShowChannels"] = channels
        await gateway.hang_up(ATTEMPT)
        assert [(await pbx.until("Hangup"))["Channel"] for _ in range(2)] == [own, "1.2"]
        assert pbx.seen["Hangup"] == 2


async def test_without_a_session_nothing_is_revoked_or_hung_up() -> None:
    async with Scripted() as pbx:
        idle = Gateway(pbx.config(), [], Sink(), Random(1))
        with pytest.raises(LinkDown):
            await idle.revoke([ATTEMPT])
        with pytest.raises(LinkDown):
            await idle.hang_up(ATTEMPT)
