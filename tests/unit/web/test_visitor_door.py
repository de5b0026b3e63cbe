"""Who may ask how often, and what counts as a form of ours."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.callback import Callback, Visitor
from dialer.domain.directory import Interval
from dialer.domain.ids import CallbackId
from dialer.intake.slots import slots
from dialer.intake.submission import accept
from dialer.web.proxies import network
from dialer.web.visitor.english import ENGLISH
from dialer.web.visitor.offers import AHEAD, chosen, offer
from dialer.web.visitor.posted import is_ours, origin_of, path_of
from dialer.web.visitor.preferred import preferred
from dialer.web.visitor.query import Query
from dialer.web.visitor.texts import Notice
from dialer.web.visitor.throttle import GUESSING, Allowance, Throttle
from dialer.web.visitor.welsh import WELSH
from tests.unit.intake.places import DIRECTORY, LONDON, NOW

OURS = "https://callback.example.com"
HALF_AN_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
NUMBER = "+442079460000"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- how often -------------------------------------------------------------------------------------------------------


def test_an_address_may_ask_so_often_and_again_as_time_passes() -> None:
    clock = Seconds()
    throttle = Throttle(clock, Allowance(most=3, per_second=0.5))
    assert [throttle.admits("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    assert throttle.admits("192.0.2.2"), "another one is not held up"
    clock.now += 1.9
    assert not throttle.admits("192.0.2.1")
    clock.now += 0.1
    assert [throttle.admits("192.0.2.1") for _ in range(2)] == [True, False]
    clock.now += 1e6
    assert [throttle.admits("192.0.2.1") for _ in range(4)] == [True, True, True, False], "no more than ever"


def test_guessing_is_dear() -> None:
    clock = Seconds()
    throttle = Throttle(clock)
    tries = 0
    while throttle.admits("192.0.2.1"):
        throttle.charge("192.0.2.1", GUESSING)
        tries += 1
    assert tries == 6
    clock.now += 3600
    assert throttle.admits("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "a unix socket", True),
    ],
)
def test_who_has_many_addresses_is_one(one: str, other: str, *, same: bool) -> None:
    assert (network(one) == network(other)) is same


def test_no_more_askers_are_kept_than_bounded() -> None:
    throttle = Throttle(Seconds(), Allowance(most=1, per_second=0, askers=2))
    for last in (1, 2, 3):
        assert throttle.admits(f"192.0.2.{last}")
    assert not throttle.admits("192.0.2.3")
    assert throttle.admits("192.0.2.1"), "forgotten"


# --- from where ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": OURS}, True),
        ({"origin": OURS, "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://evil.example.net"}, False),
        ({"origin": OURS + ".example.net"}, False),
        ({"origin": "http://callback.example.com"}, False),
        ({"origin": OURS + ":8443"}, False),
        ({"origin": OURS, "sec-fetch-site": "cross-site"}, False),
        ({"origin": OURS, "sec-fetch-site": "same-site"}, False),
        ({"origin": OURS, "sec-fetch-site": "none"}, False),
        ({"origin": "https://evil.example.net", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_our_own_page_sends_our_forms(headers: dict[str, str], *, ours: bool) -> None:
    assert is_ours(headers, OURS) is ours


@pytest.mark.parametrize(
    ("base", "origin", "path"),
    [
        ("https://callback.example.com", "https://callback.example.com", ""),
        ("https://Callback.example.com:443", "https://callback.example.com", ""),
        ("https://example.com:8443/mi/back", "https://example.com:8443", "/mi/back"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ("http://[::1]:8080/x", "http://[::1]:8080", "/x"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(base: str, origin: str, path: str) -> None:
    assert (origin_of(base), path_of(base)) == (origin, path)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, Query(ENGLISH, None, has_day=False, notice=None)),
        ({"lang": "cy"}, Query(WELSH, None, has_day=False, notice=None)),
        ({"lang": "xx", "done": "paid", "day": "soon"}, Query(ENGLISH, None, has_day=True, notice=None)),
        ({"done": "moved"}, Query(ENGLISH, None, has_day=False, notice=Notice.MOVED)),
        ({"day": "2030-05-17"}, Query(ENGLISH, date(2030, 5, 17), has_day=True, notice=None)),
        ({"day": "2030-W20-5"}, Query(ENGLISH, date(2030, 5, 17), has_day=True, notice=None)),
        ({"day": "2030-13-01"}, Query(ENGLISH, None, has_day=True, notice=None)),
        *(({"day": day}, Query(ENGLISH, None, has_day=True, notice=None)) for day in ("20300517", "\0" * 10, "today")),
    ],
)
def test_what_an_address_says_is_read_or_as_if_it_were_not_there(given: dict[str, str], read: Query) -> None:
    assert Query.of(given) == read
    assert Query.of({"lang": "xx", **given}, "cy").texts is (ENGLISH if given.get("lang") == "en" else WELSH)


# --- which times -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("department", ["sales", "care", "nights"])
def test_every_time_that_is_offered_is_accepted_with_exactly_that_promise(department: str) -> None:
    found = slots(DIRECTORY, DIRECTORY.departments[department], NUMBER, NOW, NOW + 7 * DAY, HALF_AN_HOUR, 200)
    assert len(found) > 20 or department == "nights"
    for made in found:
        request = {"department": department, "phone": NUMBER, "at": made.due_at.isoformat()}
        taken = accept(request, DIRECTORY, NOW)
        assert (taken.due_at, taken.expires_at) == (made.due_at, made.expires_at)


def test_times_are_offered_within_the_opening_hours_and_no_time_twice() -> None:
    found = slots(DIRECTORY, DIRECTORY.departments["sales"], NUMBER, NOW, NOW + 3 * DAY, HALF_AN_HOUR, 200)
    local = [made.due_at.astimezone(LONDON) for made in found]
    assert [f"{at:%a %H:%M}" for at in local[:3]] == ["Mon 11:00", "Mon 11:30", "Mon 12:00"]
    assert [f"{at:%H:%M}" for at in local if at.date() == date(2030, 5, 14)] == [
        f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(9 * 60, 17 * 60, 30)
    ]
    assert len(set(local)) == len(local)


@pytest.mark.parametrize(("since", "first"), [(0, 0), (1, 30), (29, 30), (30, 30), (31, 60)])
def test_times_are_whole_steps_of_the_clock(since: int, first: int) -> None:
    at = NOW + timedelta(minutes=since)
    found = slots(DIRECTORY, DIRECTORY.departments["care"], NUMBER, at, at + DAY, HALF_AN_HOUR, 1)
    assert [made.due_at for made in found] == [NOW + timedelta(minutes=first)]


def test_who_can_never_be_called_is_offered_nothing() -> None:
    closed = DIRECTORY.departments["closed"]
    assert slots(DIRECTORY, closed, NUMBER, NOW, NOW + 7 * DAY, HALF_AN_HOUR, 100) == []
    empty = offer(DIRECTORY, closed, NUMBER, None, NOW, NOW)
    assert (empty.days, empty.later) == ((), None)


def test_whole_days_are_offered_some_thirty_times_at_once() -> None:
    seen: list[datetime] = []
    first = None
    for _ in range(40):
        made = offer(DIRECTORY, DIRECTORY.departments["sales"], NUMBER, first, NOW, NOW)
        times = [at for day in made.days for at in day]
        assert 1 <= len(times) <= 32
        seen += times
        if made.later is None:
            break
        first = made.later
    assert seen == sorted(set(seen))
    all_of_them = slots(
        DIRECTORY, DIRECTORY.departments["sales"], NUMBER, NOW + timedelta(minutes=5), NOW + AHEAD, HALF_AN_HOUR, 10_000
    )
    assert seen == [made.due_at for made in all_of_them]


@pytest.mark.parametrize("day", [date(2029, 1, 1), date(2030, 5, 13), date(2031, 1, 1), date.min, date.max])
def test_a_day_that_is_past_or_too_far_is_today(day: date) -> None:
    care = DIRECTORY.departments["care"]
    assert offer(DIRECTORY, care, NUMBER, day, NOW, NOW) == offer(DIRECTORY, care, NUMBER, None, NOW, NOW)


def test_both_hours_are_offered_when_the_clocks_go_back() -> None:
    site = replace(DIRECTORY.sites["shop"], call_between=Interval(time(0), None))
    always = replace(DIRECTORY, sites={"shop": site})
    before = datetime(2030, 10, 26, 23, 30, tzinfo=UTC)
    found = slots(always, always.departments["nights"], NUMBER, before, before + 4 * HALF_AN_HOUR, HALF_AN_HOUR, 200)
    local = [made.due_at.astimezone(LONDON) for made in found]
    assert [f"{at:%H:%M %Z}" for at in local] == ["00:30 BST", "01:00 BST", "01:30 BST", "01:00 GMT"]


MADE = Callback(CallbackId("1"), "shop", "sales", Visitor(NUMBER), NOW, None, NOW)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2030-05-14T10:00:00+01:00", "2030-05-14T09:00:00+00:00"),
        ("2030-05-14T09:00:00Z", "2030-05-14T09:00:00+00:00"),
        ("2030-05-14T09:07:00Z", "2030-05-14T09:07:00+00:00"),
        ("2030-05-14T10:00:00", None),
        ("2030-05-14", None),
        ("2030-05-14T22:00:00Z", None),
        ("2030-05-18T10:00:00Z", None),
        ("2030-05-13T09:59:59Z", None),
        ("2030-05-13T10:00:00Z", None),
        ("2031-05-14T09:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2030-05-14T10:00:00+01:00" + " " * 40, None),
        ("now", None),
        ("", None),
        ("\0", None),
    ],
)
def test_only_a_time_that_can_be_kept_exactly_is_taken(text: str, taken: str | None) -> None:
    assert chosen(DIRECTORY, DIRECTORY.departments["sales"], MADE, text, NOW) == taken


@given(st.text(max_size=60) | st.datetimes().map(datetime.isoformat))
def test_no_text_makes_choosing_fail(text: str) -> None:
    chosen(DIRECTORY, DIRECTORY.departments["sales"], MADE, text, NOW)


def test_no_time_can_be_kept_where_it_is_always_closed() -> None:
    assert chosen(DIRECTORY, DIRECTORY.departments["closed"], MADE, "2030-05-14T10:00:00Z", NOW) is None


# --- in which language, where no site decides ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("cy", "cy"),
        ("CY-gb ; Q=0.001", "cy"),
        ("cy-GB,cy;q=0.9,en-GB;q=0.8,en;q=0.7", "cy"),
        ("fr, ,cy;q=0.2,,en;q=0.1", "cy"),
        ("en;q=0, *;q=0.1", "cy"),
        ("cy;q=0.1, cy-GB, en;q=0.9", "cy"),
        # English: as heavy, heavier, or not asked for anything.
        ("cy,en", "en"),
        ("cy;q=0.899,en;q=0.9", "en"),
        ("cy;q=0", "en"),
        ("cy;q=0.1,*", "en"),
        ("*", "en"),
        ("fr-FR,fr;q=0.9", "en"),
        ("", "en"),
        # Not of the grammar.
        ("cy;q=2", "en"),
        ("cy;q=-1", "en"),
        ("cy;q=0.1234", "en"),
        ("cy;q=1.5", "en"),
        ("cy;q=", "en"),
        ("cy;q=nan", "en"),
        ("cy;q=1;q=1", "en"),
        ("cy;level=1", "en"),
        ("cy en", "en"),
        ("cymraegeg", "en"),
        ("cy-", "en"),
        ("*-cy", "en"),
        ("cy\n", "en"),
        ("cy;q=\u0661", "en"),
        # Nobody's.
        ("cy," * 400, "en"),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, language: str) -> None:
    assert preferred(header, ("en", "cy")) == language


@given(st.text(max_size=50) | st.text("cyen*;q=01.,- ", max_size=50))
def test_any_header_has_a_language(header: str) -> None:
    assert preferred(header, ("en", "cy")) in {"en", "cy"}
