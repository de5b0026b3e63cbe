"""The dialplan that ships, on a real Asterisk: what the journal says, against what the far end saw."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.asterisk.conftest import SCENARIO_AGENTS
from tests.lab import Agent, Behaviour, Customer, FarCall, Lab
from tests.lab.ami import AmiClient, Message
from tests.lab.attempt import Attempt, Ended
from tests.lab.behaviour import NEVER
from tests.lab.carrier import NO_COMMON_CODEC, Carrier
from tests.lab.config import SHIPPED
from tests.lab.consulting import ALAW, ConsultingPhone
from tests.lab.ports import HOST
from tests.lab.waiting import quiet, until

ACCEPT = Agent.accept(press_ms=200)
CAME_LATER = (
    " same => n,HangupCauseClear()",
    ' same => n,GotoIf($["${UNIQUEID:0:3}"',
    ' same => n,GotoIf($["${MI_TRUNK}" = ""',
)
"""How lines before the Dial begin, without which a dialplan does the same."""


@dataclass(frozen=True)
class Case:
    """One story: what the phones do, and what the journal must say."""

    name: str
    agent: Behaviour
    customer: Behaviour
    step: str
    dial_status: str
    cause: str
    why: str = ""
    who: str = ""
    talked: float | None = None  # seconds between the customer's answer and the end
    variables: tuple[tuple[str, str | None], ...] = ()
    dispositions: tuple[str, str] = ("ANSWERED", "")  # the far end's: agent, customer ("": never rung)
    timeout_ms: int = 20000
    rang: str = ""  # not dialled; else "0" or "1"
    sip: str = ""  # the last that was heard of the customer's leg


REACHED, ACCEPTED, PLACED = "", "agent_answered", "customer_dialled"
BRIDGED = ("ANSWERED", "ANSWERED")
CASES = [
    Case("customer hangs up", ACCEPT, Customer.answer(talk_ms=1500), PLACED, "ANSWER", "16", who="customer", talked=1.5,
         dispositions=BRIDGED, rang="1"),
    Case("customer hangs up, with audio", Agent.accept(audio="tone"), Customer.answer(talk_ms=1500, audio="tone"),
         PLACED, "ANSWER", "16", who="customer", talked=1.5, dispositions=BRIDGED, rang="1"),
    Case("agent hangs up", Agent.accept(press_ms=200, talk_ms=3000), Customer.answer(audio="echo"), PLACED, "ANSWER",
         "16", who="agent", dispositions=BRIDGED, rang="1"),
    Case("early media, no ringing", ACCEPT, Customer.answer(alert="183", ring_ms=700, talk_ms=1000), PLACED, "ANSWER",
         "16", who="customer", talked=1.0, dispositions=BRIDGED, rang="1"),
    Case("answers at once", ACCEPT, Customer.at_once(talk_ms=1000), PLACED, "ANSWER", "16", who="customer", talked=1.0,
         dispositions=BRIDGED, rang="1"),
    Case("answers late", ACCEPT, Customer.answer(ring_ms=4000, talk_ms=500), PLACED, "ANSWER", "16", who="customer",
         talked=0.5, dispositions=BRIDGED, rang="1"),
    Case("answering is accepting", Agent.never_presses(), Customer.answer(talk_ms=1000), PLACED, "ANSWER", "16",
         who="customer", talked=1.0, variables=(("MI_ACCEPT", "0"),), dispositions=BRIDGED, rang="1"),
    Case("the longest call", ACCEPT, Customer.answer(), PLACED, "ANSWER", "16", why="max_duration", talked=2.0,
         variables=(("MI_MAX", "2"),), dispositions=BRIDGED, rang="1"),
    Case("the longest call, transferred", Agent.transfers("hana", after_ms=2000), Customer.answer(), PLACED, "ANSWER",
         "16", why="max_duration", talked=4.0, variables=(("MI_MAX", "4"),), dispositions=BRIDGED, rang="1"),
    Case("the customer transfers", ACCEPT, Behaviour(after_ms=1500, transfer="ben"), PLACED, "ANSWER", "16",
         who="customer", talked=1.5, dispositions=BRIDGED, rang="1"),
    Case("defaults for ring and length", ACCEPT, Customer.answer(talk_ms=500), PLACED, "ANSWER", "16", who="customer",
         talked=0.5, variables=(("MI_MAX", None), ("MI_RING", None), ("MI_BY", None)), dispositions=BRIDGED, rang="1"),
    Case("customer busy", ACCEPT, Customer.busy(), PLACED, "BUSY", "17", dispositions=("ANSWERED", "BUSY"), rang="1",
         sip="486"),
    Case("customer rang out", ACCEPT, Customer.no_answer(), PLACED, "NOANSWER", "16", variables=(("MI_RING", "2"),),
         dispositions=("ANSWERED", "NO ANSWER"), rang="1", sip="180"),
    Case("customer declined 603", ACCEPT, Customer.declined(603), PLACED, "CHANUNAVAIL", "21",
         dispositions=("ANSWERED", "NO ANSWER"), rang="1", sip="603"),
    Case("customer declined 403", ACCEPT, Customer.declined(403), PLACED, "CHANUNAVAIL", "21",
         dispositions=("ANSWERED", "NO ANSWER"), rang="1", sip="403"),
    Case("the carrier takes no call of ours", ACCEPT, Customer.barred(), PLACED, "CHANUNAVAIL", "21",
         dispositions=("ANSWERED", "NO ANSWER"), rang="0", sip="403"),
    Case("the carrier sends us elsewhere", ACCEPT, Customer.forwards("hana"), PLACED, "BUSY", "16",
         dispositions=("ANSWERED", "NO ANSWER"), rang="0", sip=" or 100 or 302"),
    Case("no such number", ACCEPT, Customer.unallocated(), PLACED, "CHANUNAVAIL", "1",
         dispositions=("ANSWERED", "NO ANSWER"), rang="0", sip="404"),
    Case("carrier congestion", ACCEPT, Customer.congestion(), PLACED, "CONGESTION", "34",
         dispositions=("ANSWERED", "CONGESTION"), rang="0", sip="503"),
    Case("carrier congestion after ringing", ACCEPT, Customer.congestion("180"), PLACED, "CONGESTION", "34",
         dispositions=("ANSWERED", "CONGESTION"), rang="1", sip="503"),
    Case("carrier congestion after early media", ACCEPT, Customer.congestion("183"), PLACED, "CONGESTION", "34",
         dispositions=("ANSWERED", "CONGESTION"), rang="1", sip="503"),
    Case("busy at once", ACCEPT, Behaviour(alert="none", ring_ms=0, refuse=486), PLACED, "BUSY", "17",
         dispositions=("ANSWERED", "BUSY"), rang="0", sip="486"),
    Case("early media rang out", ACCEPT, Customer.no_answer("183"), PLACED, "NOANSWER", "16",
         variables=(("MI_RING", "2"),), dispositions=("ANSWERED", "NO ANSWER"), rang="1", sip="183"),
    Case("the carrier says nothing", ACCEPT, Customer.no_answer("none"), PLACED, "NOANSWER", "16",
         variables=(("MI_RING", "2"),), dispositions=("ANSWERED", "NO ANSWER"), rang="0", sip="100"),
    Case("agent hangs up while the customer rings", Agent.accept(press_ms=200, talk_ms=2500), Customer.no_answer(),
         PLACED, "CANCEL", "16", dispositions=("ANSWERED", "NO ANSWER"), rang="1"),
    Case("no such trunk", ACCEPT, Customer.answer(), PLACED, "CHANUNAVAIL", "3", rang="0",
         variables=(("MI_TRUNK", "nowhere"),)),
    Case("agent busy", Agent.busy(), Customer.answer(), REACHED, "", "17", dispositions=("BUSY", "")),
    Case("agent rang out", Agent.no_answer(), Customer.answer(), REACHED, "", "19", dispositions=("NO ANSWER", ""),
         timeout_ms=2000),
    Case("agent declined 603", Agent.declined(603), Customer.answer(), REACHED, "", "21",
         dispositions=("NO ANSWER", "")),
    Case("agent declined 403", Agent.declined(403), Customer.answer(), REACHED, "", "21",
         dispositions=("NO ANSWER", "")),
    Case("agent presses nothing", Agent.never_presses(), Customer.answer(), ACCEPTED, "", "16", why="agent_silent"),
    Case("voicemail takes the call", Agent.voicemail(), Customer.answer(), ACCEPTED, "", "16", why="agent_silent"),
    Case("agent presses another key", Agent.presses("5"), Customer.answer(), ACCEPTED, "", "16", why="agent_declined"),
    Case("agent hangs up during the whisper", Agent.hangs_up(), Customer.answer(), ACCEPTED, "", "16"),
    Case("another database", ACCEPT, Customer.answer(), REACHED, "", "16", why="refused_wiped",
         variables=(("MI_DB", "01M87SAAAAAAAAAAAAAAAAAAAA"),)),
    Case("too late", ACCEPT, Customer.answer(), REACHED, "", "16", why="refused_late", variables=(("MI_BY", "1000"),)),
    Case("closed by then", ACCEPT, Customer.answer(), ACCEPTED, "", "16", why="refused_closed",
         variables=(("MI_UNTIL", "1000"),)),
    Case("open for long", ACCEPT, Customer.answer(talk_ms=500), PLACED, "ANSWER", "16", who="customer", talked=0.5,
         variables=(("MI_UNTIL", "99999999999"),), dispositions=BRIDGED, rang="1"),
    Case("no trunk given", ACCEPT, Customer.answer(), REACHED, "", "16", why="refused_setup",
         variables=(("MI_TRUNK", None),)),
    Case("no caller ID given", ACCEPT, Customer.answer(), REACHED, "", "16", why="refused_setup",
         variables=(("MI_CLI", None),)),
]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """How a story went: the MiEnd event's record, the journal's text, and the far end's calls."""

    record: str
    journal: str
    ended: Ended
    ends: int  # how many MiEnd events
    agent: list[FarCall]
    customer: list[FarCall]


