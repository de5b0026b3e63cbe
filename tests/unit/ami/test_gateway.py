"""One PBX kept in sight through every loss: told once, replaced, and nothing replayed."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from dialer.ami.codec import MAX_MESSAGE
from dialer.ami.config import TlsConfig
from dialer.ami.database import NO_ENTRY
from dialer.ami.gateway import Gateway
from dialer.ami.messages import DIALPLAN_VERSION, Action
from dialer.domain import events as ev
from dialer.domain.errors import (
    ActionRefused,
    ConfigurationError,
    DialplanMismatch,
    LinkDown,
    LoginRefused,
    NeverSent,
    OutcomeUnknown,
    ProtocolViolation,
)
from dialer.engine.ports import DeviceState, Traces, Unfinished
from tests.unit.ami.samples import ATTEMPT, ORDER
from tests.unit.ami.scripted import (
    BOOTED,
    IDENTITY,
    PATIENCE,
    Scripted,
    Sink,
    entry,
    event,
    listed,
    refuse,
    reply,
    running,
    silence,
    stored,
)

RINGING = event("DialState", DestUniqueid=f"mi-{ATTEMPT}", DestLinkedid=f"mi-{ATTEMPT}", DialStatus="RINGING")
DEVICES = ["PJSIP/anna", "PJSIP/ben"]


def gateway(pbx: Scripted, sink: Sink) -> Gateway:
    return Gateway(pbx.config(), DEVICES, sink, Random(1))


async def test_device_states_are_told_in_the_order_of_the_wire() -> None:
    def answer(action: Action | object) -> bytes:
        assert isinstance(action, dict)
        about = {"ActionID": action["ActionID"]}
        return (
            reply(action)
            + event("DeviceStateChange", Device="PJSIP/anna", State="NOT_INUSE", **about)
            + event("DeviceStateChange", Device="PJSIP/anna", State="INUSE")
            + event("DeviceStateChange", Device="PJSIP/somebody", State="INUSE")
            + event("DeviceStateListComplete", **about)
        )

    sink = Sink()
    async with Scripted(DeviceStateList=answer) as pbx, running(gateway(pbx, sink).run()):
        await sink.until(lambda: len(sink.told) >= 4)
    assert sink.told[:4] == [
        ("up", "lab", "2026-03-01 12:00:00"),
        ("lab", "PJSIP/anna", DeviceState.NOT_INUSE),
        ("lab", "PJSIP/anna", DeviceState.INUSE),
        ("lab", "PJSIP/ben", DeviceState.UNKNOWN),
    ]


ANSWERED = {
    "ChannelState": "6",
    "CallerIDNum": "+441614960901",
    "Context": "from-trunk",
    "Uniqueid": "1.2",
    "Linkedid": "1.2",
}


async def test_a_call_that_comes_in_is_told_once_and_only_where_one_listens() -> None:
    sink, deaf = Sink(), Sink()
    async with Scripted() as pbx, Scripted() as other:
        listening = Gateway(pbx.config(), DEVICES, sink, Random(1), inbound={"from-trunk": "carrier"})
        async with running(listening.run()), running(gateway(other, deaf).run()):
            await sink.until(lambda: sink.count("lab") == len(DEVICES))
            await deaf.until(lambda: deaf.count("lab") == len(DEVICES))
            for each in (pbx, other):
                each.say(event("Newstate", **ANSWERED) * 2 + RINGING)
            await sink.until(lambda: (ATTEMPT, ev.AgentRinging()) in sink.told)
            await deaf.until(lambda: (ATTEMPT, ev.AgentRinging()) in deaf.told)
        assert pbx.seen["Filter"] == other.seen["Filter"] + 2
    assert [entry for entry in sink.told if entry[0] == "called in"] == [
        ("called in", "lab", "carrier", "+441614960901")
    ]
    assert deaf.count("called in") == 0


# --- keeping a session up --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["cut", "garbage", "mute"])
async def test_a_lost_session_is_told_replaced_and_nothing_replayed(fault: str) -> None:
    sink = Sink()
    async with Scripted(Originate=silence) as pbx, running((pbx_side := gateway(pbx, sink)).run()):
        await sink.until(lambda: sink.count("lab") == 2)
        asking = asyncio.create_task(pbx_side.originate(ORDER))
        await pbx.until("Originate")
        match fault:
            case "cut":
                pbx.cut()
            case "garbage":
                pbx.say(b"x" * (MAX_MESSAGE + 1))
            case _:
                pbx.answers["Ping"] = silence
        with pytest.raises(OutcomeUnknown):
            await asking
        pbx.answers["Ping"] = reply
        await sink.until(lambda: sink.count("up") >= 2)
        pbx.say(RINGING)
        await sink.until(lambda: (ATTEMPT, ev.AgentRinging()) in sink.told)
    assert pbx.seen["Originate"] == 1
    assert sink.count("down") == sink.count("up") - 1


async def test_without_a_session_nothing_is_sent() -> None:
    sink = Sink()
    async with Scripted() as pbx:
        idle = gateway(pbx, sink)
        with pytest.raises(NeverSent):
            await idle.originate(ORDER)
        with pytest.raises(LinkDown):
            await idle.traces([ATTEMPT])
        assert (idle.name, idle.boot) == ("lab", "")


@pytest.mark.parametrize(
    ("action", "answer", "error"),
    [
        ("Login", refuse("Authentication failed"), LoginRefused),
        ("Getvar", lambda action: reply(action, Value="1"), DialplanMismatch),
        ("Getvar", reply, DialplanMismatch),
    ],
)
async def test_what_only_a_person_can_mend_ends_the_first_login_and_slows_a_later_one(
    action: str, answer: object, error: type[Exception]
) -> None:
    assert callable(answer)
    sink = Sink()
    async with Scripted() as pbx:
        pbx.answers[action] = answer
        with pytest.raises(error) as failure:
            await gateway(pbx, sink).run()
        assert "opensesame" not in str(failure.value)
        assert sink.told == []
        good = pbx.answers | {
            "Login": lambda each: reply(each) + BOOTED,
            "Getvar": lambda each: reply(each, Value=DIALPLAN_VERSION),
        }
        bad, pbx.answers = pbx.answers, good
        with capture_logs() as logs:
            async with running(gateway(pbx, sink).run()):
                await sink.until(lambda: sink.count("lab") == len(DEVICES))
                pbx.answers = bad
                pbx.forget()
                pbx.cut()
                for _ in range(3):
                    await pbx.until("Login")
                pbx.answers = good
                await sink.until(lambda: sink.count("up") == 2)
    said = [entry["reason"] for entry in logs if entry["log_level"] == "warning"]
    assert len(said) == len(set(said)) == 2, "the loss, and the refusal: each once"


class Counting(Random):
    """Tells when the fifth pause is drawn."""

    def __init__(self) -> None:
        super().__init__(1)
        self.fifth = asyncio.Event()
        self.drawn = 0

    def uniform(self, a: float, b: float) -> float:
        self.drawn += 1
        if self.drawn == 5:
            self.fifth.set()
        return super().uniform(a, b)


async def test_a_pbx_that_is_away_is_said_once() -> None:
    async with Scripted() as pbx:
        config = pbx.config()
    pauses = Counting()
    with capture_logs() as logs:
        async with running(Gateway(config, [], Sink(), pauses).run()), asyncio.timeout(PATIENCE):
            await pauses.fifth.wait()
    assert [entry["reason"] for entry in logs] == ["nothing listens there"]
    assert logs[0]["at"].startswith("127.0.0.1:")
    assert "manager.conf" in logs[0]["remedy"]


async def test_a_ca_file_that_vanishes_ends_only_the_first_login(tmp_path: Path) -> None:
    async with Scripted() as pbx:
        config = pbx.config(tls=TlsConfig(tmp_path / "ca.pem"))
        with pytest.raises(ConfigurationError):
            await Gateway(config, [], Sink(), Random(1)).run()


async def test_pauses_grow_to_their_cap_and_are_spread() -> None:
    async with Scripted() as pbx:
        waiting = Gateway(replace(pbx.config(), backoff_first=0.5, backoff_cap=30.0), [], Sink(), Random(7))
    pauses = [waiting._pause() for _ in range(2000)]
    for tries, pause in enumerate(pauses):
        assert 0 <= pause <= min(30.0, 0.5 * 2 ** min(tries, 16))
    assert max(pauses) > 29
    assert min(pauses[20:]) < 1


async def test_a_pbx_that_stops_gracefully_is_down_but_still_heard() -> None:
    sink = Sink()
    async with Scripted() as pbx, running(gateway(pbx, sink).run()):
        await sink.until(lambda: sink.count("up") == 1)
        pbx.answers["Ping"] = refuse("Asterisk is shutting down")
        await sink.until(lambda: sink.count("down") == 1)
        assert sink.told[-1] == ("down", "lab", "the PBX is shutting down: it takes no new calls")
        pbx.say(RINGING)
        await sink.until(lambda: (ATTEMPT, ev.AgentRinging()) in sink.told)
        assert pbx.seen["Login"] == 1
        pbx.answers["Ping"] = reply
        await sink.until(lambda: sink.count("up") == 2)
    assert sink.count("down") == 1


@pytest.mark.parametrize("older", [False, True])
async def test_an_older_asterisk_gets_the_older_filters(older: bool) -> None:  # noqa: FBT001  # a parameter
    sink = Sink()
    async with Scripted() as pbx:
        if older:
            pbx.answers["Filter"] = reply
        async with running(gateway(pbx, sink).run()):
            asked = [await pbx.until("Filter") for _ in range(9)]
            await sink.until(lambda: sink.count("up") == 1)
        assert pbx.seen["Filter"] == 9
    assert ["MatchCriteria" in action for action in asked] == [True, *[not older] * 8]


async def test_a_link_that_breaks_during_preparation_is_named_by_how_it_broke() -> None:
    sink = Sink()
    async with Scripted() as pbx:
        pbx.answers["Getvar"] = lambda _: b"x" * (MAX_MESSAGE + 1)
        with capture_logs() as logs:
            async with running(gateway(pbx, sink).run()):
                for _ in range(3):
                    await pbx.until("Getvar")
    assert [entry["reason"] for entry in logs] == ["a message has no end"]


# --- traces --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            stored("answered|1"),
            Traces(agent_alive=False, customer_alive=False, journal=Unfinished("answered"), identity=IDENTITY),
        ),
        (
            stored("\0"),
            Traces(agent_alive=False, customer_alive=False, journal=Unfinished("unreadable"), identity=IDENTITY),
        ),
        (
            refuse("Database entry not found"),
            Traces(agent_alive=False, customer_alive=False, journal=None, identity=IDENTITY),
        ),
        (refuse("Asterisk is shutting down"), ActionRefused),
        (listed("DBGetComplete"), ProtocolViolation),
        (silence, OutcomeUnknown),
    ],
)
async def test_only_a_plain_no_means_that_the_journal_is_empty(answer: object, expected: object) -> None:
    assert callable(answer)
    sink = Sink()
    async with Scripted(DBGet=entry(answer)) as pbx, running((asking := gateway(pbx, sink)).run()):
        await sink.until(lambda: sink.count("up") == 1)
        if isinstance(expected, type) and issubclass(expected, Exception):
            with pytest.raises(expected):
                await asking.traces([ATTEMPT])
        else:
            assert await asking.traces([ATTEMPT]) == {ATTEMPT: expected}


async def test_a_database_that_was_wiped_is_told_and_ends_the_session() -> None:
    sink = Sink()
    async with Scripted(DBGet=entry(refuse(NO_ENTRY))) as pbx, running((asking := gateway(pbx, sink)).run()):
        await sink.until(lambda: sink.count("up") == 1)
        pbx.answers["DBGet"] = refuse(NO_ENTRY)
        found = await asking.traces([ATTEMPT])
        pbx.answers["DBGet"] = stored("01HZXW0000000000000000000F")
        await sink.until(lambda: sink.count("up") == 2)
        assert asking.identity == "01HZXW0000000000000000000F"
    assert found == {ATTEMPT: Traces(agent_alive=False, customer_alive=False, journal=None, identity="")}
    assert ("down", "lab", "its database was wiped or replaced") in sink.told


@pytest.mark.parametrize("put", [reply, refuse("Failed to update entry")])
async def test_a_database_that_keeps_nothing_is_not_dialled_through(put: object) -> None:
    assert callable(put)
    sink = Sink()
    async with Scripted(DBGet=refuse(NO_ENTRY), DBPut=put) as pbx:
        with capture_logs() as logs:
            async with running(Gateway(pbx.config(), DEVICES, sink, Random(1), flush=0).run()):
                for _ in range(2):
                    await pbx.until("DBPut")
    assert sink.count("up") == 0
    assert [(entry["reason"], "free its disk" in entry["remedy"]) for entry in logs] == [
        ("its database does not keep what is written to it", True)
    ]


@pytest.mark.parametrize("value", ["", "noon", "-1"])
async def test_a_pbx_that_does_not_know_the_time_says_nothing(value: str) -> None:
    sink = Sink()
    async with Scripted() as pbx, running((asking := gateway(pbx, sink)).run()):
        await sink.until(lambda: sink.count("up") == 1)
        pbx.answers["Getvar"] = lambda action: reply(action, Value=value)
        with pytest.raises(ProtocolViolation):
            await asking.now()
