"""From a change in the store to what a visitor has in their hands: real store, real SMTP server, real gateway."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from dialer.domain.callback import Status
from dialer.notify.messages import Channel, MessageKind, MessageState
from dialer.notify.wording import Language
from dialer.scheduling.retry import NextStep
from tests.contract.story import claim_of, ended
from tests.messages.rig import PAGE, Rig, named, rig, voice
from tests.messages.samples import DAY, HOUR, ID, LANDLINE, MINUTE, MOBILE, MONDAY, WANTED, ZOE, callback

E, S = Channel.EMAIL, Channel.SMS
SENT, WAITING, DROPPED = MessageState.SENT, MessageState.WAITING, MessageState.DROPPED
LATER = WANTED + DAY


def body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def entry(letter: EmailMessage) -> tuple[str, Any]:
    (attached,) = letter.iter_attachments()
    assert attached.get_filename() == "call.ics"
    method = attached["content-type"].params["method"]
    return method, Calendar.from_ical(attached.get_content())


async def move(house: Rig, to: datetime) -> None:
    await house.store.reschedule(ID, to, None, to)
    await house.go_on()


async def test_a_booking_is_confirmed_by_both_ways_and_reminded_of(house: Rig) -> None:
    booked = callback()
    await house.book(booked)
    (letter,), (text,) = house.box.letters, house.texts.asked
    message = letter.message
    assert letter.recipients == ["zoe@example.com"]
    assert letter.encrypted
    assert message["From"] == "Example Shop <calls@example.com>"
    assert message["Subject"] == "Your call from Example Shop: Tuesday 3 March 2026 at 14:00"
    assert message["Message-ID"] == f"<{ID}.booked.0@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == MONDAY
    for part in (body(message, "plain"), body(message, "html")):
        for told in ("Zoë Smith", "Tuesday 3 March 2026 at 14:00 (GMT)", "020 7946 0100", PAGE + ID[-6:]):
            assert told in part
    assert text.body["to"] == MOBILE
    assert text.body["from"] == "ExampleShop"
    assert text.body["text"] == (
        "Example Shop: we will call you on Tuesday 3 March 2026 at 14:00 (GMT) from 020 7946 0100. "
        f"To change or cancel: {PAGE}{ID[-6:]}"
    )
    assert (await house.states(booked))[MessageKind.REMINDER, E] is WAITING
    await house.go_on(WANTED - 30 * MINUTE)
    assert [each.message["Subject"] for each in house.box.letters[1:]] == [
        "Reminder: your call from Example Shop at 14:00"
    ]
    assert len(house.texts.asked) == 2
    assert set((await house.states(booked)).values()) == {SENT}


async def test_the_calendar_follows_the_call(house: Rig) -> None:
    await house.book(callback())
    await move(house, LATER)
    await house.store.cancel(ID, "visitor")
    await house.go_on()
    entries = [entry(each.message) for each in house.box.letters]
    assert [method for method, _ in entries] == ["PUBLISH", "PUBLISH", "CANCEL"]
    events = [calendar.walk("VEVENT")[0] for _, calendar in entries]
    assert [calendar["METHOD"] for _, calendar in entries] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert {event["UID"] for event in events} == {f"{ID}@mi-dialer"}
    assert [event["SEQUENCE"] for event in events] == [1, 2, 3]
    assert [event["DTSTART"].dt for event in events] == [WANTED, LATER, LATER]
    assert [event["DTEND"].dt - event["DTSTART"].dt for event in events] == [15 * MINUTE] * 3
    assert [event["STATUS"] for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [len(calendar.walk("VALARM")) for _, calendar in entries] == [1, 1, 0]
    assert events[0]["ORGANIZER"] == "mailto:calls@example.com"


async def test_a_window_is_told_and_kept_in_the_calendar(house: Rig) -> None:
    await house.book(callback(wanted_until=WANTED + 2 * HOUR))
    message = house.box.letters[0].message
    assert "between 14:00 and 16:00 (GMT)" in body(message, "plain")
    event = entry(message)[1].walk("VEVENT")[0]
    assert event["DTEND"].dt == WANTED + 2 * HOUR


async def test_a_moved_call_s_old_reminder_never_comes(house: Rig) -> None:
    booked = callback()
    await house.book(booked)
    await move(house, LATER)
    subjects = [each.message["Subject"] for each in house.box.letters]
    assert subjects[1] == "Your call from Example Shop has moved: Wednesday 4 March 2026 at 14:00"
    await house.go_on(WANTED - 30 * MINUTE)
    assert len(house.box.letters) == 2
    await house.go_on(LATER - 30 * MINUTE)
    assert len(house.box.letters) == 3


async def test_a_try_that_came_to_nothing_is_no_message(house: Rig) -> None:
    booked = callback()
    await house.book(booked)
    await house.go_on(WANTED)
    found = await house.store.get(ID)
    assert found is not None
    sent = len(house.box.letters)
    claim = claim_of(found)
    assert await house.store.claim(claim)
    again = NextStep(Status.SCHEDULED, WANTED + HOUR, "busy", customer_attempts=1, agent_rings=0)
    await house.store.finish(ended(claim.attempt), again)
    await house.go_on(WANTED + MINUTE)
    assert len(house.told) == 3
    assert len(house.box.letters) == sent


@pytest.mark.parametrize("status", [Status.FAILED, Status.EXPIRED])
async def test_that_we_gave_up_is_told_once_and_by_day(house: Rig, status: Status) -> None:
    await house.book(callback())
    await house.go_on(datetime(2026, 3, 3, 23, 0, tzinfo=UTC))
    found = await house.store.get(ID)
    assert found is not None
    sent = len(house.box.letters)
    assert await house.store.close(found, status, status.value)
    await house.go_on()
    assert len(house.box.letters) == sent
    await house.go_on(datetime(2026, 3, 4, 8, 0, tzinfo=UTC))
    (letter,) = house.box.letters[sent:]
    assert "Example Shop" in letter.message["Subject"]
    assert not list(letter.message.iter_attachments())
    await house.go_on(DAY)
    assert len(house.box.letters) == sent + 1


async def test_objecting_ends_it_at_once_and_for_what_waits(house: Rig) -> None:
    booked = callback()
    await house.book(booked)
    await house.store.object_to(MOBILE, "visitor", "asked")
    await house.go_on(WANTED - 30 * MINUTE)
    assert len(house.box.letters) == 1
    assert (await house.states(booked))[MessageKind.REMINDER, E] is DROPPED


async def test_an_objection_in_the_last_moment_is_heeded(house: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the last look and the claim: the claim itself asks, in its own transaction."""
    real = house.messages.claim

    async def objecting(message: object, as_read: object) -> bool:
        await house.store.object_to(MOBILE, "visitor", "asked")
        return await real(message, as_read)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(house.messages, "claim", objecting)
    booked = callback()
    await house.book(booked)
    await house.go_on()
    assert (house.box.letters, house.texts.asked) == ([], [])
    assert set((await house.states(booked)).values()) == {DROPPED}