def number_of(index: int) -> str:
    return f"+44161496{index:04}"


async def tell(lab: Lab, client: AmiClient, case: Case, index: int) -> tuple[Attempt, str]:
    agent, number = SCENARIO_AGENTS[index], number_of(index)
    lab.agent(agent, case.agent)
    lab.customer(number, case.customer)
    attempt = Attempt(agent, number, timeout_ms=case.timeout_ms, variables=case.variables)
    await attempt.originate(client)
    return attempt, await attempt.ended(client)


@pytest.fixture(scope="module")
async def told(lab: Lab) -> dict[str, Told]:
    """All the stories at once: the file takes as long as the longest."""
    async with await AmiClient.connect(lab.ami) as client:
        ends = await asyncio.gather(*(tell(lab, client, case, index) for index, case in enumerate(CASES)))
        await quiet(lab)
        calls = lab.far_end_calls()
        stories = {}
        for index, (case, (attempt, record)) in enumerate(zip(CASES, ends, strict=True)):
            stories[case.name] = Told(
                record=record,
                journal=await client.journal(attempt.id),
                ended=Ended.parse(record),
                ends=sum(event["UserEvent"] == "MiEnd" and event["Attempt"] == attempt.id for event in client.events),
                agent=[call for call in calls if call.dialled == attempt.agent],
                customer=[call for call in calls if call.dialled == number_of(index)],
            )
        return stories


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[AmiClient]:
    async with await AmiClient.connect(lab.ami) as session:
        yield session


