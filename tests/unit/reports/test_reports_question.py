"""What is asked for: days of the right clock, and what cannot be asked."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused
from dialer.reports.groups import By
from dialer.reports.report import Kind, Question, question
from dialer.reports.spans import day_start, last_days, month_so_far
from tests.unit.reports.cases import KOLKATA, LONDON, NOON, directory

USAGE, ANSWERS, FUNNEL = Kind.USAGE, Kind.ANSWERS, Kind.FUNNEL


def asked(kind: Kind = ANSWERS, **more: Any) -> Question:
    return question(directory(), NOON, kind, **more)


SPANS: list[tuple[str, date | None, date | None, ZoneInfo, str, str]] = [
    ("seven days, with today", None, None, LONDON, "2030-05-10T23:00", "2030-05-17T23:00"),
    ("over the change in spring", date(2030, 3, 31), date(2030, 4, 1), LONDON, "2030-03-31T00:00", "2030-03-31T23:00"),
    ("and in autumn", date(2030, 10, 27), date(2030, 10, 28), LONDON, "2030-10-26T23:00", "2030-10-28T00:00"),
    ("up to today", date(2030, 5, 1), None, KOLKATA, "2030-04-30T18:30", "2030-05-17T18:30"),
    ("the seven days before", None, date(2030, 5, 1), LONDON, "2030-04-23T23:00", "2030-04-30T23:00"),
    # In Beirut the clocks jump from 00:00 to 01:00: the day begins with the jump.
    (
        "a midnight that the clocks leave out",
        date(2022, 3, 27),
        date(2022, 3, 28),
        ZoneInfo("Asia/Beirut"),
        "2022-03-26T22:00",
        "2022-03-27T21:00",
    ),
]


@pytest.mark.parametrize(("story", "first", "until", "zone", "since", "before"), SPANS, ids=[case[0] for case in SPANS])
def test_spans(story: str, first: date | None, until: date | None, zone: ZoneInfo, since: str, before: str) -> None:
    span = last_days(first, until, zone, NOON)
    assert f"{span.since:%Y-%m-%dT%H:%M}" == since
    assert f"{span.before:%Y-%m-%dT%H:%M}" == before
    assert span.zone is zone


def test_usage_is_of_whole_months_so_far() -> None:
    assert month_so_far(None, None, LONDON, NOON) == last_days(date(2030, 5, 1), None, LONDON, NOON)
    assert month_so_far(None, date(2030, 5, 1), LONDON, NOON) == last_days(
        date(2030, 4, 1), date(2030, 5, 1), LONDON, NOON
    )
    assert asked(USAGE).span == month_so_far(None, None, ZoneInfo("UTC"), NOON)


def test_a_day_begins_by_the_clock_of_its_zone() -> None:
    assert day_start(KOLKATA, datetime(2030, 5, 17, 18, 29, tzinfo=UTC)) == datetime(2030, 5, 16, 18, 30, tzinfo=UTC)
    assert day_start(KOLKATA, datetime(2030, 5, 17, 18, 30, tzinfo=UTC)) == datetime(2030, 5, 17, 18, 30, tzinfo=UTC)


def test_whose_days() -> None:
    assert asked(site="clinic").span.zone is KOLKATA
    assert asked(department="ward").span.zone is KOLKATA
    assert asked(site="shop", department="sales").span.zone is LONDON
    assert asked().span.zone == ZoneInfo("UTC")  # two clocks
    house = directory()
    one = replace(house, sites={"shop": house.sites["shop"]})
    assert question(one, NOON, ANSWERS).span.zone is LONDON
    assert question(Directory(), NOON, ANSWERS).span.zone == ZoneInfo("UTC")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"first": date(2030, 5, 17), "until": date(2030, 5, 17)}, "until"),
    ({"first": date(2030, 5, 18)}, "until"),
    ({"first": date.min}, "from"),
    ({"until": date.min}, "until"),
    ({"until": date.max}, "until"),
    ({"until": date(1970, 1, 1)}, "from"),
    ({"kind": USAGE, "by": By.SITE}, "by"),
    ({"kind": FUNNEL, "by": By.AGENT}, "by"),
    ({"kind": FUNNEL, "department": "sales"}, "department"),
    ({"site": "gone"}, "site"),
    ({"department": "gone"}, "department"),
    ({"site": "clinic", "department": "sales"}, "department"),
]


@pytest.mark.parametrize(("given", "field"), REFUSED)
def test_what_cannot_be_asked(given: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        asked(**given)
    assert refusal.value.field == field
    assert refusal.value.remedy
