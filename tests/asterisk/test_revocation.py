"""Revocations and hang-ups by id on a real Asterisk: what they stop, what they cannot stop, and what is heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from ulid import ULID

from dialer.domain import events as ev
from dialer.domain.ids import AttemptId, channel_id
from dialer.domain.outcome import JournalStep, Outcome, classify
from dialer.engine.ports import Order, Traces
from tests.asterisk.driving import PATIENCE, config, ended, order, told, up
from tests.asterisk.proxy import Proxy
from tests.lab import Agent, Customer, FarCall, Lab
from tests.lab.ami import AmiClient
from tests.lab.waiting import quiet, until
from tests.unit.ami.scripted import Sink

MANY = 50


@pytest.fixture
async def watcher(lab: Lab) -> AsyncIterator[AmiClient]:
    """A session that sees everything."""
    async with await AmiClient.connect(lab.ami_all) as client:
        yield client


async def seen(sink: Sink, placed: Order, event: type[ev.Event]) -> None:
    await sink.until(lambda: any(isinstance(each, event) for each in told(sink, placed.attempt)), PATIENCE)


async def refusal_is_played(watcher: AmiClient, attempt: AttemptId) -> None:
    """The agent's leg has reached the announcement that the call was cancelled."""
    await watcher.event(
        lambda event: (
            (event.name, event["Uniqueid"]) == ("Newexten", channel_id(attempt))
            and (event["Application"], event["AppData"]) == ("Playback", "cancelled")
        )
    )


async def far_calls(lab: Lab, placed: Order) -> list[FarCall]:
    """What the far end had to do with an attempt, once all is over."""
    await quiet(lab)
    return [
        call for call in lab.far_end_calls() if call.callback_id == placed.callback or call.dialled == placed.number
    ]


async def test_revoked_while_the_agent_rings_the_customer_is_never_rung(lab: Lab, watcher: AmiClient) -> None:
    lab.agent("anna", Agent.accept(ring_ms=3000))
    placed = order("anna", "+441134961001")
    async with up(config(lab)) as (gateway, sink):
        await gateway.originate(placed)
        await seen(sink, placed, ev.AgentRinging)
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        record = await ended(sink, placed.attempt)
        assert (record.step, record.why) == (JournalStep.AGENT_RINGING, "refused_revoked")
        assert classify(record).outcome is Outcome.CANCELLED
        await refusal_is_played(watcher, placed.attempt)
        (agent,) = await far_calls(lab, placed)
        assert (agent.who, agent.disposition, agent.hung_up) == ("agent", "ANSWERED", False)
        traces = await gateway.traces([placed.attempt])
    assert traces == {
        placed.attempt: Traces(agent_alive=False, customer_alive=False, journal=record, identity=gateway.identity)
    }


async def test_revoked_under_the_whisper_the_customer_is_never_rung(lab: Lab, watcher: AmiClient) -> None:
    lab.agent("ben", Agent.accept(press_ms=2500))
    placed = order("ben", "+441134961002")
    async with up(config(lab)) as (gateway, sink):
        await gateway.originate(placed)
        await until(lambda: watcher.journal(channel_id(placed.attempt)))
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        record = await ended(sink, placed.attempt)
    assert (record.step, record.why) == (JournalStep.CUSTOMER_DIALLED, "refused_revoked")
    assert classify(record).outcome is Outcome.CANCELLED
    await refusal_is_played(watcher, placed.attempt)
    (agent,) = await far_calls(lab, placed)
    assert (agent.who, agent.hung_up) == ("agent", False)


async def test_revoked_after_the_claim_the_call_goes_on_and_is_recorded(lab: Lab) -> None:
    lab.agent("cleo", Agent.accept(press_ms=200))
    placed = order("cleo", "+441134961003")
    lab.customer(placed.number, Customer.answer(ring_ms=500, talk_ms=3000))
    async with up(config(lab)) as (gateway, sink):
        await gateway.originate(placed)
        await seen(sink, placed, ev.CustomerRinging)
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        traces = (await gateway.traces([placed.attempt]))[placed.attempt]
        assert traces.agent_alive, "to be adopted"
        assert traces.customer_alive
        verdict = classify(await ended(sink, placed.attempt))
    assert verdict.outcome is Outcome.CONNECTED
    assert verdict.talk.total_seconds() == pytest.approx(3, abs=0.5)
    assert sorted(call.who for call in await far_calls(lab, placed)) == ["agent", "customer"]


async def test_a_late_originate_of_a_revoked_attempt_reaches_nobody_but_the_agent(lab: Lab) -> None:
    lab.agent("dan", Agent.accept())
    placed = order("dan", "+441134961004")
    async with up(config(lab)) as (gateway, sink):
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        assert (await gateway.traces([placed.attempt]))[placed.attempt].journal is None
        await gateway.originate(placed)
        assert (await ended(sink, placed.attempt)).why == "refused_revoked"
    assert [call.who for call in await far_calls(lab, placed)] == ["agent"]