def calls_to(lab: Lab, dialled: str) -> list[FarCall]:
    return [call for call in lab.far_end_calls() if call.dialled == dialled]


async def settled(lab: Lab, dialled: str, count: int) -> list[FarCall]:
    """The far end's calls to a phone, once there are so many and no channel is up."""
    await until(lambda: len(calls_to(lab, dialled)) >= count)
    await quiet(lab)
    return calls_to(lab, dialled)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_the_journal_tells_the_story(told: dict[str, Told], case: Case) -> None:
    story = told[case.name]
    assert story.journal == story.record
    assert story.ends == 1
    ended = story.ended
    assert (ended.step, ended.why, ended.dial_status, ended.cause, ended.who, ended.rang) == (
        case.step, case.why, case.dial_status, case.cause, case.who, case.rang,
    )  # fmt: skip
    assert ended.sip in case.sip.split(" or ")
    assert [call.disposition for call in story.agent] == [case.dispositions[0]]
    assert [call.disposition for call in story.customer] == ([case.dispositions[1]] if case.dispositions[1] else [])


@pytest.mark.parametrize("case", [case for case in CASES if case.dispositions == BRIDGED], ids=lambda case: case.name)
def test_talk_time_is_the_carriers(told: dict[str, Told], case: Case) -> None:
    story = told[case.name]
    talked = story.ended.talk_seconds
    assert talked is not None
    assert talked == pytest.approx(story.customer[0].billsec, abs=0.5)
    if case.talked is not None:
        assert talked == pytest.approx(case.talked, abs=0.5)
    assert story.customer[0].hung_up == (story.ended.who == "customer")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nobody_answered_where_nobody_answered(told: dict[str, Told], case: Case) -> None:
    story = told[case.name]
    assert (story.ended.answered_ms is None) == (case.dispositions != BRIDGED)


def test_the_customers_phone_stops_at_once_when_the_agent_leaves(told: dict[str, Told]) -> None:
    story = told["agent hangs up while the customer rings"]
    assert abs((story.customer[0].end - story.agent[0].end).total_seconds()) < 0.5


def test_the_customer_is_rung_no_sooner_than_the_journal_is_on_disk(told: dict[str, Told]) -> None:
    for story in told.values():
        if story.customer:
            answer = story.agent[0].answer
            assert answer is not None
            assert (story.customer[0].start - answer).total_seconds() > 1.2


def test_the_customer_sees_the_department_and_nothing_of_the_visitor(told: dict[str, Told]) -> None:
    call = told["customer hangs up"].customer[0]
    assert (call.caller_number, call.caller_name) == ("+442079460000", "")


async def test_the_agents_phone_shows_who_and_why(lab: Lab, client: AmiClient) -> None:
    lab.agent("anna", Agent.declined(ring_ms=0))
    page = "https%3A%2F%2Fwww.example.com%2F%3Fa%3D1%2CGLOBAL%28PWNED%29%3Dyes%26q%3D%22%5C" + "%C3%A9" * 130
    sent = (
        ("X-Mi-Callback-Id", "01CALLBACK"),
        ("X-Mi-Page", page),
        ("X-Mi-Department", "Sales%20%26%20Support"),
        ("Call-Info", f"<https://desk.example.com/{'c' * 675}>;purpose=info"),
    )
    attempt = Attempt("anna", "+441614969001", caller_id='"Sales: Zoë Müller" <+441614969001>', headers=sent)
    await attempt.originate(client)
    await attempt.ended(client)
    call = (await settled(lab, "anna", 1))[-1]
    assert (call.caller_name, call.caller_number) == ("Sales: Zoë Müller", "+441614969001")
    assert (call.callback_id, call.page, call.department, call.link) == tuple(value for _, value in sent)
    assert "GLOBAL" not in lab.pbx.cli("dialplan show globals").replace("MI_DIALPLAN_VERSION", "")


