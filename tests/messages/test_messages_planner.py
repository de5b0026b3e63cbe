"""Which messages follow from a change, and when: tables of cases, without a store or a wire."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest

from dialer.domain.callback import Status
from dialer.domain.directory import Interval
from dialer.notify.messages import Channel, Draft, Message, MessageKind, MessageState, Plan
from dialer.notify.outbox import Change
from dialer.notify.planner import Manner, hold, permitted, plan
from tests.messages.samples import (
    BOTH,
    DAY,
    HOUR,
    ID,
    LANDLINE,
    MINUTE,
    MOBILE,
    MONDAY,
    SHOP,
    WANTED,
    ZOE,
    callback,
    change,
    draft,
    stored,
)

E, S = Channel.EMAIL, Channel.SMS
MAIL_ONLY = Manner(frozenset({E}))
SILENT = Manner(frozenset())


def planned(
    of: Change, *before: Message, manner: Manner = MAIL_ONLY, objected: bool = False, number: str = MOBILE
) -> Plan:
    as_it_is = callback(visitor=replace(ZOE, phone=number))
    return plan(of, as_it_is, before, SHOP, manner, objected=objected)


def kinds(made: Plan) -> list[tuple[MessageKind, Channel]]:
    return [(each.kind, each.channel) for each in made.new]


def the(made: Plan, kind: MessageKind) -> Draft:
    (found,) = [each for each in made.new if each.kind is kind]
    return found


# --- permission ------------------------------------------------------------------------------------------------------

PERMISSION = [
    # e-mail given, texts allowed, number, the site's ways that are set up → the ways that are used
    ("zoe@example.com", True, MOBILE, {E, S}, (E, S)),
    ("zoe@example.com", False, MOBILE, {E, S}, (E,)),
    ("", True, MOBILE, {E, S}, (S,)),
    ("", False, MOBILE, {E, S}, ()),
    ("zoe@example.com", True, LANDLINE, {E, S}, (E,)),
    ("zoe@example.com", True, MOBILE, {E}, (E,)),
    ("zoe@example.com", True, MOBILE, {S}, (S,)),
    ("zoe@example.com", True, MOBILE, set(), ()),
    ("zoe@example.com", True, "+12025550123", {S}, (S,)),  # North America's plan does not tell
    ("", True, "not a number any more", {E, S}, ()),
]


@pytest.mark.parametrize(("email", "sms", "number", "ways", "used"), PERMISSION)
def test_a_way_is_used_only_with_permission_and_where_it_is_set_up(
    email: str,
    sms: bool,  # noqa: FBT001  # a table's
    number: str,
    ways: set[Channel],
    used: tuple[Channel, ...],
) -> None:
    visitor = replace(ZOE, email=email, sms=sms, phone=number)
    assert permitted(visitor, Manner(frozenset(ways))) == used


@pytest.mark.parametrize(("given", "texts", "mobile", "on", "listed"), list(product((True, False), repeat=5)))
def test_every_case_of_permission(given: bool, texts: bool, mobile: bool, on: bool, listed: bool) -> None:  # noqa: FBT001  # a table's
    visitor = replace(ZOE, email="zoe@example.com" if given else "", sms=texts, phone=MOBILE if mobile else LANDLINE)
    manner = BOTH if on else SILENT
    made = plan(change(), callback(visitor=visitor), (), SHOP, manner, objected=listed)
    assert {each.channel for each in made.new} == {
        *({E} if given and on and not listed else ()),
        *({S} if texts and mobile and on and not listed else ()),
    }


@pytest.mark.parametrize("status", list(Status))
def test_a_number_that_is_never_called_is_told_nothing_whatever_happens(status: Status) -> None:
    waiting = stored(7, draft(MessageKind.REMINDER), MessageState.WAITING)
    made = planned(change(status=status, previous=Status.SCHEDULED, version=2), waiting, objected=True)
    assert made == Plan(drop=(7,), why="objection")


def test_a_rejected_callback_is_told_nothing() -> None:
    assert planned(change(status=Status.REJECTED, previous=Status.SCHEDULED)).new == ()


# --- promises --------------------------------------------------------------------------------------------------------


def test_a_booking_is_confirmed_at_once_and_reminded_of() -> None:
    made = planned(change(), manner=BOTH)
    assert kinds(made) == [
        *((MessageKind.BOOKED, channel) for channel in (E, S)),
        *((MessageKind.REMINDER, channel) for channel in (E, S)),
    ]
    booked, *_, reminder = made.new
    assert (booked.send_at, booked.asked_until, booked.give_up_at) == (MONDAY, MONDAY + 15 * MINUTE, WANTED)
    assert (reminder.send_at, reminder.asked_until, reminder.give_up_at) == (WANTED - 30 * MINUTE, None, WANTED)
    assert (booked.callback, booked.about, booked.promised_at) == (ID, 0, WANTED)


def test_what_is_told_is_the_promise_not_the_wish() -> None:
    opens = WANTED + 2 * HOUR
    assert the(planned(change(due_at=opens)), MessageKind.BOOKED).promised_at == opens


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(timedelta(0), False), (15 * MINUTE, False), (16 * MINUTE, True), (DAY, True)],
)
def test_as_soon_as_possible_is_confirmed_only_when_that_is_not_soon(ahead: timedelta, told: bool) -> None:  # noqa: FBT001  # a table's
    made = planned(change(wanted_at=None, due_at=MONDAY + ahead))
    assert kinds(made) == ([(MessageKind.BOOKED, E)] if told else [])


def test_the_site_says_what_is_soon() -> None:
    patient = replace(MAIL_ONLY, confirm_after=2 * DAY)
    assert planned(change(wanted_at=None, due_at=MONDAY + DAY), manner=patient).new == ()


def test_a_move_is_told_and_takes_the_place_of_what_still_waits() -> None:
    later = WANTED + DAY
    before = [
        stored(1, draft()),
        stored(2, draft(MessageKind.REMINDER, about=1), MessageState.WAITING),
        stored(3, draft(channel=S), MessageState.WAITING),
    ]
    made = planned(change(version=2, previous=Status.SCHEDULED, wanted_at=later, due_at=later), *before)
    assert kinds(made) == [(MessageKind.MOVED, E), (MessageKind.REMINDER, E)]
    assert [each.about for each in made.new] == [2, 2]
    assert (made.drop, made.why) == ((2, 3), "moved")


def test_moved_there_and_back_again_each_is_told() -> None:
    there = draft(MessageKind.MOVED, about=2, wanted_at=WANTED + DAY)
    back = planned(change(version=3, previous=Status.SCHEDULED), stored(1, draft()), stored(2, there))
    assert the(back, MessageKind.MOVED).about == 3


def test_a_move_of_what_was_never_told_is_told() -> None:
    made = planned(change(version=2, previous=Status.SCHEDULED))
    assert kinds(made) == [(MessageKind.MOVED, E), (MessageKind.REMINDER, E)]


def test_a_move_to_now_is_told_to_whoever_was_promised_a_time() -> None:
    now = change(version=2, previous=Status.SCHEDULED, wanted_at=None, due_at=MONDAY + MINUTE)
    assert kinds(planned(now, stored(1, draft()))) == [(MessageKind.MOVED, E)]
    assert planned(now) == Plan()
    assert planned(now, stored(1, draft(wanted_at=None))) == Plan()


def test_a_move_wished_during_an_attempt_is_told_when_it_holds() -> None:
    noted = change(version=3, previous=Status.IN_PROGRESS, status=Status.IN_PROGRESS, wanted_at=WANTED + DAY)
    assert planned(noted, stored(1, draft())) == Plan()
    held = replace(noted, version=4, status=Status.SCHEDULED, due_at=WANTED + DAY, at=WANTED + MINUTE)
    assert the(planned(held, stored(1, draft())), MessageKind.MOVED).promised_at == WANTED + DAY


@pytest.mark.parametrize(
    "again",
    [
        # a try that came to nothing; put off by the daemon; a person's retry, whose window is over
        change(version=3, previous=Status.IN_PROGRESS, due_at=WANTED + HOUR, at=WANTED + MINUTE),
        change(version=3, previous=Status.SCHEDULED, due_at=WANTED + HOUR, at=WANTED + MINUTE),
        change(version=3, previous=Status.NEEDS_REVIEW, due_at=WANTED + HOUR, at=WANTED + MINUTE),
        change(version=3, previous=Status.IN_PROGRESS, wanted_at=None, due_at=WANTED + HOUR, at=WANTED + MINUTE),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_that_we_try_again_is_no_message(again: Change, told: bool) -> None:  # noqa: FBT001  # a table's
    window = draft(wanted_at=again.wanted_at, wanted_until=None if again.wanted_at is None else WANTED + MINUTE)
    before = [stored(1, window)] if told else []
    assert planned(again, *before) == Plan()


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.NEEDS_REVIEW])
def test_what_is_under_way_is_no_message(status: Status) -> None:
    assert planned(change(version=2, previous=Status.SCHEDULED, status=status), stored(1, draft())) == Plan()


def test_told_again_a_booking_leaves_its_own_messages_alone() -> None:
    before = [
        stored(id_, each, MessageState.WAITING) for id_, each in enumerate(planned(change(), manner=BOTH).new, start=1)
    ]
    again = planned(change(), *before, manner=BOTH)
    assert again.drop == ()
    assert again.new == tuple(each.draft for each in before)


# --- reminders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("booked", "wanted", "reminded"),
    [
        # two hours ahead at least
        (MONDAY, MONDAY + 2 * HOUR - MINUTE, None),
        (MONDAY, MONDAY + 2 * HOUR, MONDAY + 90 * MINUTE),
        # 08:05 on Tuesday: 07:35 is too early, so a quarter of an hour before the quiet hours of Monday evening
        (MONDAY, datetime(2026, 3, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 2, 20, 45, tzinfo=UTC)),
        # … which, for whoever books after that, is over: dropped
        (datetime(2026, 3, 2, 22, 0, tzinfo=UTC), datetime(2026, 3, 3, 8, 5, tzinfo=UTC), None),
        # 08:30 is half an hour after they end
        (MONDAY, datetime(2026, 3, 3, 8, 30, tzinfo=UTC), datetime(2026, 3, 3, 8, 0, tzinfo=UTC)),
        # the Sunday on which the clocks go forward: 08:05 BST is 07:05 UTC, and Saturday's evening is by GMT
        (MONDAY, datetime(2026, 3, 29, 7, 5, tzinfo=UTC), datetime(2026, 3, 28, 20, 45, tzinfo=UTC)),
        # the Sunday on which they go back: 21:00 on Saturday is by BST
        (MONDAY, datetime(2026, 10, 25, 8, 5, tzinfo=UTC), datetime(2026, 10, 24, 19, 45, tzinfo=UTC)),
    ],
)
def test_a_reminder_keeps_out_of_quiet_hours(booked: datetime, wanted: datetime, reminded: datetime | None) -> None:
    made = planned(change(at=booked, wanted_at=wanted, due_at=wanted))
    found = [each.send_at for each in made.new if each.kind is MessageKind.REMINDER]
    assert found == ([] if reminded is None else [reminded])


def test_no_reminder_where_the_site_wants_none_or_nobody_booked_a_time() -> None:
    assert kinds(planned(change(), manner=replace(MAIL_ONLY, reminder_before=timedelta(0)))) == [
        (MessageKind.BOOKED, E)
    ]
    assert kinds(planned(change(wanted_at=None))) == [(MessageKind.BOOKED, E)]


def test_where_it_is_always_quiet_there_is_no_reminder() -> None:
    never = replace(SHOP, call_between=Interval(time(0), time(0, 1)))
    made = plan(change(), callback(), (), never, replace(MAIL_ONLY, reminder_before=30 * DAY), objected=False)
    assert kinds(made) == [(MessageKind.BOOKED, E)]


def test_hours_that_never_end_hold_no_reminder_up() -> None:
    always = replace(SHOP, call_between=Interval(time(0), None))
    early = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    made = plan(change(wanted_at=early, due_at=early), callback(), (), always, MAIL_ONLY, objected=False)
    assert the(made, MessageKind.REMINDER).send_at == early - 30 * MINUTE


# --- ends ------------------------------------------------------------------------------------------------------------

NIGHT = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [Status.FAILED, Status.EXPIRED])
@pytest.mark.parametrize(("at", "told"), [(MONDAY, MONDAY), (NIGHT, MORNING)])
def test_that_we_gave_up_is_told_by_day(status: Status, at: datetime, told: datetime) -> None:
    made = planned(change(version=9, previous=Status.SCHEDULED, status=status, at=at))
    (end,) = made.new
    assert (end.kind.value, end.send_at, end.give_up_at, end.asked_until) == (status.value, told, told + DAY, None)


def test_a_cancellation_answers_whoever_was_promised_a_time_at_any_hour() -> None:
    (end,) = planned(change(version=2, previous=Status.SCHEDULED, status=Status.CANCELLED, at=NIGHT)).new
    assert (end.kind, end.send_at, end.asked_until) == (MessageKind.CANCELLED, NIGHT, NIGHT + 15 * MINUTE)


def test_a_cancellation_of_what_was_never_promised_is_no_news() -> None:
    soon = change(version=2, previous=Status.SCHEDULED, status=Status.CANCELLED, wanted_at=None)
    assert planned(soon) == Plan(why="cancelled")
    assert kinds(planned(soon, stored(1, draft(wanted_at=None)))) == [(MessageKind.CANCELLED, E)]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.EXPIRED, Status.CANCELLED])
def test_an_end_takes_away_what_still_waits(status: Status) -> None:
    waiting = stored(5, draft(MessageKind.REMINDER), MessageState.WAITING)
    made = planned(change(version=2, previous=Status.SCHEDULED, status=status), stored(1, draft()), waiting)
    assert (made.drop, made.why) == ((5,), status.value)
    assert len(made.new) == (status is not Status.COMPLETED)


def test_told_again_an_end_leaves_its_own_message_alone() -> None:
    failed = change(version=9, previous=Status.IN_PROGRESS, status=Status.FAILED)
    (end,) = planned(failed).new
    assert planned(failed, stored(1, end, MessageState.WAITING)).drop == ()


# --- at the moment of sending ----------------------------------------------------------------------------------------

CASES = [
    # the message, the callback, now → may leave (None), later, or why not
    (draft(), callback(), MONDAY, None),
    (draft(), callback(wanted_at=WANTED + DAY), MONDAY, "moved"),
    (draft(), callback(wanted_until=WANTED + DAY), MONDAY, "moved"),
    (draft(), callback(status=Status.IN_PROGRESS), MONDAY, "in_progress"),
    (draft(), callback(status=Status.CANCELLED), MONDAY, "cancelled"),
    (draft(), callback(), WANTED, "too late"),
    # just asked for, at night; asked for so long ago that it waits for the morning; or for nothing
    (draft(asked_until=NIGHT + MINUTE), callback(), NIGHT, None),
    (draft(asked_until=NIGHT), callback(), NIGHT, MORNING),
    (draft(give_up_at=MORNING), callback(), NIGHT, "too late"),
    (draft(MessageKind.REMINDER, asked_until=None), callback(), WANTED - 30 * MINUTE, None),
    (draft(MessageKind.REMINDER), callback(status=Status.NEEDS_REVIEW), MONDAY, "needs_review"),
    (draft(MessageKind.FAILED), callback(status=Status.FAILED), MONDAY, None),
    (draft(MessageKind.FAILED), callback(), MONDAY, "scheduled"),
    (draft(MessageKind.CANCELLED), callback(status=Status.CANCELLED, wanted_at=None), MONDAY, None),
    (draft(MessageKind.EXPIRED, asked_until=None), callback(status=Status.EXPIRED), NIGHT, MORNING),
]


@pytest.mark.parametrize(("message", "as_it_is", "now", "held"), CASES)
def test_asked_again_at_the_moment_of_sending(
    message: Draft, as_it_is: object, now: datetime, held: datetime | str | None
) -> None:
    assert hold(message, as_it_is, SHOP, now) == held  # type: ignore[arg-type]  # a table's


def test_told_again_by_hand_an_old_promise_takes_nothing_from_a_newer_one() -> None:
    later = change(version=2, previous=Status.SCHEDULED, wanted_at=WANTED + HOUR, due_at=WANTED + HOUR, reason="moved")
    moved = [stored(number, each, MessageState.WAITING) for number, each in enumerate(planned(later).new)]
    assert [message.draft.kind for message in moved] == [MessageKind.MOVED, MessageKind.REMINDER]
    assert planned(change(), *moved) == Plan()


def test_what_reaches_us_hours_after_it_was_asked_for_waits_for_the_morning() -> None:
    """A feed was down: the visitor asked at ten in the morning, and is asleep by now."""
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    booked = the(planned(change(at=night)), MessageKind.BOOKED)
    assert hold(booked, callback(), SHOP, night) == datetime(2026, 3, 3, 8, tzinfo=UTC)
    asked_now = the(planned(change(at=night, requested_at=night)), MessageKind.BOOKED)
    assert hold(asked_now, callback(), SHOP, night) is None


@pytest.mark.parametrize(("source", "leaves"), [("site:shop", None), ("feed:mi", MORNING)])
@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.CANCELLED])
def test_when_a_feeds_change_was_asked_for_is_not_known_so_that_it_waits_for_the_morning(
    status: Status, source: str, leaves: datetime | None
) -> None:
    moved = change(version=2, previous=Status.SCHEDULED, status=status, source=source, at=NIGHT, reason="moved")
    answer = planned(moved).new[0]
    assert hold(answer, callback(status=status), SHOP, NIGHT) == leaves


def test_quiet_hours_go_by_the_clocks_of_the_number() -> None:
    abroad = callback(visitor=replace(ZOE, phone="+12025550123"))
    assert hold(draft(asked_until=None), abroad, SHOP, MONDAY) == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


def test_where_no_hour_is_open_a_message_is_dropped() -> None:
    nowhere = replace(SHOP, call_between=Interval(time(12), time(12, 1)))
    abroad = callback(visitor=replace(ZOE, phone="+61491570156"))
    assert hold(draft(asked_until=None, give_up_at=MONDAY + 900 * DAY), abroad, nowhere, MONDAY) == "too late"
