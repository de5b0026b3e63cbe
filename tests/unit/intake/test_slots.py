"""The times that are offered are the times that are kept: each, submitted, is promised exactly."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.directory import Department, Directory, Interval, Nation, OpeningHours
from dialer.domain.errors import RequestRefused
from dialer.intake.slots import slots
from dialer.intake.submission import accept, callable_number
from tests.unit import plain
from tests.unit.intake.places import DIRECTORY, LONDON, NEW_YORK, NOW, OFFICE

QUARTER = timedelta(minutes=15)
LONDONER, NEW_YORKER = "+442079460000", "+12125550123"
DAY = timedelta(days=1)


AT_ANY_HOUR = replace(DIRECTORY, sites={"shop": replace(DIRECTORY.sites["shop"], call_between=Interval(time(0), None))})


def offered(
    at: Department,
    since: datetime,
    until: datetime,
    number: str | None = None,
    every: timedelta = QUARTER,
    directory: Directory = DIRECTORY,
) -> list[datetime]:
    return [each.due_at for each in slots(directory, at, number, since, until, every, 1000)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_day_of_office_hours() -> None:
    found = offered(plain.department("sales", hours=OFFICE), NOW, NOW + DAY)
    assert found[0] == NOW
    assert found[-1] == at("2030-05-14T09:45Z")
    assert at("2030-05-13T15:45Z") in found
    assert at("2030-05-13T16:00Z") not in found
    assert len(found) == 24 + 8


def test_they_lie_on_the_clock_and_not_in_the_past() -> None:
    found = offered(
        plain.department("sales", hours=OFFICE), NOW + timedelta(minutes=1, microseconds=1), NOW + timedelta(hours=1)
    )
    assert [each.minute for each in found] == [15, 30, 45]


def test_there_are_no_more_than_wanted() -> None:
    assert len(slots(DIRECTORY, plain.department("sales", hours=OFFICE), None, NOW, NOW + 300 * DAY, QUARTER, 7)) == 7


def test_a_department_that_never_opens_offers_nothing() -> None:
    assert offered(plain.department("closed", hours=OpeningHours(LONDON, ((),) * 7)), NOW, NOW + 31 * DAY) == []


def test_exceptions_and_bank_holidays() -> None:
    hours = replace(OFFICE, exceptions={date(2030, 5, 14): (Interval(time(10), time(10, 30)),)}, nation=Nation.ENGLAND)
    found = offered(plain.department("sales", hours=hours), at("2030-05-14T00:00Z"), at("2030-05-15T00:00Z"))
    assert found == [at("2030-05-14T09:00Z"), at("2030-05-14T09:15Z")]
    spring_bank_holiday = at("2030-05-27T00:00Z")
    assert offered(plain.department("sales", hours=hours), spring_bank_holiday, spring_bank_holiday + DAY) == []


def test_the_called_person_s_own_hours() -> None:
    always = OpeningHours(LONDON, ((Interval(time(0), None),),) * 7)
    day = (at("2030-05-14T00:00Z"), at("2030-05-15T00:00Z"))
    here = offered(plain.department("care", hours=always), *day, LONDONER)
    there = offered(plain.department("care", hours=always), *day, NEW_YORKER)
    assert (here[0], here[-1]) == (at("2030-05-14T07:00Z"), at("2030-05-14T19:45Z"))
    # Who is not known yet has a number of the site's zone.
    assert offered(plain.department("care", hours=always), *day) == here
    assert (there[0].astimezone(NEW_YORK).hour, there[-1]) == (20, at("2030-05-14T23:45Z"))


@pytest.mark.parametrize("day", ["2030-03-31", "2030-10-27"])
def test_a_clock_change(day: str) -> None:
    hours = OpeningHours(LONDON, ((Interval(time(0, 30), time(3)),),) * 7)
    since = at(f"{day}T00:00Z") - timedelta(hours=1)
    half_an_hour = timedelta(minutes=30)
    nights = plain.department("nights", hours=hours)
    found = offered(nights, since, since + DAY, every=half_an_hour, directory=AT_ANY_HOUR)
    spring = day == "2030-03-31"
    assert len(found) == (3 if spring else 7)
    assert all(later - earlier == timedelta(minutes=30) for earlier, later in pairwise(found))


@given(
    start=st.integers(0, 400 * 24 * 60),
    opens=st.integers(0, 24 * 60 - 1),
    length=st.integers(1, 24 * 60),
    every=st.sampled_from([5, 10, 15, 20, 30, 60]),
    zone=st.sampled_from([LONDON, NEW_YORK]),
    numbered=st.booleans(),
)
def test_every_slot_is_accepted_with_exactly_that_promise(
    start: int,
    opens: int,
    length: int,
    every: int,
    zone: object,
    numbered: bool,  # noqa: FBT001  # drawn
) -> None:
    """The whole of submission is asked, by what a widget would send."""
    closes = (opens + length) % (24 * 60)
    interval = Interval(time(opens // 60, opens % 60), time(closes // 60, closes % 60) if closes else None)
    hours = OpeningHours(zone, ((interval,),) * 5 + ((), ()))  # type: ignore[arg-type]  # a zone
    asked = plain.department("drawn", hours=hours, patience=timedelta(hours=3))
    directory = replace(DIRECTORY, departments={"drawn": asked})
    since = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    until = since + 2 * DAY
    found = slots(directory, asked, LONDONER if numbered else None, since, until, timedelta(minutes=every), 20)
    for each in found:
        assert since <= each.due_at < until
        request = {"department": "drawn", "phone": LONDONER, "at": each.due_at.isoformat()}
        made = accept(request, directory, since)
        assert (made.due_at, made.expires_at) == (each.due_at, each.expires_at)


def test_a_number_that_could_not_be_called_is_refused() -> None:
    sales, texts = DIRECTORY.departments["sales"], DIRECTORY.departments["texts"]
    assert callable_number("020 7946 0000", sales, DIRECTORY) == LONDONER
    for text, where, code in (
        ("", sales, "field_missing"),
        ("nobody", sales, "number_not_a_number"),
        (NEW_YORKER, sales, "number_foreign"),
        (LONDONER, texts, "number_no_trunk"),
    ):
        with pytest.raises(RequestRefused) as refusal:
            callable_number(text, where, DIRECTORY)
        assert refusal.value.code == code