@pytest.mark.parametrize("agent", ["ursula", "nobody"])
async def test_a_phone_that_is_not_there_leaves_no_record(lab: Lab, client: AmiClient, agent: str) -> None:
    attempt = Attempt(agent, "+441614969002")
    await attempt.originate(client)
    answer = await client.event(
        lambda event: event.name == "OriginateResponse" and event["ActionID"] == f"{attempt.id}-1"
    )
    assert (answer["Response"], answer["Reason"]) == ("Failure", "0")
    assert await client.journal(attempt.id) == ""


async def revoke(client: AmiClient, attempt: Attempt) -> None:
    answer = await client.action("DBPut", ("Family", "mi-no"), ("Key", attempt.id), ("Val", "1"))
    assert answer["Response"] == "Success"


async def journal_says(client: AmiClient, attempt: Attempt, step: str) -> None:
    async def reached() -> bool:
        return (await client.journal(attempt.id)).startswith(f"{step}|")

    await until(reached)


async def refused(client: AmiClient, attempt: Attempt) -> Message:
    return await client.event(lambda event: event["UserEvent"] == "MiRefused" and event["Attempt"] == attempt.id)


async def test_revoked_before_the_answer(lab: Lab, client: AmiClient) -> None:
    lab.agent("ben", ACCEPT)
    attempt = Attempt("ben", "+441614969003")
    await revoke(client, attempt)
    await attempt.originate(client)
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why) == ("", "refused_revoked")
    assert await settled(lab, "+441614969003", 0) == []


async def test_closed_during_the_whisper_the_customer_is_not_rung(lab: Lab, client: AmiClient) -> None:
    lab.agent("anna", Agent.accept(press_ms=2500))
    attempt = Attempt("anna", "+441614969014", variables=(("MI_UNTIL", str(int(time.time()) + 2)),))
    await attempt.originate(client)
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why, ended.rang) == ("agent_answered", "refused_closed", "")
    assert await settled(lab, "+441614969014", 0) == []


async def test_a_customer_rung_before_closing_is_given_the_time_to_answer(lab: Lab, client: AmiClient) -> None:
    lab.agent("anna", ACCEPT)
    lab.customer("+441614969015", Customer.answer(ring_ms=4000, talk_ms=300))
    until_then = int(time.time()) + 4
    attempt = Attempt("anna", "+441614969015", variables=(("MI_UNTIL", str(until_then)),))
    await attempt.originate(client)
    ended = Ended.parse(await attempt.ended(client))
    assert ended.answered_ms is not None
    assert ended.answered_ms > until_then * 1000


async def test_phones_that_ring_and_are_refused_at_once_rang(lab: Lab, client: AmiClient) -> None:
    """180 and 503 in the same packet or two: what came first is not forgotten, or the next trunk would ring again."""
    attempts = []
    for index, agent in enumerate(SCENARIO_AGENTS[40:]):
        number = f"+4416149693{index:02}"
        lab.agent(agent, ACCEPT)
        lab.customer(number, Behaviour(ring_ms=index // 5, refuse=503))
        attempts.append(Attempt(agent, number))
    await asyncio.gather(*(attempt.originate(client) for attempt in attempts))
    ends = [Ended.parse(await attempt.ended(client)) for attempt in attempts]
    assert {(ended.dial_status, ended.rang) for ended in ends} == {("CONGESTION", "1")}


async def test_revoked_during_the_whisper_the_customer_is_not_rung(lab: Lab, client: AmiClient) -> None:
    lab.agent("ben", ACCEPT)
    attempt = Attempt("ben", "+441614969004")
    await attempt.originate(client)
    await journal_says(client, attempt, "agent_answered")
    await revoke(client, attempt)
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why) == ("customer_dialled", "refused_revoked")
    assert await settled(lab, "+441614969004", 0) == []


async def test_revoked_and_redirected_the_agent_hears_why(lab: Lab, client: AmiClient) -> None:
    lab.agent("ben", Agent.never_presses())
    attempt = Attempt("ben", "+441614969005")
    await attempt.originate(client)
    await journal_says(client, attempt, "agent_answered")
    await revoke(client, attempt)
    where = (("Context", "mi-revoked"), ("Exten", "s"), ("Priority", "1"))
    assert (await client.action("Redirect", ("Channel", attempt.id), *where))["Response"] == "Success"
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why) == ("agent_answered", "refused_revoked")
    assert await settled(lab, "+441614969005", 0) == []


async def test_a_twin_after_the_end_neither_rings_the_customer_nor_touches_the_record(
    lab: Lab, client: AmiClient
) -> None:
    lab.agent("cleo", ACCEPT)
    lab.customer("+441614969006", Customer.answer(talk_ms=300))
    attempt = Attempt("cleo", "+441614969006")
    await attempt.originate(client)
    record = await attempt.ended(client)
    await settled(lab, "+441614969006", 1)
    await attempt.originate(client, run=2)
    assert (await refused(client, attempt))["Why"] == "refused_again"
    assert len(await settled(lab, "+441614969006", 1)) == 1
    assert await client.journal(attempt.id) == record


async def test_a_twin_that_no_agent_answers_leaves_the_record(lab: Lab, client: AmiClient) -> None:
    lab.agent("cleo", ACCEPT)
    lab.customer("+441614969007", Customer.busy())
    attempt = Attempt("cleo", "+441614969007")
    await attempt.originate(client)
    record = await attempt.ended(client)
    await settled(lab, "+441614969007", 1)
    lab.agent("cleo", Agent.busy())
    await attempt.originate(client, run=2)
    assert (await refused(client, attempt))["Why"] == ""
    assert await client.journal(attempt.id) == record


