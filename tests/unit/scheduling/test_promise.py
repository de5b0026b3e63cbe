"""What a visitor is promised: when they are called, and until when that holds. Local times of London; 13 May 2030 is a
Monday, and the department works from Monday to Friday, 09:00 to 18:00."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialer.scheduling.promise import Promise, given_up_at, promise
from tests.unit.scheduling.samples import DEPARTMENT, LONDON, NEW_YORK, hours

HALF_AN_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
NEW_YORKER = hours(NEW_YORK, "08:00-21:00")  # from 13:00 in London
SOON = None


def local(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"2030-{text}").replace(tzinfo=LONDON) if text else None


@pytest.mark.parametrize(
    ("what", "now", "wanted_at", "wanted_until", "patience", "due", "expires"),
    [
        # As soon as possible.
        ("soon", "05-13T10:00", SOON, None, HALF_AN_HOUR, "05-13T10:00", "05-13T10:30"),
        ("soon, five to six", "05-13T17:55", SOON, None, HALF_AN_HOUR, "05-13T17:55", "05-14T09:25"),
        ("soon, five to six on Friday", "05-17T17:55", SOON, None, HALF_AN_HOUR, "05-17T17:55", "05-20T09:25"),
        ("soon, half past five", "05-13T17:30", SOON, None, HALF_AN_HOUR, "05-13T17:30", "05-13T18:00"),
        ("soon, on the minute it closes", "05-13T18:00", SOON, None, HALF_AN_HOUR, "05-14T09:00", "05-14T09:30"),
        ("soon, at night", "05-13T03:00", SOON, None, HALF_AN_HOUR, "05-13T09:00", "05-13T09:30"),
        ("soon, at the weekend", "05-18T12:00", SOON, None, HALF_AN_HOUR, "05-20T09:00", "05-20T09:30"),
        ("soon, a working day's patience", "05-13T13:00", SOON, None, 9 * HOUR, "05-13T13:00", "05-14T13:00"),
        ("soon, for ever", "05-13T10:00", SOON, None, None, "05-13T10:00", None),
        ("soon, for longer than is reckoned", "05-13T10:00", SOON, None, 5000 * HOUR, "05-13T10:00", None),
        # At a time.
        ("at two", "05-13T10:00", "05-13T14:00", None, HALF_AN_HOUR, "05-13T14:00", "05-13T14:30"),
        ("at eight in the evening", "05-13T10:00", "05-13T20:00", None, HALF_AN_HOUR, "05-14T09:00", "05-14T09:30"),
        ("on a Sunday", "05-13T10:00", "05-19T14:00", None, HALF_AN_HOUR, "05-20T09:00", "05-20T09:30"),
        ("in a year", "05-13T10:00", "12-24T17:45", None, HALF_AN_HOUR, "12-24T17:45", "12-25T09:15"),
        ("at a time that is past", "05-13T10:00", "05-13T09:30", None, HALF_AN_HOUR, "05-13T10:00", "05-13T10:30"),
        # Within a window.
        ("from two to four", "05-13T10:00", "05-13T14:00", "05-13T16:00", None, "05-13T14:00", "05-13T16:00"),
        ("patience ends first", "05-13T10:00", "05-13T14:00", "05-13T16:00", HOUR, "05-13T14:00", "05-13T15:00"),
        ("the window ends first", "05-13T10:00", "05-13T14:00", "05-13T16:00", 9 * HOUR, "05-13T14:00", "05-13T16:00"),
        ("within the window already", "05-13T15:00", "05-13T14:00", "05-13T16:00", None, "05-13T15:00", "05-13T16:00"),
        ("before four", "05-13T10:00", SOON, "05-13T16:00", 9 * HOUR, "05-13T10:00", "05-13T16:00"),
        ("it opens within the window", "05-13T03:00", SOON, "05-13T09:01", HOUR, "05-13T09:00", "05-13T09:01"),
        ("it opens as the window ends", "05-13T03:00", SOON, "05-13T09:00", HOUR, None, None),
        ("a window in the evening", "05-13T10:00", "05-13T19:00", "05-13T21:00", HOUR, None, None),
        ("a window that is past", "05-13T10:00", "05-13T09:00", "05-13T09:30", HOUR, None, None),
        # London's clocks go forward on 31 March and back on 27 October.
        ("over the shorter weekend", "03-29T17:55", SOON, None, HALF_AN_HOUR, "03-29T17:55", "04-01T09:25"),
        ("over the longer weekend", "10-25T17:55", SOON, None, HALF_AN_HOUR, "10-25T17:55", "10-28T09:25"),
    ],
)
def test_promises(
    what: str,
    now: str,
    wanted_at: str | None,
    wanted_until: str | None,
    patience: timedelta | None,
    due: str | None,
    expires: str | None,
) -> None:
    moment, due_at = local(now), local(due)
    assert moment is not None
    made = promise(replace(DEPARTMENT, patience=patience), (), local(wanted_at), local(wanted_until), moment)
    assert made == (Promise(due_at, local(expires)) if due_at else None)


@pytest.mark.parametrize(
    ("what", "now", "wanted_until", "due", "expires"),
    [
        ("New York sleeps", "05-13T10:00", None, "05-13T13:00", "05-13T14:00"),
        ("New York is up", "05-13T13:30", None, "05-13T13:30", "05-13T14:30"),
        ("we close before New York does", "05-13T18:00", None, "05-14T13:00", "05-14T14:00"),
        ("a window while New York sleeps", "05-13T10:00", "05-13T13:00", None, None),
        ("patience counts our opening time", "05-13T17:30", None, "05-13T17:30", "05-14T09:30"),
    ],
)
def test_nobody_is_promised_a_call_in_their_quiet_hours(
    what: str, now: str, wanted_until: str | None, due: str | None, expires: str | None
) -> None:
    moment, due_at = local(now), local(due)
    assert moment is not None
    made = promise(replace(DEPARTMENT, patience=HOUR), (NEW_YORKER,), None, local(wanted_until), moment)
    assert made == (Promise(due_at, local(expires)) if due_at else None)


def test_a_department_that_never_opens_promises_nothing() -> None:
    closed = replace(DEPARTMENT, hours=hours(LONDON))
    moment = local("05-13T10:00")
    assert moment is not None
    assert promise(closed, (), None, None, moment) is None


def test_a_promise_made_anew_has_all_of_the_patience_again() -> None:
    patient = replace(DEPARTMENT, patience=HOUR)
    due = local("05-13T17:30")
    assert due is not None
    assert given_up_at(patient, due, None) == local("05-14T09:30")
    assert given_up_at(patient, due, local("05-13T18:15")) == local("05-13T18:15")
