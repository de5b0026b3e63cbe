"""Submission: what becomes a callback, what is refused and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import RequestRefused
from dialer.domain.phone import DEFAULT_POLICY, NumberKind, NumberPolicy
from dialer.intake.submission import accept
from dialer.scheduling.hours import is_open
from tests.unit.intake.places import DIRECTORY, GOOD, LONDON, NOW, with_account


def good(**fields: object) -> Callback:
    return accept(GOOD | fields, DIRECTORY, NOW)


def refused(request: object) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        accept(request, DIRECTORY, NOW)
    assert caught.value.remedy
    return caught.value


def test_the_least_that_a_request_needs() -> None:
    callback = good()
    assert ULID.from_str(callback.id)
    assert (callback.site, callback.department, callback.visitor.phone) == ("shop", "sales", "+442079460000")
    assert (callback.requested_at, callback.wanted_at, callback.due_at) == (NOW, None, NOW)
    assert (callback.status, callback.attempts, callback.version) == (Status.SCHEDULED, 0, 1)
    assert (callback.wanted_until, callback.origin) == (None, "")
    assert callback.expires_at == NOW + timedelta(hours=2)


def test_everything_that_a_request_can_carry() -> None:
    consent = {
        "wording": "I agree\nto be called",
        "given_at": "2030-05-13T10:59:30+01:00",
        "page": "https://a.example/p",
    }
    callback = good(
        name="  Zoe\u0308 \u05d0\u05d1\u05d2 \N{GRINNING FACE} ",
        email="zoe.o'brien+shop@mail.example.com",
        page="https://shop.example.com/sofas?colour=red#top",
        message="Hello,\r\nred or blue?\rThanks\tZ\u2028",
        session="b3f1-77",
        at="2030-05-14T14:30:00+02:00",
        consent=consent,
    )
    visitor = callback.visitor
    assert visitor.name == "Zo\u00eb \u05d0\u05d1\u05d2 \N{GRINNING FACE}"
    assert visitor.email == "zoe.o'brien+shop@mail.example.com"
    assert visitor.page == "https://shop.example.com/sofas?colour=red#top"
    assert visitor.message == "Hello,\nred or blue?\nThanks Z"
    assert visitor.session == "b3f1-77"
    assert visitor.consent is not None
    assert visitor.consent.wording == "I agree\nto be called"
    assert visitor.consent.given_at == datetime(2030, 5, 13, 9, 59, 30, tzinfo=UTC)
    assert visitor.consent.page == "https://a.example/p"
    assert callback.wanted_at == callback.due_at == datetime(2030, 5, 14, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("field", ["name", "email", "page", "message", "session", "address", "at", "until", "consent"])
def test_null_stands_for_absent(field: str) -> None:
    plain = good()
    assert replace(good(**{field: None}), id=plain.id) == plain


@pytest.mark.parametrize("field", ["name", "email", "page", "message", "session", "address", "at", "until"])
def test_nothing_but_space_stands_for_absent(field: str) -> None:
    plain = good()
    assert replace(good(**{field: "  "}), id=plain.id) == plain


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (None, "field_type", ""),
        ([], "field_type", ""),
        ("text", "field_type", ""),
        ({}, "field_missing", "department"),
        ({"department": "sales"}, "field_missing", "phone"),
        (GOOD | {"phone": ""}, "field_missing", "phone"),
        (GOOD | {"phone": 2079460000}, "field_type", "phone"),
        (GOOD | {"phone": "0" * 101}, "field_too_long", "phone"),
        (GOOD | {"phone": "0901 234 5678"}, "number_premium", "phone"),
        (GOOD | {"department": "nobody"}, "department_unknown", "department"),
        (GOOD | {"department": ["sales"]}, "field_type", "department"),
        (GOOD | {"department": "closed"}, "department_closed", "department"),
        (GOOD | {"department": "nights"}, "department_closed", "department"),  # only while nobody may be called
        (GOOD | {"department": "texts"}, "number_no_trunk", "phone"),
        (GOOD | {"session": 5}, "field_type", "session"),
        (GOOD | {"address": 2130706433}, "field_type", "address"),
        (GOOD | {"address": "x" * 101}, "field_too_long", "address"),
        (GOOD | {"address": "127.0.0.1\n"}, "field_characters", "address"),
        (GOOD | {"nmae": "Zoë"}, "field_unknown", ""),
        (GOOD | {"name": 1}, "field_type", "name"),
        (GOOD | {"name": True}, "field_type", "name"),
        (GOOD | {"name": {}}, "field_type", "name"),
        (GOOD | {"name": "x" * 201}, "field_too_long", "name"),
        (GOOD | {"name": "\ufb2c" * 200}, "field_too_long", "name"),  # three times as long when composed
        (GOOD | {"name": "Zoë\r\nAction: Command"}, "field_characters", "name"),
        (GOOD | {"name": "Zoë\x00"}, "field_characters", "name"),
        (GOOD | {"name": "Zoë\t"}, "field_characters", "name"),
        (GOOD | {"name": "Zoë\x85"}, "field_characters", "name"),
        (GOOD | {"name": "Zoë\u2028"}, "field_characters", "name"),
        (GOOD | {"name": "\ud800"}, "field_characters", "name"),
        (GOOD | {"session": "a\nb"}, "field_characters", "session"),
        (GOOD | {"session": "x" * 129}, "field_too_long", "session"),
        (GOOD | {"message": "x" * 4_001}, "field_too_long", "message"),
        (GOOD | {"message": "x" * 1_000_000}, "field_too_long", "message"),
        (GOOD | {"message": "\x1b[31m"}, "field_characters", "message"),
        (GOOD | {"message": "\udfff"}, "field_characters", "message"),
        (GOOD | {"email": "x" * 250 + "@b.uk"}, "field_too_long", "email"),
        (GOOD | {"page": "https://shop.example.com/" + "x" * 2_048}, "field_too_long", "page"),
        (GOOD | {"consent": "yes"}, "field_type", "consent"),
        (GOOD | {"consent": {}}, "field_missing", "consent.given_at"),
        (GOOD | {"consent": {"given_at": "2030-05-13T09:00Z"}}, "field_missing", "consent.wording"),
        (GOOD | {"consent": {"given_at": "2030-05-13T11:00Z", "wording": "yes"}}, "time_future", "consent.given_at"),
        (GOOD | {"consent": {"given_at": "then", "wording": "yes"}}, "time_invalid", "consent.given_at"),
        (
            GOOD | {"consent": {"given_at": "2030-05-13T09:00Z", "wording": "x" * 2_001}},
            "field_too_long",
            "consent.wording",
        ),
        (
            GOOD | {"consent": {"given_at": "2030-05-13T09:00Z", "wording": "yes", "page": "x"}},
            "page_invalid",
            "consent.page",
        ),
        (GOOD | {"consent": {"ip": "127.0.0.1"}}, "field_unknown", "consent"),
    ],
)
def test_refused(request_: object, code: str, field: str) -> None:
    refusal = refused(request_)
    assert (refusal.code, refusal.field) == (code, field)


@pytest.mark.parametrize(("field", "limit"), [("name", 200), ("message", 4_000), ("session", 128)])
def test_the_limits_are_exact(field: str, limit: int) -> None:
    assert good(**{field: "é" * limit})
    assert refused(GOOD | {field: "é" * (limit + 1)}).code == "field_too_long"


@pytest.mark.parametrize(
    "email",
    [
        "zoe",
        "zoe@",
        "@example.com",
        "zoe@example",
        "zoe@@example.com",
        "zoe@example..com",
        "zoe@-a.example.com",
        "zoe@exam_ple.com",
        "zoe lee@example.com",
        "Zoe <zoe@example.com>",
        "zoe@example.com, lee@example.com",
        ".zoe@example.com",
        "zoe.@example.com",
        "zo..e@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_no_email_address(email: str) -> None:
    assert refused(GOOD | {"email": email}).code == "email_invalid"


@pytest.mark.parametrize("email", ["z@a.example.org", "zoe.lee@sub-domain.example.net", "zoë@exämple.com"])
def test_an_email_address(email: str) -> None:
    assert good(email=email).visitor.email == email


@pytest.mark.parametrize(
    "page",
    [
        "shop.example.com",
        "javascript:alert(1)",
        "ftp://a.example.com/",
        "https://",
        "https://[a",
        "http://a.example.com/a b",
    ],
)
def test_no_web_page(page: str) -> None:
    assert refused(GOOD | {"page": page}).code == "page_invalid"


@pytest.mark.parametrize(
    ("at", "wanted", "due"),
    [
        ("2030-05-13T10:00:00Z", None, "2030-05-13T10:00"),  # this moment: as soon as possible
        ("2030-05-13T09:59:00Z", None, "2030-05-13T10:00"),  # a minute ago: the request was under way
        ("2030-05-13T10:00:01Z", "2030-05-13T10:00:01", "2030-05-13T10:00:01"),
        ("2030-05-13T14:30", "2030-05-13T13:30", "2030-05-13T13:30"),  # without an offset: by London's clock
        ("2030-05-13 14:30:15", "2030-05-13T13:30:15", "2030-05-13T13:30:15"),
        ("20300513T143000", "2030-05-13T13:30", "2030-05-13T13:30"),
        ("2030-05-13T19:00", "2030-05-13T18:00", "2030-05-14T08:00"),  # after closing: the next opening
        ("2030-05-18T12:00", "2030-05-18T11:00", "2030-05-20T08:00"),  # a Saturday
        ("2030-12-02T14:30", "2030-12-02T14:30", "2030-12-02T14:30"),  # in winter
        ("2031-05-13T10:00Z", "2031-05-13T10:00", "2031-05-13T10:00"),  # 365 days ahead
    ],
)
def test_the_wanted_time(at: str, wanted: str | None, due: str) -> None:
    callback = good(at=at)
    assert callback.wanted_at == (datetime.fromisoformat(f"{wanted}+00:00") if wanted else None)
    assert callback.due_at == datetime.fromisoformat(f"{due}+00:00")


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2030-05-13T09:58:59Z", "time_past"),
        ("1970-01-01T00:00:00Z", "time_past"),
        ("2031-05-13T10:00:01Z", "time_too_far"),
        ("2040-05-13T10:00:00Z", "time_too_far"),
        ("2030-05-14", "time_invalid"),
        ("20300514", "time_invalid"),
        ("2030-W20-2", "time_invalid"),
        ("tomorrow", "time_invalid"),
        ("14:30", "time_invalid"),
        ("2030-02-30T10:00", "time_invalid"),
        ("2030-05-14T25:00", "time_invalid"),
        ("9999-12-31T23:59:59-12:00", "time_invalid"),
        ("0001-01-01T00:00:00+12:00", "time_invalid"),
        ("0001-01-01T00:00:00", "time_past"),
        ("\u0662\u0660\u0663\u0660-05-14T10:00", "time_invalid"),
        ("2031-03-30T01:30", "time_nonexistent"),  # the clocks go forward
        ("2030-10-27T01:30", "time_ambiguous"),  # the clocks go back
    ],
)
def test_a_time_that_is_refused(at: str, code: str) -> None:
    refusal = refused(GOOD | {"department": "care", "at": at})
    assert (refusal.code, refusal.field) == (code, "at")


@pytest.mark.parametrize(
    ("at", "until", "wanted", "due", "expires"),
    [
        ("2030-05-13T14:00", "2030-05-13T15:00", "13T13:00", "13T13:00", "13T14:00"),
        ("2030-05-13T14:00", "2030-05-13T16:30", "13T13:00", "13T13:00", "13T15:00"),  # its patience ends before
        ("2030-05-13T16:30", "2030-05-13T20:00", "13T15:30", "13T15:30", "13T19:00"),  # patience goes on tomorrow
        ("2030-05-13T10:00Z", "2030-05-13T12:00", None, "13T10:00", "13T11:00"),  # begins this moment
        ("2030-05-13T08:00", "2030-05-13T12:00", None, "13T10:00", "13T11:00"),  # has begun
        ("2030-05-13T20:00", "2030-05-14T09:30", "13T19:00", "14T08:00", "14T08:30"),
    ],
)
def test_a_window(at: str, until: str, wanted: str | None, due: str, expires: str) -> None:
    callback = good(at=at, until=until)
    moments = [None if each is None else datetime.fromisoformat(f"2030-05-{each}+00:00") for each in (wanted, due)]
    assert [callback.wanted_at, callback.due_at] == moments
    assert callback.wanted_until == datetime.fromisoformat(until).replace(tzinfo=LONDON)
    assert callback.expires_at == datetime.fromisoformat(f"2030-05-{expires}+00:00")


@pytest.mark.parametrize(
    ("at", "until", "code", "field"),
    [
        (None, "2030-05-13T15:00", "field_missing", "at"),
        ("2030-05-13T15:00", "2030-05-13T15:00", "window_empty", "until"),
        ("2030-05-13T15:00", "2030-05-13T14:00", "window_empty", "until"),
        ("2030-05-13T15:00+01:00", "2030-05-13T15:00+02:00", "window_empty", "until"),
        ("2030-05-13T08:00", "2030-05-13T11:00", "time_past", "until"),  # this moment
        ("1970-01-01T00:00Z", "1970-01-01T01:00Z", "time_past", "until"),
        ("2030-05-13T17:00", "2030-05-14T09:00", "window_closed", "until"),  # ends as the department opens
        ("2030-05-18T09:00", "2030-05-19T17:00", "window_closed", "until"),  # a weekend
        ("2030-05-13T15:00", "2032-05-13T15:00", "time_too_far", "until"),
        ("2032-05-13T15:00", "2032-05-13T16:00", "time_too_far", "at"),
        ("2030-05-13T15:00", "later", "time_invalid", "until"),
        ("2030-05-13T15:00", "2030-05-14", "time_invalid", "until"),
        ("soon", "2030-05-13T15:00", "time_invalid", "at"),
        ("2030-05-13T15:00", "2030-10-27T01:30", "time_ambiguous", "until"),
        ("2030-05-13T15:00", "2031-03-30T01:30", "time_nonexistent", "until"),
    ],
)
def test_a_window_that_is_refused(at: str | None, until: str, code: str, field: str) -> None:
    refusal = refused(GOOD | {"at": at, "until": until})
    assert (refusal.code, refusal.field) == (code, field)


def test_nobody_is_promised_a_call_outside_their_own_day() -> None:
    late = good(department="care", at="2030-05-13T23:00")
    assert late.due_at == datetime(2030, 5, 14, 7, 0, tzinfo=UTC)
    window = {"at": "2030-05-13T21:00", "until": "2030-05-14T08:00"}
    assert refused(GOOD | {"department": "care"} | window).code == "window_closed"
    abroad = with_account(numbers=NumberPolicy(frozenset({"US"}), frozenset({NumberKind.FIXED_OR_MOBILE})))
    request = {"department": "care", "phone": "+1 212 555 0123"}
    assert accept(request, abroad, NOW).due_at == datetime(2030, 5, 13, 12, 0, tzinfo=UTC)  # 08:00 in New York


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", " 192.0.2.1 ", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:DB8::1:ffff:0:0:9", True),  # one household chooses among 64 bits
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_visitor_is_known_again_by_a_key_of_their_address(one: str, other: str, *, same: bool) -> None:
    first, second = good(address=one), good(address=other)
    assert (first.origin == second.origin) is same
    assert len(bytes.fromhex(first.origin)) == 16
    assert one not in repr(first)


def test_one_address_has_different_keys_at_different_sites() -> None:
    assert good(address="192.0.2.1").origin != good(address="192.0.2.1", department="elsewhere").origin


@pytest.mark.parametrize(
    "address",
    ["localhost", "192.0.2", "192.0.2.1:80", "192.0.2.01", "192.0.2.0/24", "[::1]", "1", "\u0661.2.3.4", "2001:db8::g"],
)
def test_no_address(address: str) -> None:
    refusal = refused(GOOD | {"address": address})
    assert (refusal.code, refusal.field) == ("address_invalid", "address")
    assert address not in str(refusal)


def test_an_offset_settles_a_time_that_happens_twice() -> None:
    first = good(department="care", at="2030-10-27T01:30+01:00").wanted_at
    second = good(department="care", at="2030-10-27T01:30+00:00").wanted_at
    assert first is not None
    assert second is not None
    assert second - first == timedelta(hours=1)


def test_a_time_is_no_number() -> None:
    assert refused(GOOD | {"at": 1900000000}).code == "field_type"


def test_the_account_decides_what_may_be_dialled() -> None:
    request = GOOD | {"phone": "07911 123456"}
    assert refused(request).code == "number_foreign"
    guernsey = with_account(numbers=NumberPolicy(frozenset({"GG"}), frozenset({NumberKind.MOBILE})))
    assert accept(request, guernsey, NOW).visitor.phone == "+447911123456"
    assert accept(request | {"department": "texts"}, guernsey, NOW).visitor.phone == "+447911123456"
    denying = with_account(numbers=replace(DEFAULT_POLICY, deny=frozenset({"+44207946"})))
    with pytest.raises(RequestRefused) as caught:
        accept(GOOD, denying, NOW)
    assert caught.value.code == "number_denied"


def test_a_refusal_never_repeats_what_the_visitor_gave() -> None:
    for field in ("phone", "name", "email", "page", "message", "session", "address", "at", "until", "department"):
        assert "sesame" not in str(refused(GOOD | {field: "open sesame\x00"}))
    assert "sesame" not in str(refused(GOOD | {"sesame": "open"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    [
        "",
        "020 7946 0000",
        "sales",
        "care",
        "2030-05-14T10:00",
        "2030-10-27T01:30",
        "zoe@example.com",
        "https://a.example",
        "2001:db8::1",
        "fe80::1%\ud800",
    ]
)
FIELDS = ("department", "phone", "name", "email", "page", "message", "session", "address", "at", "until", "consent")
CONSENTS = st.dictionaries(st.sampled_from(["wording", "given_at", "page"]), HOSTILE)
REQUESTS = st.dictionaries(st.sampled_from(FIELDS), HOSTILE | JSON | CONSENTS).map(lambda more: GOOD | more)


@given(JSON | REQUESTS)
def test_any_json_value_is_accepted_or_refused(request_: object) -> None:
    try:
        callback = accept(request_, DIRECTORY, NOW)
    except RequestRefused:
        return
    assert callback.due_at >= NOW
    assert is_open(DIRECTORY.departments[callback.department].hours, callback.due_at)
    assert time(8) <= callback.due_at.astimezone(LONDON).time() < time(21)
    assert callback.wanted_until is None or callback.due_at < callback.wanted_until
    visitor = callback.visitor
    single_lines = visitor.name + visitor.email + visitor.page + visitor.session
    assert not {"\r", "\n", "\x00"} & set(single_lines)
    assert (single_lines + visitor.message).encode()[:0] == b""  # whole characters only