async def test_a_twin_of_a_living_attempt_is_refused(lab: Lab, client: AmiClient) -> None:
    lab.agent("dan", ACCEPT)
    lab.customer("+441614969008", Customer.answer(talk_ms=1500))
    attempt = Attempt("dan", "+441614969008")
    await attempt.originate(client)
    await journal_says(client, attempt, "answered")
    await attempt.originate(client, run=2)
    twin = await client.event(
        lambda event: event.name == "OriginateResponse" and event["ActionID"] == f"{attempt.id}-2"
    )
    assert twin["Response"] == "Failure"
    assert Ended.parse(await attempt.ended(client)).who == "customer"
    assert len(await settled(lab, "+441614969008", 1)) == 1


@pytest.mark.parametrize("id_", ["", "mi-1796010099.1", "1796010099.01M8N8SB6GJQ1WJHPQHW8E0SYJ"])
async def test_a_channel_that_is_no_attempts_rings_nobody(lab: Lab, client: AmiClient, id_: str) -> None:
    """As a phone that forwards makes one, where its endpoint has `redirect_method = uri_core`."""
    lab.agent("anna", Agent.accept(press_ms=200))
    attempt = Attempt("anna", "+441614969017")
    fields = [(name, id_ if name == "ChannelId" else value) for name, value in attempt.fields()]
    await client.action("Originate", ("ActionID", f"{attempt.id}-1"), *(field for field in fields if field[1]))
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why) == ("", "refused_setup")
    assert await settled(lab, "+441614969017", 0) == []


@pytest.fixture(scope="module")
def pickup(lab: Lab) -> None:
    """The PBX offers its users to take each other's calls."""
    lab.pbx.cli("module load app_directed_pickup.so")


def rings_for(attempt: Attempt, event: Message) -> bool:
    """Whether an event says that the customer's phone rings."""
    ringing = event.name == "DialState" and event["DialStatus"] == "RINGING"
    return ringing and event["DestLinkedid"] == attempt.id != event["DestUniqueid"]


@pytest.mark.usefixtures("pickup")
async def test_a_colleague_who_picks_the_agents_call_up_rings_nobody(lab: Lab, client: AmiClient) -> None:
    """Their channel goes on in the place of the attempt's, with its variables, and with an id of its own."""
    lab.agent("anna", Agent.no_answer())
    lab.agent("ben", Agent.accept(press_ms=200))
    attempt = Attempt("anna", "+441614969019")
    await attempt.originate(client)
    rings = await client.event(lambda event: event.name == "DialState" and event["DestUniqueid"] == attempt.id)
    pickup = (("Channel", "PJSIP/ben"), ("Application", "PickupChan"), ("Data", rings["DestChannel"]))
    async with await AmiClient.connect(lab.ami_all) as other:
        await other.action("Originate", *pickup, ("Async", "true"))
        record = await attempt.ended(client)
    ended = Ended.parse(record)
    assert (ended.step, ended.why, ended.cause) == ("", "picked_up", "26")
    assert await settled(lab, "+441614969019", 0) == []
    assert await client.journal(attempt.id) == record
    assert calls_to(lab, "ben")[-1].disposition == "ANSWERED"


@pytest.mark.usefixtures("pickup")
async def test_a_colleague_who_picks_the_customers_call_up_is_not_the_customer(lab: Lab, client: AmiClient) -> None:
    """Their phone rang, went silent, and nobody talked to them: they are rung again."""
    lab.agent("anna", ACCEPT)
    lab.agent("ben", Agent.never_presses())
    lab.customer("+441614969020", Customer.no_answer())
    attempt = Attempt("anna", "+441614969020")
    await attempt.originate(client)
    async with await AmiClient.connect(lab.ami_all) as other:
        rings = await client.event(lambda event: rings_for(attempt, event))
        pickup = (("Channel", "PJSIP/ben"), ("Application", "PickupChan"), ("Data", rings["DestChannel"]))
        await other.action("Originate", *pickup, ("Async", "true"))
        record = await attempt.ended(client)
    ended = Ended.parse(record)
    assert (ended.step, ended.why, ended.dial_status) == ("customer_dialled", "picked_up", "NOANSWER")
    assert (ended.cause, ended.answered_ms, ended.rang) == ("26", None, "1")
    assert [call.disposition for call in await settled(lab, "+441614969020", 1)] == ["NO ANSWER"]
    assert await client.journal(attempt.id) == record
    ends = [event for event in client.events if event["UserEvent"] == "MiEnd" and event["Attempt"] == attempt.id]
    assert len(ends) == 1


async def test_a_transfer_keeps_the_record_open_until_the_customer_leaves(lab: Lab, client: AmiClient) -> None:
    lab.agent("eve", Agent.transfers("finn", after_ms=2000))
    lab.agent("finn", Agent.accept(press_ms=200))
    lab.customer("+441614969009", Customer.answer(talk_ms=5000))
    attempt = Attempt("eve", "+441614969009")
    await attempt.originate(client)
    await journal_says(client, attempt, "agent_left")
    await attempt.originate(client, run=2)  # the id is free again while the customer talks
    assert (await refused(client, attempt))["Why"] in {"refused_again", ""}
    ended = Ended.parse(await attempt.ended(client))
    customer = await settled(lab, "+441614969009", 1)
    assert ended.who == "customer"
    assert ended.talk_seconds == pytest.approx(customer[0].billsec, abs=0.5)
    assert len(customer) == 1
    assert len(calls_to(lab, "finn")) == 1


