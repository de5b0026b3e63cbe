"""Messages that could not be sent: tried again while they make sense, never sent twice, told to a person."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.callback import Callback
from dialer.domain.errors import StoreError
from dialer.notify.messages import Channel, Message, MessageKind, MessageState
from dialer.notify.pump import NotDelivered
from dialer.notify.ways import Voice
from tests.messages.postbox import hang_up
from tests.messages.rig import Rig, rig, voice
from tests.messages.samples import HOUR, MINUTE, WANTED, ZOE, callback, change

E, S = Channel.EMAIL, Channel.SMS
MAIL_ONLY = callback(visitor=replace(ZOE, sms=False))
TEXT_ONLY = callback(visitor=replace(ZOE, email=""))


async def booked(house: Rig) -> Message:
    (found,) = [each for each in await house.of(MAIL_ONLY) if each.draft.kind is MessageKind.BOOKED]
    return found


async def tries(house: Rig, of: list[Callback]) -> int:
    return sum([each.tries for one in of for each in await house.of(one)])


async def test_a_greylisted_message_is_tried_again_and_sent_once(house: Rig) -> None:
    house.box.answers["RCPT"] = "450 greylisted, come back"
    await house.book(MAIL_ONLY)
    first = await booked(house)
    assert (first.state, first.tries) == (MessageState.WAITING, 1)
    assert first.detail == "the server refuses the recipient (450)"
    assert timedelta(seconds=29) < first.draft.send_at - house.clock.at <= MINUTE
    house.box.answers.clear()
    await house.go_on(MINUTE)
    assert (await booked(house)).state is MessageState.SENT
    await house.go_on(HOUR)
    assert len(house.box.letters) == 1


async def test_a_recipient_who_is_not_there_is_told_of(house: Rig) -> None:
    house.box.answers["RCPT"] = "550 no such user"
    await house.book(MAIL_ONLY)
    found = await booked(house)
    assert (found.state, found.detail) == (MessageState.FAILED, "the server refuses the recipient (550)")


async def test_a_refused_message_waits_and_is_not_lost_though_it_was_claimed(house: Rig) -> None:
    house.box.answers["DATA"] = "451 later"
    await house.book(MAIL_ONLY)
    assert (await booked(house)).state is MessageState.WAITING
    house.box.answers.clear()
    await house.go_on(2 * MINUTE)
    assert len(house.box.letters) == 1


async def test_what_makes_no_sense_any_more_is_given_up(house: Rig) -> None:
    house.box.answers["RCPT"] = "450 later"
    await house.book(MAIL_ONLY)
    while house.clock.at < WANTED:
        await house.go_on(HOUR)
    found, tried = await booked(house), house.watch.said
    assert (found.state, found.detail) == (MessageState.FAILED, "not in time: the server refuses the recipient (450)")
    assert found.tries > 10
    assert tried == []


async def test_while_the_server_is_down_it_is_left_alone_and_somebody_told(house: Rig) -> None:
    house.box.answers["MAIL"] = "421 no"
    many = [replace(MAIL_ONLY, id=f"{MAIL_ONLY.id[:-2]}{number:02}") for number in range(9)]  # type: ignore[arg-type]  # an id
    await house.store.add(many)
    await house.go_on()
    assert house.watch.said == []
    tried = await tries(house, many)
    assert tried == 4, "what is sent at the same time fails once, and the rest waits"
    for _ in range(60):
        await house.go_on(timedelta(seconds=20))
    assert set(house.watch.said) == {"email stuck: the server refuses the sender (421)"}
    assert await tries(house, many) < 30
    house.box.answers.clear()
    await house.go_on(HOUR)
    await house.go_on(HOUR)
    assert house.watch.said[-1] == "email well"
    assert len(house.box.letters) == 9


async def test_texts_go_on_while_mail_is_down(house: Rig) -> None:
    house.box.answers["MAIL"] = "421 no"
    await house.book(callback())
    assert len(house.texts.asked) == 1


async def test_a_gateway_s_pause_is_heeded(house: Rig) -> None:
    house.texts.status, house.texts.headers = 429, "Retry-After: 1800\r\n"
    await house.book(TEXT_ONLY)
    house.texts.status, house.texts.headers = 202, ""
    await house.go_on(29 * MINUTE)
    assert len(house.texts.asked) == 1
    await house.go_on(2 * MINUTE)
    assert len(house.texts.asked) == 2
    assert (await house.states(TEXT_ONLY))[MessageKind.BOOKED, S] is MessageState.SENT


async def test_what_nobody_knows_is_unknown_and_never_sent_again(tmp_path: Path, certificates: Path) -> None:
    async with rig(tmp_path, certificates, answers={".": hang_up}) as house:
        house.texts.status = None
        await house.book(callback())
        await house.go_on(HOUR)
        states = await house.states(callback())
        assert states[MessageKind.BOOKED, E] is states[MessageKind.BOOKED, S] is MessageState.UNKNOWN
        assert len(house.box.letters) == len(house.texts.asked) == 1


async def test_what_was_being_sent_when_the_daemon_died_is_unknown(house: Rig) -> None:
    house.box.answers["MAIL"] = "421 no"
    await house.book(MAIL_ONLY)
    assert await house.messages.claim(await booked(house), MAIL_ONLY)
    await house.messages.forget_sending()
    house.box.answers.clear()
    await house.go_on(HOUR)
    assert (await booked(house)).state is MessageState.UNKNOWN
    assert house.box.letters == []


async def test_of_two_who_claim_a_message_one_gets_it(house: Rig) -> None:
    house.box.answers["MAIL"] = "421 no"
    await house.book(MAIL_ONLY)
    message = await booked(house)
    assert [await house.messages.claim(message, MAIL_ONLY) for _ in range(2)] == [True, False]


async def test_a_fault_of_our_own_fails_one_message_and_tells_nothing_personal(
    house: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> bool:
        raise KeyError("zoe@example.com")

    monkeypatch.setattr(house.messenger._carriers[E]._way, "send", broken)
    await house.book(callback())
    (found,) = [each for each in await house.of(callback()) if (each.draft.kind, each.draft.channel) == ("booked", E)]
    assert found.state is MessageState.FAILED
    assert found.detail.startswith("a fault of the dialer's own: KeyError at test_messages_failures.py:")
    assert len(house.texts.asked) == 1


async def test_a_template_that_fails_late_fails_its_message(tmp_path: Path, certificates: Path) -> None:
    nobody = replace(voice(), sender=None)
    async with rig(tmp_path, certificates, nobody) as house:
        await house.book(MAIL_ONLY)
        assert (await booked(house)).detail == "the site has no mail_from"


async def test_the_note_is_written_once_the_store_takes_it(house: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = house.messages.settle, [StoreError("full"), StoreError("full")]
    naps: list[float] = []

    async def failing(message: Message, state: MessageState, detail: str) -> None:
        if failures:
            raise failures.pop()
        await real(message, state, detail)

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    carrier = house.messenger._carriers[E]
    monkeypatch.setattr(house.messages, "settle", failing)
    monkeypatch.setattr(carrier, "_world", replace(carrier._world, sleep=nap))
    await house.book(MAIL_ONLY)
    assert (await booked(house)).state is MessageState.SENT
    assert len(naps) == 2
    assert len(house.box.letters) == 1


async def test_a_store_that_cannot_be_read_keeps_the_change_in_the_outbox(
    house: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(house.messages, "of", broken)
    await house.store.add([MAIL_ONLY])
    with pytest.raises(NotDelivered):
        await house.messenger.deliver(change())


@pytest.mark.parametrize("voices", [{}, {"shop": voice()}])
async def test_a_change_of_what_is_not_there_is_nothing(house: Rig, voices: dict[str, Voice]) -> None:
    house.messenger._voices = voices
    await house.messenger.deliver(change())
    assert await house.of(callback()) == []


async def test_a_life_sends_what_is_due_and_ends_when_told(house: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop itself, by the real clock's sleep: a start, a wake-up, a store that fails once, a stop."""
    import asyncio

    real = house.messages.due
    failures = [StoreError("busy")]

    async def due(*given: object) -> list[Message]:
        if failures:
            raise failures.pop()
        return await real(*given)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(house.messages, "due", due)

    async def quickly(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    for each in house.messenger._carriers.values():
        each._world = replace(each._world, sleep=quickly)
    running = asyncio.create_task(house.messenger.run())
    await house.store.add([MAIL_ONLY])
    await house.messenger.deliver(change())
    async with asyncio.timeout(10):
        while not house.box.letters:  # noqa: ASYNC110  # the server is the outside world
            await asyncio.sleep(0.01)
        house.messenger.stop()
        await running
    assert (await booked(house)).state is MessageState.SENT
