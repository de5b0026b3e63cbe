"""Opening hours as they are written: days, nights, exceptions, bank holidays, and when visitors may be called."""

from datetime import date, time
from pathlib import Path

import pytest

from dialer.domain.directory import Interval, Nation
from tests.unit.settings.least import LEAST, loaded, refused_at, sales

NIGHT = Interval(time(22), time(2))


@pytest.mark.parametrize(
    ("hours", "open_days"),
    [
        ('{ mon = ["09:00-10:00"] }', [0]),
        ('{ sat-mon = ["09:00-10:00"] }', [0, 5, 6]),
        ('{ mon-sun = ["00:00-24:00"] }', [0, 1, 2, 3, 4, 5, 6]),
        ('{ mon-fri = ["09:00-10:00"], sat = [] }', [0, 1, 2, 3, 4]),
        ('{ wed-wed = ["09:00-10:00"] }', [2]),
    ],
)
def test_days_and_ranges_of_days(file: Path, hours: str, open_days: list[int]) -> None:
    week = sales(file, hours=hours).hours.week
    assert [day for day in range(7) if week[day]] == open_days


def test_hours_go_by_the_sites_zone(file: Path) -> None:
    text = LEAST.replace('name = "Shop"', 'name = "Shop"\nzone = "America/New_York"')
    hours = loaded(file, text).directory().departments["sales"].hours
    assert hours.zone.key == "America/New_York"
    assert hours.week == ((Interval(time(9), time(17, 30)),),) * 5 + ((), ())
    assert (hours.exceptions, hours.nation, hours.on_holidays) == ({}, None, ())


@pytest.mark.parametrize(
    ("spans", "intervals"),
    [
        (
            '"18:00-24:00", "09:00-12:00", "12:00-13:00"',
            (Interval(time(9), time(12)), Interval(time(12), time(13)), Interval(time(18), None)),
        ),
        ('"00:00-24:00"', (Interval(time(0), None),)),
        ('"22:00-02:00"', (NIGHT,)),
        ('"22:00-00:00"', (Interval(time(22), None),)),
        ('"22:00-02:00", "02:00-05:00"', (Interval(time(2), time(5)), NIGHT)),
        ('"09:00-08:59"', (Interval(time(9), time(8, 59)),)),
    ],
)
def test_spans_of_a_day_come_in_order_and_may_touch_and_reach_over_midnight(
    file: Path, spans: str, intervals: tuple[Interval, ...]
) -> None:
    assert sales(file, hours=f"{{ mon-sun = [{spans}] }}").hours.week == (intervals,) * 7


@pytest.mark.parametrize(
    "hours",
    [
        '{ fri = ["22:00-02:00"], sat = ["02:00-05:00"] }',
        '{ fri = ["22:00-24:00"], sat = ["00:00-05:00"] }',
        '{ sun = ["22:00-02:00"], mon = ["02:00-05:00"] }',
        '{ fri = ["22:00-02:00"], sun = ["01:00-05:00"] }',
    ],
)
def test_a_night_may_touch_the_next_morning(file: Path, hours: str) -> None:
    assert sum(len(intervals) for intervals in sales(file, hours=hours).hours.week) == 2


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        ('{ mon-fry = ["09:00-17:30"] }', '"mon-fry" is not a day'),
        ('{ Mon = ["09:00-17:30"] }', '"Mon" is not a day'),
        ('{ tue = ["10:00-11:00"], mon-fri = ["09:00-17:30"] }', "tue is given twice"),
        ('{ mon-fri = "09:00-17:30" }', "mon-fri is not a list"),
        ("{ mon-fri = [] }", "never opens"),
        ("{}", "never opens"),
        ("9", "not opening hours"),
        ('{ mon = ["09:00-17:30", "17:00-18:00"] }', "mon has hours that overlap"),
        ('{ mon = ["09:00-24:00", "20:00-21:00"] }', "mon has hours that overlap"),
        ('{ mon = ["22:00-02:00", "23:00-23:30"] }', "mon has hours that overlap"),
        ('{ mon = ["22:00-02:00", "23:00-01:00"] }', "mon has hours that overlap"),
        ('{ mon = ["22:00-02:00", "22:00-02:00"] }', "mon has hours that overlap"),
        ('{ fri = ["22:00-02:00"], sat = ["01:00-05:00"] }', "fri has hours that overlap sat's"),
        ('{ fri = ["22:00-02:00"], sat = ["00:00-24:00"] }', "fri has hours that overlap sat's"),
        ('{ sun = ["22:00-02:00"], mon = ["01:59-05:00"] }', "sun has hours that overlap mon's"),
        ('{ mon-sun = ["22:00-02:00", "01:00-03:00"] }', "mon has hours that overlap tue's"),
        ('{ mon-fri = ["09:00-09:00"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["00:00-00:00"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["24:00-24:00"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["24:00-02:00"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["9:00-17:30"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["09:00-25:00"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["09:00-17:60"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["09:00-24:01"] }', "mon-fri has a bad time"),
        ('{ mon-fri = ["\u0660\u0669:00-17:30"] }', "mon-fri has a bad time"),
        ("{ mon-fri = [9] }", "mon-fri has a bad time"),
    ],
)
def test_what_are_no_opening_hours(file: Path, hours: str, says: str) -> None:
    refused_at(file, LEAST.replace('{ mon-fri = ["09:00-17:30"] }', hours), "department.sales.hours", says)


