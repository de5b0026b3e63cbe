"""An agent whose attempt was revoked is let go: in words where there is somebody to hear them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from dialer.ami.gateway import Gateway
from dialer.domain.errors import ActionRefused, LinkDown, OutcomeUnknown
from dialer.domain.ids import channel_id
from tests.unit.ami.samples import ATTEMPT
from tests.unit.ami.scripted import Action, Answer, Scripted, Sink, refuse, reply, running, silence

GONE = f"Channel does not exist: {channel_id(ATTEMPT)}"


def in_state(state: str) -> Answer:
    return lambda action: reply(action, Value=state)


@asynccontextmanager
async def dismissing(**answers: Answer) -> AsyncIterator[tuple[Scripted, Gateway]]:
    sink = Sink()
    async with Scripted() as pbx:
        gateway = Gateway(pbx.config(), [], sink, Random(1))
        async with running(gateway.run()):
            await sink.until(lambda: sink.count("up") == 1)
            pbx.answers |= answers
            pbx.seen.clear()
            pbx.forget()
            yield pbx, gateway


async def test_who_listens_is_told() -> None:
    async with dismissing(Getvar=in_state("Up")) as (pbx, gateway):
        assert await gateway.dismiss(ATTEMPT)
        asked, told = await pbx.until("Getvar"), await pbx.until("Redirect")
    assert (asked["Channel"], asked["Variable"]) == (channel_id(ATTEMPT), "CHANNEL(state)")
    assert (told["Channel"], told["Context"], told["Exten"], told["Priority"]) == (
        *(channel_id(ATTEMPT), "mi-revoked", "s", "1"),
    )
    assert pbx.seen["Hangup"] == 0


@pytest.mark.parametrize("state", ["Ringing", "Down", "Dialing", ""])
async def test_a_phone_that_rings_stops(state: str) -> None:
    async with dismissing(Getvar=in_state(state)) as (pbx, gateway):
        assert await gateway.dismiss(ATTEMPT)
        told = await pbx.until("Hangup")
    assert (told["Channel"], told["Cause"]) == (channel_id(ATTEMPT), "26")
    assert pbx.seen["Redirect"] == 0


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"Getvar": refuse("No such channel")}, 0),
        ({"Getvar": in_state("Ringing"), "Hangup": refuse("No such channel")}, 1),
        ({"Getvar": in_state("Up"), "Redirect": refuse(GONE)}, 1),
        ({"Getvar": in_state("Up"), "Redirect": refuse("Redirect failed, channel not up.")}, 1),
    ],
)
async def test_who_is_not_there_or_leaves_meanwhile_needs_no_dismissal(answers: dict[str, Answer], told: int) -> None:
    async with dismissing(**answers) as (pbx, gateway):
        assert not await gateway.dismiss(ATTEMPT)
        assert pbx.seen["Hangup"] + pbx.seen["Redirect"] == told


@pytest.mark.parametrize(
    "answers",
    [
        {"Getvar": refuse("Permission denied")},
        {"Getvar": in_state("Ringing"), "Hangup": refuse("Permission denied")},
        {"Getvar": in_state("Up"), "Redirect": refuse("Redirect failed")},
        {"Getvar": in_state("Up"), "Redirect": refuse("Permission denied")},
    ],
)
async def test_what_the_pbx_will_not_do_is_told(answers: dict[str, Answer]) -> None:
    async with dismissing(**answers) as (_, gateway):
        with pytest.raises(ActionRefused):
            await gateway.dismiss(ATTEMPT)


@pytest.mark.parametrize("silent", ["Getvar", "Redirect"])
async def test_without_an_answer_nothing_is_known(silent: str) -> None:
    async with dismissing(**{"Getvar": in_state("Up"), silent: silence}) as (_, gateway):
        with pytest.raises(OutcomeUnknown):
            await gateway.dismiss(ATTEMPT)


async def test_a_state_is_asked_again_each_time() -> None:
    """A phone that rang may have been answered since."""
    states = iter(["Ringing", "Up"])

    def next_state(action: Action) -> bytes:
        return reply(action, Value=next(states))

    async with dismissing(Getvar=next_state) as (pbx, gateway):
        assert await gateway.dismiss(ATTEMPT)
        assert await gateway.dismiss(ATTEMPT)
        assert (pbx.seen["Hangup"], pbx.seen["Redirect"]) == (1, 1)


async def test_without_a_session_nobody_is_dismissed() -> None:
    async with Scripted() as pbx, asyncio.timeout(5):
        with pytest.raises(LinkDown):
            await Gateway(pbx.config(), [], Sink(), Random(1)).dismiss(ATTEMPT)
