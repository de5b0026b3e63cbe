"""Times in words, in both languages and across clock changes; names that are greeted by, and those that are not;
addresses as they go over the wire."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dialer.domain import phone
from dialer.notify.letter import BadAddress, recipient_of
from dialer.notify.wording import Language, name_of, one_line, when, zone_of
from tests.messages.samples import HOUR, LANDLINE, LONDON, MONDAY

EN, CY = Language.ENGLISH, Language.WELSH
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("at", "language", "words"),
    [
        (MONDAY, EN, "Monday 2 March 2026 at 10:00 (GMT)"),
        (MONDAY, CY, "dydd Llun 2 Mawrth 2026 am 10:00 (GMT)"),
        (datetime(2026, 8, 16, 8, 5, tzinfo=UTC), EN, "Sunday 16 August 2026 at 09:05 (BST)"),
        (datetime(2026, 8, 16, 8, 5, tzinfo=UTC), CY, "dydd Sul 16 Awst 2026 am 09:05 (BST)"),
        # the hour that the clocks show twice
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), EN, "Sunday 25 October 2026 at 01:30 (BST)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), EN, "Sunday 25 October 2026 at 01:30 (GMT)"),
    ],
)
def test_a_time_in_words(at: datetime, language: Language, words: str) -> None:
    told = when(at, None, LONDON, LONDON, language)
    assert told.whole == words
    assert told.whole.startswith(told.day)
    assert told.time in told.whole


def test_a_window_names_both_its_ends() -> None:
    told = [when(MONDAY, MONDAY + 2 * HOUR, LONDON, LONDON, language).whole for language in Language]
    assert told == [
        "Monday 2 March 2026 between 10:00 and 12:00 (GMT)",
        "dydd Llun 2 Mawrth 2026 rhwng 10:00 a 12:00 (GMT)",
    ]
    assert when(MONDAY, MONDAY, LONDON, LONDON, EN).whole == "Monday 2 March 2026 at 10:00 (GMT)"


def test_a_window_over_midnight_or_over_a_clock_change_names_both_in_full() -> None:
    over = when(MONDAY, MONDAY + 20 * HOUR, LONDON, LONDON, EN).whole
    assert over == "Monday 2 March 2026 at 10:00 (GMT) \N{EN DASH} Tuesday 3 March 2026 at 06:00 (GMT)"
    change = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (
        "01:30 (BST) \N{EN DASH} Sunday 25 October 2026 at 01:30 (GMT)"
        in when(change, change + HOUR, LONDON, LONDON, EN).whole
    )


@pytest.mark.parametrize(
    ("zone", "named"),
    [("Europe/Paris", "Paris, CET"), ("America/New_York", "New York, EST"), ("Asia/Dubai", "Dubai, UTC+04")],
)
def test_a_zone_that_is_not_the_site_s_is_named_by_its_place(zone: str, named: str) -> None:
    assert when(MONDAY, None, ZoneInfo(zone), LONDON, EN).zone == named


@pytest.mark.parametrize(
    ("number", "home", "zone"),
    [
        (LANDLINE, LONDON, "Europe/London"),
        # one clock that differs
        ("+12025550123", LONDON, "America/New_York"),
        (LANDLINE, PARIS, "Europe/London"),
        # the same clock, whatever its name
        ("+35315550123", LONDON, "Europe/London"),
        # clocks of several, or of none
        ("+61491570156", LONDON, "Europe/London"),
        ("", LONDON, "Europe/London"),
    ],
)
def test_whose_clock_a_visitor_is_told_the_time_by(number: str, home: ZoneInfo, zone: str) -> None:
    found = zone_of(number, home, MONDAY)
    assert MONDAY.astimezone(found).utcoffset() == MONDAY.astimezone(ZoneInfo(zone)).utcoffset()


def test_a_zone_that_this_host_does_not_know_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "zones", lambda _number: ("Europe/Nowhere", "Europe/Paris"))
    assert zone_of(LANDLINE, LONDON, MONDAY).key == "Europe/Paris"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Zoë Smith",
            "Siân O\N{RIGHT SINGLE QUOTATION MARK}Connor-Jones",
            "J. Smith",
            "O.J. Simpson",
            "Smith, John",
            "李小龙",
            "محمد",
            "Łukasz",
        ),
        *("नीलेश", "می‌خواهم", "Nguyễn Văn An", "Dr. Ann", "d'Artagnan"),
    ],
)
def test_a_name_is_greeted_by(name: str) -> None:
    assert name_of(name) == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-",
            "...",
            "Win £1000",
            "evil.example.com",
            "x.com",
            "see www now",
            "a@b",
            "http://evil",
            "1",
            "<b>",
        ),
        *(
            "Zoe\r\nBcc: all@example.com",
            "A" * 61,
            "Z\u0300\u0301\u0302\u0303a",
            "{{ page }}",
            "\ud800",
            "Ann\N{FACE WITH TEARS OF JOY}",
        ),
    ],
)
def test_what_is_no_name_is_not_repeated(text: str) -> None:
    assert name_of(text) == ""


def test_what_turns_or_hides_is_left_out_of_a_name() -> None:
    assert name_of("\u202eZo\u200be\u2066 \ufeffSmith\u00ad") == "Zoe Smith"
    assert name_of("Zoe\t  Smith ") == "Zoe Smith"


def test_a_line_is_one_line_of_what_can_be_seen() -> None:
    assert one_line("a\r\nBcc: b\u2028c\u00a0d\u202e\u200b\x00", 99) == "a Bcc: b c d"
    assert one_line("a" * 10, 5) == "aaaa…"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("o'neil+x@Example.COM", "o'neil+x@Example.COM"),
        ("zoe@MÜNCHEN.example.com", "zoe@xn--mnchen-3ya.example.com"),
        ("zoe@xn--mnchen-3ya.example.com", "zoe@xn--mnchen-3ya.example.com"),
    ],
)
def test_an_address_goes_to_the_domain_that_it_names(given: str, sent: str) -> None:
    assert recipient_of(given) == sent


@pytest.mark.parametrize("given", ["zoe@faß.example.com", "zoe@βόλος.example.com", "zoe@②.example.com"])
def test_a_domain_that_old_rules_take_for_another_is_sent_nothing(given: str) -> None:
    with pytest.raises(BadAddress, match="reads as another one"):
        recipient_of(given)