async def test_after_a_transfer_the_second_agent_may_end_it(lab: Lab, client: AmiClient) -> None:
    lab.agent("gus", Agent.transfers("hana", after_ms=2000))
    lab.agent("hana", Agent.never_presses(talk_ms=1000))
    lab.customer("+441614969010", Customer.answer())
    attempt = Attempt("gus", "+441614969010")
    await attempt.originate(client)
    ended = Ended.parse(await attempt.ended(client))
    customer = await settled(lab, "+441614969010", 1)
    assert ended.who == "agent"
    assert ended.talk_seconds == pytest.approx(customer[0].billsec, abs=0.5)


async def test_whoever_hangs_up_first_the_last_word_is_the_end(lab: Lab, client: AmiClient) -> None:
    """Both hang-up handlers run at the same time: 30 pairs of phones hang up within the same tenth of a second."""
    attempts = []
    for index, agent in enumerate(SCENARIO_AGENTS[30:]):
        number = f"+4416149691{index:02}"
        lab.agent(agent, Agent.accept(press_ms=200, talk_ms=2100 + 3 * index))
        lab.customer(number, Customer.answer(talk_ms=1000))
        attempts.append(Attempt(agent, number))
    await asyncio.gather(*(attempt.originate(client) for attempt in attempts))
    records = await asyncio.gather(*(attempt.ended(client) for attempt in attempts))
    await quiet(lab)
    assert [await client.journal(attempt.id) for attempt in attempts] == records
    assert {Ended.parse(record).who for record in records} <= {"agent", "customer"}


def load_dialplan(own: Lab, text: str) -> None:
    """Have the PBX go by this dialplan."""
    (own.root / "pbx" / "etc" / "extensions.conf").write_text(text)
    own.pbx.cli("dialplan reload")


def slow_down(own: Lab, line: str, seconds: float) -> None:
    """Have the dialplan that ships pause before a line, which begins so."""
    shipped = (SHIPPED / "extensions_mi.conf").read_text()
    assert line in shipped
    own.pbx.cli("module load func_shell.so")
    load_dialplan(own, shipped.replace(line, f" same => n,Set(X=${{SHELL(sleep {seconds})}})\n{line}"))


async def test_a_slow_handler_of_the_agents_leg_cannot_undo_the_end() -> None:
    """The agent's handler is held between its look at the end and its write, while the customer's handler ends it."""
    with Lab.create() as own:
        slow_down(own, " same => n,Set(DB(mi/${ARG1})=agent_left", 0.4)
        attempts = [Attempt(agent, f"+44161496920{index}") for index, agent in enumerate(own.agents)]
        async with await AmiClient.connect(own.ami_all) as everything:
            for index, attempt in enumerate(attempts):
                own.agent(attempt.agent, Agent.accept(press_ms=200, talk_ms=1900 + 100 * index))
                own.customer(attempt.number, Customer.answer(talk_ms=1000))
                await attempt.originate(everything)
            records = await asyncio.gather(*(attempt.ended(everything) for attempt in attempts))
            await quiet(own)
            assert [await everything.journal(attempt.id) for attempt in attempts] == records
            assert any("=agent_left|" in event["AppData"] for event in everything.events)


@pytest.mark.parametrize("shorter_by", [1, 2, 3])
async def test_a_newer_dialplan_loaded_under_a_call_does_not_ring_its_customer_again(shorter_by: int) -> None:
    """After a reload, Asterisk goes on at the next number of the new dialplan: above its Dial, where that moved."""
    with Lab.create() as own:
        shipped = (SHIPPED / "extensions_mi.conf").read_text()
        lines = shipped.splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(CAME_LATER[:shorter_by])]
        assert len(lines) - len(kept) == shorter_by
        load_dialplan(own, "".join(kept))
        attempt = Attempt("anna", f"+44161496925{shorter_by}")
        own.customer(attempt.number, Customer.answer(talk_ms=2500))
        async with await AmiClient.connect(own.ami) as session:
            await attempt.originate(session)
            await until(lambda: ": answered|" in own.pbx.cli("database show mi"))
            load_dialplan(own, shipped)
            ended = Ended.parse(await attempt.ended(session))
            await quiet(own)
        assert own.rung(attempt.number) == 1
        assert (ended.dial_status, ended.who) == ("ANSWER", "customer")