# --- exceptions and bank holidays ------------------------------------------------------------------------------------


def test_exceptions_by_date(file: Path) -> None:
    more = (
        'exceptions = { "2026-12-24" = ["10:00-12:00", "09:00-10:00"], 2026-12-31 = ["22:00-02:00"], 2028-02-29 = [] }'
    )
    assert sales(file, more).hours.exceptions == {
        date(2026, 12, 24): (Interval(time(9), time(10)), Interval(time(10), time(12))),
        date(2026, 12, 31): (NIGHT,),
        date(2028, 2, 29): (),
    }


@pytest.mark.parametrize(
    ("nation", "hours", "intervals"),
    [
        ("england", "[]", ()),
        ("wales", '["10:00-16:00"]', (Interval(time(10), time(16)),)),
        ("scotland", '["22:00-02:00"]', (NIGHT,)),
        ("northern_ireland", '["00:00-24:00"]', (Interval(time(0), None),)),
    ],
)
def test_bank_holidays(file: Path, nation: str, hours: str, intervals: tuple[Interval, ...]) -> None:
    made = sales(file, f'bank_holidays = "{nation}"\nbank_holiday_hours = {hours}\n').hours
    assert (made.nation, made.on_holidays) == (Nation(nation), intervals)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("exceptions = []", "not exceptions"),
        ("exceptions = { 2026-02-29 = [] }", '"2026-02-29" is not a date'),
        ("exceptions = { 20261224 = [] }", '"20261224" is not a date'),
        ("exceptions = { 2026-W52-4 = [] }", '"2026-W52-4" is not a date'),
        ("exceptions = { christmas = [] }", '"christmas" is not a date'),
        ('exceptions = { 2026-12-24 = "closed" }', "2026-12-24 is not a list"),
        ('exceptions = { 2026-12-24 = ["9-12"] }', "2026-12-24 has a bad time"),
        ('exceptions = { 2026-12-24 = ["09:00-12:00", "11:00-13:00"] }', "2026-12-24 has hours that overlap"),
        ('exceptions = { 2026-12-24 = ["22:00-02:00", "23:00-01:00"] }', "2026-12-24 has hours that overlap"),
    ],
)
def test_what_are_no_exceptions(file: Path, line: str, says: str) -> None:
    refused_at(file, f"{LEAST}{line}\n", "department.sales.exceptions", says)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('bank_holiday_hours = ["10:00-16:00"]', "there are no bank holidays"),
        ('bank_holidays = "wales"\nbank_holiday_hours = ["10"]', "a bank holiday has a bad time"),
        ('bank_holidays = "wales"\nbank_holiday_hours = ["10:00-16:00", "15:00-17:00"]', "overlap"),
    ],
)
def test_what_are_no_hours_of_bank_holidays(file: Path, lines: str, says: str) -> None:
    refused_at(file, f"{LEAST}{lines}\n", "department.sales.bank_holiday_hours", says)


# --- when visitors may be called -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "interval"),
    [
        ("09:00-20:30", Interval(time(9), time(20, 30))),
        ("00:00-24:00", Interval(time(0), None)),
        ("08:00-00:00", Interval(time(8), None)),
    ],
)
def test_when_visitors_may_be_called(file: Path, given: str, interval: Interval) -> None:
    text = LEAST.replace('name = "Shop"', f'name = "Shop"\ncall_between = "{given}"')
    assert loaded(file, text).directory().sites["shop"].call_between == interval


@pytest.mark.parametrize(
    "given", ['"22:00-02:00"', '"08:00-08:00"', '"8-21"', '"08:00-21:00, 22:00-23:00"', '["08:00-21:00"]', "8"]
)
def test_visitors_are_called_in_one_span_within_a_day(file: Path, given: str) -> None:
    text = LEAST.replace('name = "Shop"', f'name = "Shop"\ncall_between = {given}')
    refused_at(file, text, "site.shop.call_between", "not one span within a day")