async def test_many_are_revoked_at_once(lab: Lab, watcher: AmiClient) -> None:
    attempts = [AttemptId(str(ULID())) for _ in range(MANY)]
    async with up(config(lab)) as (gateway, _):
        assert await gateway.revoke(attempts) == set(attempts)
    assert all([await watcher.journal(channel_id(attempt), "mi-no") for attempt in attempts])


async def test_a_revocation_that_vanished_is_written_again(lab: Lab, watcher: AmiClient) -> None:
    """Taken back between the acknowledgement and the read-back, as a full disk does."""
    attempt, other = (AttemptId(str(ULID())) for _ in range(2))
    key = channel_id(attempt)
    async with Proxy(lab.ami.host, lab.ami.port) as proxy, up(config(lab, port=proxy.port)) as (gateway, _):
        revoking = asyncio.create_task(gateway.revoke([attempt, other]))
        await until(lambda: watcher.journal(key, "mi-no"))
        assert (await watcher.action("DBDel", ("Family", "mi-no"), ("Key", key)))["Response"] == "Success"
        assert await revoking == {attempt, other}
        assert proxy.asked.count(b"Action: DBPut") == 3, "the one that vanished, and only that, was written twice"
    assert await watcher.journal(key, "mi-no")


async def test_a_ringing_agent_is_hung_up_by_id(lab: Lab) -> None:
    lab.agent("eve", Agent.no_answer())
    placed = order("eve", "+441134961005")
    async with up(config(lab)) as (gateway, sink):
        await gateway.originate(placed)
        await seen(sink, placed, ev.AgentRinging)
        # In this order, as the daemon does it: what is hung up so without a revocation, a colleague has picked up.
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        await gateway.hang_up(placed.attempt)
        record = await ended(sink, placed.attempt)
        assert (record.step, record.cause) == (JournalStep.AGENT_RINGING, 26)
        assert classify(record).outcome is Outcome.CANCELLED
        await quiet(lab)
        await gateway.hang_up(placed.attempt)  # gone: no error
        await gateway.hang_up(AttemptId(str(ULID())))  # never there: no error
    assert [call.who for call in await far_calls(lab, placed)] == ["agent"]


async def test_a_dismissed_agent_whose_phone_rings_is_left_in_peace(lab: Lab) -> None:
    lab.agent("anna", Agent.no_answer())
    placed = order("anna", "+441134961008")
    async with up(config(lab)) as (gateway, sink):
        assert not await gateway.dismiss(placed.attempt), "never there"
        await gateway.originate(placed)
        await seen(sink, placed, ev.AgentRinging)
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        assert await gateway.dismiss(placed.attempt)
        record = await ended(sink, placed.attempt)
        assert (record.step, record.cause) == (JournalStep.AGENT_RINGING, 26)
        assert classify(record).outcome is Outcome.CANCELLED
        await quiet(lab)
        assert not await gateway.dismiss(placed.attempt), "gone"
    assert [call.who for call in await far_calls(lab, placed)] == ["agent"]


async def test_a_dismissed_agent_who_listens_hears_why_and_nobody_else_is_cut_off(lab: Lab, watcher: AmiClient) -> None:
    lab.agent("ben", Agent.never_presses())
    lab.agent("cleo", Agent.accept())
    placed, other = order("ben", "+441134961009", whisper="digits/1&digits/2&digits/3"), order("cleo", "+441134961010")
    lab.customer(other.number, Customer.answer(talk_ms=4000))
    async with up(config(lab)) as (gateway, sink):
        for each in (other, placed):
            await gateway.originate(each)
        await until(lambda: watcher.journal(channel_id(placed.attempt)))
        assert await gateway.revoke([placed.attempt]) == {placed.attempt}
        assert await gateway.dismiss(placed.attempt)
        await refusal_is_played(watcher, placed.attempt)
        record = await ended(sink, placed.attempt)
        talked = classify(await ended(sink, other.attempt)).talk
    assert (record.step, record.why) == (JournalStep.AGENT_ANSWERED, "refused_revoked")
    assert classify(record).outcome is Outcome.CANCELLED
    (agent,) = await far_calls(lab, placed)
    assert (agent.who, agent.hung_up) == ("agent", False)
    assert talked.total_seconds() == pytest.approx(4, abs=0.5)


async def test_only_the_call_of_that_id_is_hung_up(lab: Lab) -> None:
    first, second = order("finn", "+441134961006"), order("gus", "+441134961007")
    for placed in (first, second):
        lab.agent(placed.agent_endpoint.removeprefix("PJSIP/"), Agent.accept())
        lab.customer(placed.number, Customer.answer(talk_ms=2000))
    async with up(config(lab)) as (gateway, sink):
        for placed in (first, second):
            await gateway.originate(placed)
        for placed in (first, second):
            await seen(sink, placed, ev.Bridged)
        await gateway.hang_up(first.attempt)
        ends = [classify(await ended(sink, placed.attempt)) for placed in (first, second)]
    assert [end.outcome for end in ends] == [Outcome.CONNECTED] * 2
    assert ends[1].talk.total_seconds() == pytest.approx(2, abs=0.5)
    assert ends[0].talk < ends[1].talk
