"""The manager session on a real Asterisk: logins, filters, breaks, traces, and what a visitor may write."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from ulid import ULID

from dialer.ami import gateway as gateway_module
from dialer.ami.config import TlsConfig
from dialer.ami.encode import MAX_VALUE, caller_name, decode_value, encode_link
from dialer.ami.gateway import Gateway
from dialer.ami.messages import DIALPLAN_VERSION, filter_text
from dialer.ami.session import Session
from dialer.domain import events as ev
from dialer.domain.errors import DialplanMismatch, LinkDown, LoginRefused, OutcomeUnknown
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import Outcome, Party, classify
from dialer.engine.ports import DeviceState, Traces, Unfinished
from tests.asterisk.driving import PATIENCE, config, ended, gone, order, told, up
from tests.asterisk.proxy import Proxy
from tests.lab import Agent, Customer, Lab
from tests.lab.ami import AmiClient
from tests.lab.lab import AGENTS
from tests.lab.waiting import quiet, until
from tests.unit.ami.scripted import Sink
from tests.unit.ami.test_encode import HOSTILE

DESK = "https://desk.example.com/callbacks/"


@pytest.fixture(scope="module")
def spare() -> Iterator[Lab]:
    """A lab of this file's own, for tests that stop or change it."""
    with Lab.create() as lab:
        yield lab


# --- login ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
async def test_a_login_tells_the_boot_and_each_device(lab: Lab, tls: bool) -> None:  # noqa: FBT001  # a parameter
    async with up(config(lab, tls=TlsConfig(lab.ami.ca_file) if tls else None)) as (gateway, sink):
        assert sink.told[0] == ("up", "lab", gateway.boot)
        datetime.strptime(gateway.boot, "%Y-%m-%d %H:%M:%S").astimezone()
        states = {entry[1]: entry[2] for entry in sink.told if entry[0] == "lab"}
    assert states == {
        "PJSIP/anna": DeviceState.NOT_INUSE,
        "PJSIP/ben": DeviceState.NOT_INUSE,
        "PJSIP/ursula": DeviceState.UNAVAILABLE,
        "PJSIP/nobody": DeviceState.UNKNOWN,
    }


@pytest.mark.parametrize("change", [{"secret": "wrong-secret"}, {"username": "nobody"}])
async def test_a_wrong_account_is_refused_at_once_and_for_good(lab: Lab, change: dict[str, str]) -> None:
    settings = replace(config(lab), **change)  # type: ignore[arg-type]  # both are texts
    with pytest.raises(LoginRefused) as refusal:
        await Gateway(settings, [], Sink(), Random(1)).run()
    assert "wrong-secret" not in str(refusal.value) + repr(settings)


async def test_a_certificate_of_a_stranger_is_not_trusted(lab: Lab) -> None:
    with pytest.raises(LinkDown, match="certificate is not trusted"):
        await Session(config(lab, tls=TlsConfig()), {}).open()


async def test_a_certificate_of_another_host_is_not_trusted(lab: Lab) -> None:
    settings = replace(config(lab, tls=TlsConfig(lab.ami.ca_file)), host="127.0.0.2")
    async with Proxy(lab.ami.host, lab.ami.tls_port, listen="127.0.0.2") as proxy:
        with pytest.raises(LinkDown, match="certificate is not trusted: IP address mismatch"):
            await Session(replace(settings, port=proxy.port), {}).open()


async def test_another_dialplan_is_refused_at_the_first_login_and_waited_for_later(spare: Lab) -> None:
    right, wrong = ("dialplan set global MI_DIALPLAN_VERSION " + version for version in (DIALPLAN_VERSION, "1"))
    async with Proxy(spare.ami.host, spare.ami.port) as proxy, up(config(spare, port=proxy.port)) as (_, sink):
        spare.pbx.cli(wrong)
        with pytest.raises(DialplanMismatch, match="dialplan reload"):
            await Gateway(config(spare), [], Sink(), Random(1)).run()
        proxy.break_all()
        await sink.until(lambda: sink.count("down") == 1)
        spare.pbx.cli(right)
        await sink.until(lambda: sink.count("up") == 2)


# --- calls ---------------------------------------------------------------------------------------------------------