async def test_a_move_in_the_last_moment_is_what_is_told(house: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = house.messages.claim
    moved: list[object] = []

    async def moving(message: object, as_read: object) -> bool:
        if not moved:
            moved.append(await house.store.reschedule(ID, LATER, None, LATER))
        return await real(message, as_read)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(house.messages, "claim", moving)
    await house.book(callback(visitor=replace(ZOE, sms=False)))
    await house.go_on()
    assert ["4 March" in each.message["Subject"] for each in house.box.letters] == [True]


PERMISSION = [
    # e-mail, texts allowed, number → letters, texts
    ("zoe@example.com", True, MOBILE, 1, 1),
    ("zoe@example.com", False, MOBILE, 1, 0),
    ("", True, MOBILE, 0, 1),
    ("", False, MOBILE, 0, 0),
    ("zoe@example.com", True, LANDLINE, 1, 0),
]


@pytest.mark.parametrize(("email", "sms", "number", "letters", "sent"), PERMISSION)
async def test_nothing_leaves_without_permission(
    house: Rig,
    email: str,
    sms: bool,  # noqa: FBT001  # a table's
    number: str,
    letters: int,
    sent: int,
) -> None:
    await house.book(callback(visitor=replace(ZOE, email=email, sms=sms, phone=number)))
    assert (len(house.box.letters), len(house.texts.asked)) == (letters, sent)


async def test_a_site_that_does_not_write_does_not(tmp_path: Path, certificates: Path) -> None:
    async with rig(tmp_path, certificates, voice(channels=frozenset())) as house:
        await house.book(callback())
        assert (house.box.letters, house.texts.asked) == ([], [])
        assert await house.of(callback()) == []


async def test_a_permission_that_was_withdrawn_holds_for_what_waits(house: Rig) -> None:
    booked = callback()
    await house.book(booked)
    house.messenger._carriers[E]._voices = {"shop": voice(channels=frozenset({S}))}
    house.messenger._carriers[S]._voices = {}
    await house.go_on(WANTED - 30 * MINUTE)
    assert [(each.state, each.detail) for each in (await house.of(booked))[2:]] == [
        (DROPPED, "no permission"),
        (DROPPED, "its site is no longer configured"),
    ]


async def test_at_night_what_was_just_asked_for_is_answered(house: Rig) -> None:
    house.clock.at = night = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    await house.book(callback(requested_at=night))
    assert len(house.box.letters) == 1
    assert len(house.texts.asked) == 1


async def test_in_welsh(tmp_path: Path, certificates: Path) -> None:
    async with rig(tmp_path, certificates, voice(Language.WELSH)) as house:
        await house.book(callback())
        message = house.box.letters[0].message
        assert message["Subject"] == "Eich galwad gan Example Shop: dydd Mawrth 3 Mawrth 2026 am 14:00"
        assert '<html lang="cy">' in body(message, "html")
        assert house.texts.asked[0].body["text"].startswith("Example Shop: byddwn yn eich ffonio dydd Mawrth 3 Mawrth")


HOSTILE = [
    *("Zoe\u202e evil", "<script>alert(1)</script>", "Ann & Co <b>", "{{ 7*7 }}", "x" * 200, "Z\u200bo\u200ce"),
    *("Visit www.evil.example.com", "a@b.example.com", "'; DROP TABLE callback; --", "\N{RIGHT-TO-LEFT ISOLATE}abc"),
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_does_no_harm(house: Rig, name: str) -> None:
    await house.book(named(callback(), name))
    message = house.box.letters[0].message
    whole = body(message, "plain") + body(message, "html")
    for bad in ("<script", "<b>", "\u202e", "\u200b", "\u2067", "49", "evil.example", "DROP", "@b."):
        assert bad not in whole
    assert set(message.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
    }


@pytest.mark.parametrize("address", ["zoë@example.com", "x" * 64 + "@example.com", "a'b+c@example.com"])
async def test_an_odd_address_is_written_to_or_told_of(house: Rig, address: str) -> None:
    booked = callback(visitor=replace(ZOE, email=address, sms=False))
    await house.book(booked)
    state = (await house.states(booked))[MessageKind.BOOKED, E]
    assert state is (SENT if address.isascii() else MessageState.FAILED)
    assert len(house.box.letters) == address.isascii()
    assert not any(address in each.detail for each in await house.of(booked))