async def test_where_nobody_was_dialled_the_record_says_so() -> None:
    """An application is missing, or the agent hangs up between the claim of the customer's leg and Dial."""
    with Lab.create() as own:
        slow_down(own, " same => n,HangupCauseClear()", 1)
        ends = []
        async with await AmiClient.connect(own.ami) as session:
            for missing in ("", "app_dial.so", "app_read.so"):
                own.agent("anna", Agent.accept(press_ms=200, talk_ms=NEVER if missing else 1500))
                if missing:
                    own.pbx.cli(f"module unload {missing}")
                attempt = Attempt("anna", "+441614969214")
                await attempt.originate(session)
                ends.append(Ended.parse(await attempt.ended(session)))
                await quiet(own)
        assert [(ended.step, ended.why, ended.dial_status, ended.cause) for ended in ends] == [
            ("agent_answered", "", "", "16"),
            ("agent_answered", "refused_pbx", "", "0"),
            ("agent_answered", "refused_pbx", "", "0"),
        ]
        assert calls_to(own, "+441614969214") == []


async def test_a_graceful_stop_places_no_customer_leg() -> None:
    with Lab.create() as own:
        own.agent("anna", Agent.accept(press_ms=1500))
        attempt = Attempt("anna", "+441614969210")
        async with await AmiClient.connect(own.ami) as session:
            await attempt.originate(session)
            await journal_says(session, attempt, "agent_answered")
            own.pbx.cli("core stop gracefully")
            ended = Ended.parse(await attempt.ended(session))
        assert (ended.step, ended.dial_status, ended.cause) == ("customer_dialled", "CHANUNAVAIL", "16")
        own.pbx.wait_stopped()
        assert calls_to(own, "+441614969210") == []


@contextmanager
def held_port() -> Iterator[int]:
    """A port as RTP wants it, an even one, that nobody else can have meanwhile."""
    with ExitStack() as held:
        port = 1
        while port % 2:
            one = held.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            one.bind((HOST, 0))
            port = one.getsockname()[1]
        yield port


@pytest.mark.parametrize("full", ["calls", "ports"])
async def test_a_pbx_that_is_full_is_no_agent_who_does_not_answer(full: str) -> None:
    """The phone answered, and no dialplan was run; or it was not even rung."""
    with Lab.create() as own, held_port() as port:
        etc = own.root / "pbx" / "etc"
        if full == "calls":
            (etc / "asterisk.conf").write_text((etc / "asterisk.conf").read_text() + "maxcalls = 1\n")
        else:
            (etc / "rtp.conf").write_text(f"[general]\nrtpstart = {port}\nrtpend = {port + 1}\n")
        own.pbx.restart()
        if full == "calls":
            own.call_in("+441614969211", "voice", talk=60)
            await until(lambda: own.channels()["pbx"] == 1)
        attempt = Attempt("anna", "+441614969212")
        async with await AmiClient.connect(own.ami) as session:
            await attempt.originate(session)
            ended = Ended.parse(await attempt.ended(session))
        assert (ended.step, ended.why) == ("", "refused_pbx")
        own.pbx.stop()
        await quiet(own)
        assert [call.disposition for call in calls_to(own, "anna")] == ([] if full == "ports" else ["ANSWERED"])


async def test_an_agent_who_is_taken_off_while_it_rings_did_not_answer(lab: Lab, client: AmiClient) -> None:
    lab.agent("anna", Agent.no_answer())
    attempt = Attempt("anna", "+441614969018")
    await attempt.originate(client)
    rings = await client.event(lambda event: event.name == "DialState" and event["DestUniqueid"] == attempt.id)
    lab.pbx.cli(f"channel request hangup {rings['DestChannel']}")
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why, ended.cause) == ("", "", "0")


async def test_an_agent_whom_the_daemon_takes_off_was_not_picked_up(lab: Lab, client: AmiClient) -> None:
    """It hangs up with the same cause, but has revoked the attempt before."""
    lab.agent("anna", Agent.no_answer())
    attempt = Attempt("anna", "+441614969021")
    await attempt.originate(client)
    await client.event(lambda event: event.name == "DialState" and event["DestUniqueid"] == attempt.id)
    await revoke(client, attempt)
    await client.action("Hangup", ("Channel", attempt.id), ("Cause", "26"))
    ended = Ended.parse(await attempt.ended(client))
    assert (ended.step, ended.why, ended.cause) == ("", "", "26")


async def test_a_customer_who_answered_was_rung_though_there_were_no_media_to_agree_on() -> None:
    """Their phone was picked up and let go. No other trunk may ring it for that."""
    async with Carrier.up(NO_COMMON_CODEC) as carrier:
        with Lab.create() as own:
            own.agent("anna", ACCEPT)
            settings = own.root / "pbx" / "etc" / "pjsip.conf"
            trunk = re.compile(r"(\[mi-trunk\]\(mi-aor-template\)\ncontact = sip:[0-9.]+):[0-9]+")
            settings.write_text(trunk.sub(rf"\1:{carrier.port}", settings.read_text()))
            own.pbx.restart()
            attempt = Attempt("anna", "+441614969213")
            async with await AmiClient.connect(own.ami) as session:
                await attempt.originate(session)
                ended = Ended.parse(await attempt.ended(session))
        assert carrier.methods == ["INVITE", "ACK", "BYE"]
        assert (ended.dial_status, ended.cause, ended.rang, ended.sip) == ("CHANUNAVAIL", "58", "1", "200")