CONTEXTS = {"from-trunk": "carrier", "menu": "carrier"}


@pytest.fixture(params=["present", "older"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The form of filters that the gateway takes Asterisk to know."""
    if request.param == "older":
        # An Asterisk takes the older form whenever there are no criteria, and so this probe.
        monkeypatch.setattr(gateway_module, "PROBE", filter_text("^Event: MiProbe"))
    return str(request.param)


async def all_phones_told(proxy: Proxy) -> None:
    """They are told one by one, and then that these were all."""
    await until(lambda: any(message.event == "DeviceStateListComplete" for message in proxy.messages()))


@pytest.mark.parametrize("inbound", [{}, CONTEXTS], ids=["deaf", "listening"])
async def test_a_bridged_call_costs_eleven_messages_and_others_none(
    lab: Lab, form: str, inbound: dict[str, str]
) -> None:
    """Listening to who calls in costs our own calls nothing."""
    number = f"+4412149600{int(form == 'older')}{int(bool(inbound))}"
    lab.agent("anna", Agent.accept(press_ms=200))
    lab.customer(number, Customer.answer(talk_ms=500))
    async with (
        Proxy(lab.ami.host, lab.ami.port) as proxy,
        up(config(lab, port=proxy.port), ("PJSIP/anna",), inbound) as (gateway, sink),
        await AmiClient.connect(lab.ami_all) as foreign,
    ):
        await all_phones_told(proxy)
        proxy.said.clear()
        placed = order("anna", number)
        headers = (("Channel", "PJSIP/ben"), ("Application", "Wait"), ("Data", "1"), ("Async", "true"))
        await foreign.action("Originate", *headers)
        await gateway.originate(placed)
        record = await ended(sink, placed.attempt)
        await gone(sink, placed.attempt)
        seen = [message.event or "Response" for message in proxy.messages()]
    assert sorted(name for name in seen if name != "DeviceStateChange") == sorted(
        [
            "Response",
            "OriginateResponse",
            "BridgeEnter",
            "UserEvent",
            "Hangup",
            *(["DialBegin", "DialState", "DialEnd"] * 2),
        ]
    )
    assert classify(record).outcome is Outcome.CONNECTED
    assert record.hung_up_by is Party.CUSTOMER
    steps = (ev.AgentRinging, ev.AgentAnswered, ev.CustomerDialling, ev.CustomerRinging, ev.Bridged, ev.Ended)
    assert {type(event) for event in told(sink, placed.attempt)} == {ev.Sent, *steps, ev.AgentGone}
    states = [entry[2] for entry in sink.told if entry[:2] == ("lab", "PJSIP/anna")]
    assert DeviceState.BUSY in states, "the agent's phone was told busy"


async def test_who_calls_in_and_is_answered_is_told_at_one_message_each(lab: Lab, form: str) -> None:
    """By a voice, by a menu in another context, by an agent; and whoever else makes channels in these contexts."""
    lab.agent("ben", Agent.never_presses())
    lab.agent("cleo", Agent.accept(press_ms=200))
    ours, theirs = "+441214960020", "+441214960021"
    for number in (ours, theirs):
        lab.customer(number, Customer.answer(talk_ms=300))
    async with (
        Proxy(lab.ami.host, lab.ami.port) as proxy,
        up(config(lab, port=proxy.port), ("PJSIP/anna",), CONTEXTS) as (gateway, sink),
        await AmiClient.connect(lab.ami_all) as foreign,
    ):
        await all_phones_told(proxy)
        proxy.said.clear()
        for number, extension in (
            ("+441614960901", "voice"),
            ("01614960902", "menu"),
            ("+441614960903", "ben"),
            ("+441614960904", "nobody"),
            ("anonymous", "voice"),
        ):
            lab.call_in(number, extension, patience=1.0, talk=0.5)
        placed = order("cleo", ours)
        await gateway.originate(placed)
        outgoing = (("Channel", "PJSIP/dan"), ("Context", "from-agents"), ("Exten", theirs), ("Priority", "1"))
        await foreign.action("Originate", *outgoing, ("Async", "true"))
        await ended(sink, placed.attempt)
        await until(lambda: [call for call in lab.far_end_calls() if call.dialled == theirs])
        await quiet(lab)
        await gateway.traces([])  # whatever was said before has been heard by now
        states = [message for message in proxy.messages() if message.event == "Newstate"]
    assert sorted(str(entry[3]) for entry in sink.told if entry[0] == "called in") == [
        "+441614960901",
        "+441614960903",
        "01614960902",
    ]
    assert {entry[1:3] for entry in sink.told if entry[0] == "called in"} == {("lab", "carrier")}
    assert {message.get("ChannelState") for message in states} == {"6"}
    assert sorted(message.get("CallerIDNum") for message in states) == [
        "+441214960021",  # an agent's own call, which only its Linkedid tells from one that came in
        "+441614960901",
        "+441614960903",
        "01614960902",
        "anonymous",
    ]


@pytest.mark.parametrize("how", ["ended", "reset"])
async def test_a_link_cut_between_originate_and_its_answer_is_unknown_and_nothing_is_replayed(
    lab: Lab, how: str
) -> None:
    number = f"+44121496010{int(how == 'reset')}"
    lab.agent("ben", Agent.accept(press_ms=200))
    lab.customer(number, Customer.answer(talk_ms=500))
    async with (
        Proxy(lab.ami.host, lab.ami.port) as proxy,
        up(config(lab, port=proxy.port)) as (gateway, sink),
    ):
        placed = order("ben", number)
        proxy.resets = how == "reset"
        proxy.cut_at = b"Action: Originate"
        with pytest.raises(OutcomeUnknown, match="reset by peer" if proxy.resets else "closed"):
            await gateway.originate(placed)
        await sink.until(lambda: sink.count("up") == 2)
        record = await ended(sink, placed.attempt)
        await quiet(lab)
        traces = await gateway.traces([placed.attempt])
        assert proxy.asked.count(b"Action: Originate") == 1
        assert sink.count("down") == 1
    assert traces[placed.attempt] == Traces(
        agent_alive=False, customer_alive=False, journal=record, identity=gateway.identity
    )
    await quiet(lab)
    calls = [call for call in lab.far_end_calls() if call.callback_id == placed.callback or call.dialled == number]
    assert sorted(call.who for call in calls) == ["agent", "customer"], "each was rung once"


async def test_traces_follow_a_call(lab: Lab) -> None:
    number = "+441214960003"
    lab.agent("cleo", Agent.accept(press_ms=200))
    lab.customer(number, Customer.answer(ring_ms=500, talk_ms=1000))
    async with up(config(lab)) as (gateway, sink):
        placed, never = order("cleo", number), AttemptId(str(ULID()))

        async def at(event: type[ev.Event]) -> Traces:
            await sink.until(lambda: any(isinstance(each, event) for each in told(sink, placed.attempt)), PATIENCE)
            found = await gateway.traces([placed.attempt, never])
            assert found[never] == Traces(
                agent_alive=False, customer_alive=False, journal=None, identity=gateway.identity
            )
            return found[placed.attempt]

        await gateway.originate(placed)
        assert await at(ev.AgentRinging) == Traces(
            agent_alive=True, customer_alive=False, journal=None, identity=gateway.identity
        )
        assert await at(ev.CustomerRinging) == Traces(
            agent_alive=True, customer_alive=True, journal=Unfinished("customer_dialled"), identity=gateway.identity
        )
        assert await at(ev.Bridged) == Traces(
            agent_alive=True, customer_alive=True, journal=Unfinished("answered"), identity=gateway.identity
        )
        record = await ended(sink, placed.attempt)
        await quiet(lab)
        assert await at(ev.AgentGone) == Traces(
            agent_alive=False, customer_alive=False, journal=record, identity=gateway.identity
        )


async def test_hostile_text_arrives_as_text_and_changes_nothing(lab: Lab) -> None:
    before = lab.pbx.cli("dialplan show globals")
    placed = []
    async with up(config(lab)) as (gateway, sink):
        for batch in (HOSTILE[: len(AGENTS)], HOSTILE[len(AGENTS) :]):
            orders = [
                order(
                    agent,
                    f"+44121496001{index}",
                    page=text,
                    department=text,
                    caller_name=f"Sales: {text}",
                    page_link=f"{DESK}{text}",
                )
                for index, (agent, text) in enumerate(zip(AGENTS, batch, strict=False))
            ]
            for each in orders:
                lab.agent(each.agent_endpoint.removeprefix("PJSIP/"), Agent.declined(ring_ms=0))
            await asyncio.gather(*(gateway.originate(each) for each in orders))
            for each in orders:
                assert classify(await ended(sink, each.attempt)).outcome is Outcome.AGENT_DECLINED
            await quiet(lab)
            placed += orders
    assert lab.pbx.cli("dialplan show globals") == before
    received = {call.callback_id: call for call in lab.far_end_calls()}
    for each in placed:
        call = received[each.callback]
        text = each.page.encode(errors="replace").decode()
        assert len(call.page) <= MAX_VALUE
        assert text.startswith(decode_value(call.page))
        assert decode_value(call.page)[:20] == text[:20]
        assert decode_value(call.department)[:10] == text[:10]
        assert call.caller_name == caller_name(each.caller_name)
        link = encode_link(each.page_link)
        assert call.link == (f"<{link}>;purpose=info" if link else "")


async def test_a_link_to_the_callbacks_page_arrives_whole(lab: Lab) -> None:
    lab.agent("hana", Agent.declined(ring_ms=0))
    links = [f"{DESK}01HZXW0000000000000000000D", f"{DESK}?id=1&x=a%20b#/c", DESK + "x" * (MAX_VALUE - len(DESK)), ""]
    placed = [order("hana", "+441214960030", page_link=link) for link in links]
    async with up(config(lab)) as (gateway, sink):
        for each in placed:
            await gateway.originate(each)
            await ended(sink, each.attempt)
            await quiet(lab)
    received = {call.callback_id: call.link for call in lab.far_end_calls()}
    assert [received[each.callback] for each in placed] == [
        *(f"<{link}>;purpose=info" for link in links[:-1]),
        "",
    ]


# --- Asterisk's own life ----------------------------------------------------------------------------------------------


async def test_a_graceful_stop_is_told_while_its_last_call_is_still_heard(spare: Lab) -> None:
    number = "+441214960004"
    spare.agent("anna", Agent.accept(press_ms=200))
    spare.customer(number, Customer.answer(talk_ms=1500))
    async with up(replace(config(spare), ping_interval=0.1)) as (gateway, sink):
        boot = gateway.boot
        placed = order("anna", number)
        await gateway.originate(placed)
        await sink.until(lambda: ev.Bridged() in told(sink, placed.attempt), PATIENCE)
        stopping = asyncio.create_task(asyncio.to_thread(spare.pbx.stop, gracefully=True))
        await sink.until(lambda: sink.count("down") == 1)
        assert "shutting down" in str(sink.told[-1][2])
        assert classify(await ended(sink, placed.attempt)).outcome is Outcome.CONNECTED
        await stopping
        await asyncio.to_thread(spare.pbx.start)
        await sink.until(lambda: sink.count("up") == 2)
        assert gateway.boot != boot
        assert sink.count("down") == 1


async def test_a_killed_asterisk_is_found_again(spare: Lab) -> None:
    async with up(config(spare)) as (gateway, sink):
        await asyncio.to_thread(spare.pbx.kill)
        await sink.until(lambda: sink.count("down") == 1)
        await asyncio.to_thread(spare.pbx.start)
        await sink.until(lambda: sink.count("up") == 2)
        # Asterisk tells its start to the second: one killed within its first second may look like the same one.
        assert [entry[0] for entry in sink.told if entry[0] in {"up", "down"}] == ["up", "down", "up"]
        attempt = AttemptId(str(ULID()))
        assert await gateway.traces([attempt]) == {attempt: Traces(False, False, None, identity=gateway.identity)}


async def test_a_hanging_asterisk_is_given_up(spare: Lab) -> None:
    async with up(replace(config(spare), ping_interval=0.1, action_timeout=0.3)) as (_, sink):
        spare.pbx.signal(signal.SIGSTOP)
        await sink.until(lambda: sink.count("down") == 1)
        assert "ping" in str(sink.told[-1][2])
        spare.pbx.signal(signal.SIGCONT)
        await sink.until(lambda: sink.count("up") == 2)