@pytest.mark.parametrize("customer", [Customer.answer(ring_ms=2500, talk_ms=2000), Behaviour(ring_ms=2500, refuse=486)])
async def test_an_agent_who_hands_the_call_over_while_it_rings_does_not_end_it(customer: Behaviour) -> None:
    """A colleague is consulted, and takes the agent's place: the end is what became of the customer."""
    async with ConsultingPhone.up(ALAW) as phone:
        with Lab.create() as own:
            own.agent("hana", Agent.never_presses())
            own.customer("+441614969215", customer)
            settings = own.root / "pbx" / "etc" / "pjsip.conf"
            settings.write_text(re.sub(r"(sip:dev_anna@[0-9.]+):[0-9]+", rf"\1:{phone.port}", settings.read_text()))
            own.pbx.restart()
            attempt = Attempt("anna", "+441614969215", variables=(("MI_ACCEPT", "0"),))
            async with await AmiClient.connect(own.ami_all) as session:
                await attempt.originate(session)
                await session.event(lambda event: rings_for(attempt, event))
                await phone.consult("hana")
                await session.event(
                    lambda event: event.name == "BridgeEnter" and event["Channel"].startswith("PJSIP/hana")
                )
                assert await phone.hand_over() == 202
                record = await attempt.ended(session)
                await quiet(own)
                assert await session.journal(attempt.id) == record
            (call,) = calls_to(own, "+441614969215")
    ended = Ended.parse(record)
    assert (ended.step, ended.dial_status) == ("customer_dialled", "BUSY" if customer.refuse else "ANSWER")
    assert (ended.talk_seconds or 0) == pytest.approx(call.billsec, abs=0.5)


async def test_device_states_tell_who_is_free(lab: Lab, client: AmiClient) -> None:
    await quiet(lab)
    await client.action("DeviceStateList")
    await client.event(lambda event: event.name == "DeviceStateListComplete")
    states = {event["Device"]: event["State"] for event in client.events if event.name == "DeviceStateChange"}
    assert states["PJSIP/anna"] == "NOT_INUSE"
    assert states["PJSIP/ursula"] == "UNAVAILABLE"
    await client.action("Setvar", ("Variable", "DEVICE_STATE(Custom:pause-anna)"), ("Value", "BUSY"))
    await client.event(lambda event: event["Device"] == "Custom:pause-anna" and event["State"] == "BUSY")


def test_ordinary_calls_leave_nothing_in_the_log(lab: Lab, told: dict[str, Told]) -> None:
    expected = re.compile(
        r"'(nowhere|ursula|nobody)'|app_dial.c: Unable to create channel|ID .* already in use|transfer attempt blocked"
    )
    lines = [line for line in lab.pbx_log().splitlines() if "WARNING" in line or "ERROR" in line]
    assert [line for line in lines if not expected.search(line)] == []


async def test_an_agent_on_a_call_is_in_use(lab: Lab, client: AmiClient) -> None:
    lab.agent("anna", Agent.no_answer())
    attempt = Attempt("anna", "+441614969011", timeout_ms=1000)
    await attempt.originate(client)
    busy = await client.event(lambda event: event.name == "DeviceStateChange" and event["Device"] == "PJSIP/anna")
    assert busy["State"] == "BUSY"
    await attempt.ended(client)
    await client.event(lambda event: event["Device"] == "PJSIP/anna" and event["State"] == "NOT_INUSE")


FILTERS = [
    ("name(OriginateResponse),header(ActionID),method(starts_with)", "mi-"),
    ("name(DialBegin),header(DestLinkedid),method(starts_with)", "mi-"),
    ("name(DialState),header(DestLinkedid),method(starts_with)", "mi-"),
    ("name(DialEnd),header(DestLinkedid),method(starts_with)", "mi-"),
    ("name(BridgeEnter),header(Uniqueid),method(starts_with)", "mi-"),
    ("name(Hangup),header(Linkedid),method(starts_with)", "mi-"),
    ("name(UserEvent),header(UserEvent),method(starts_with)", "Mi"),
    ("name(DeviceStateChange),header(Device),method(regex)", "^PJSIP/(dan|eve)$"),
]


async def test_server_side_filters_let_through_our_calls_only(lab: Lab, client: AmiClient) -> None:
    for criteria, value in FILTERS:
        await client.include(criteria, value)
    lab.agent("dan", ACCEPT)
    lab.customer("+441614969012", Customer.answer(talk_ms=500))
    attempt = Attempt("dan", "+441614969012")
    async with await AmiClient.connect(lab.ami_all) as other:
        foreign = (("Channel", "PJSIP/eve"), ("Context", "from-agents"), ("Exten", "+441614969013"), ("Priority", "1"))
        await other.action("Originate", ("ActionID", "foreign"), ("Async", "true"), *foreign)
        await attempt.originate(client)
        await attempt.ended(client)
        await settled(lab, "+441614969013", 1)
        await client.event(lambda event: event["Device"] == "PJSIP/eve" and event["State"] == "NOT_INUSE")
    assert {event["Device"] for event in client.events if event["Device"]} == {"PJSIP/dan", "PJSIP/eve"}
    ours = [event for event in client.events if not event["Device"]]
    assert all(attempt.id.encode() in event.raw for event in ours)
    assert sorted(event.name for event in ours) == sorted(
        ["DialBegin", "DialState", "DialEnd"] * 2 + ["OriginateResponse", "BridgeEnter", "UserEvent"] + ["Hangup"] * 2
    )
