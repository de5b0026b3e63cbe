"""Links and forms as tables: what we made is known again, whatever else there is is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.notify.links import FORM_LIFE, Form, Link, Links

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FIRST, SECOND_SECRET, THIRD = (letter * 32 for letter in "abc")
ID = CallbackId("01JV3KQ8ZC4W9E5R7T2Y6M1N0P")
OTHER = CallbackId("01JV3KQ8ZC4W9E5R7T2Y6M1N0Q")
CALLBACK = Callback(ID, "shop", "sales", Visitor("+442079460001", name="Maria"), NOW, None, NOW, version=7)


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def links(*secrets: str, clock: Clock | None = None, base: str = "https://callback.example.com") -> Links:
    return Links(base, secrets or (FIRST,), 14 * DAY, clock or Clock())


TOKEN, FORM = links().token(ID), links().form(CALLBACK)


def test_a_link_is_known_again_with_the_time_of_its_making() -> None:
    assert links().read(TOKEN) == Link(ID, NOW)
    assert links().read_form(FORM) == Form(ID, 7)


@pytest.mark.parametrize("base", ["https://callback.example.com", "https://callback.example.com/"])
def test_a_link_fits_a_text_message_and_says_nothing_of_its_visitor(base: str) -> None:
    url = links(base=base).page_of(ID)
    assert url == f"https://callback.example.com/c/{TOKEN}"
    assert len(TOKEN) == 58
    assert url.isascii()
    assert not any(personal in url for personal in ("Maria", "9460001", "shop", "sales"))


@pytest.mark.parametrize("at", range(58))
def test_a_link_with_any_one_bit_flipped_is_none_of_ours(at: int) -> None:
    for bit in range(8):
        changed = TOKEN[:at] + chr(ord(TOKEN[at]) ^ 1 << bit) + TOKEN[at + 1 :]
        assert links().read(changed) is None, changed


def test_a_form_with_any_one_bit_flipped_is_none_of_ours() -> None:
    for at in range(len(FORM)):
        for bit in range(8):
            changed = FORM[:at] + chr(ord(FORM[at]) ^ 1 << bit) + FORM[at + 1 :]
            assert links().read_form(changed) is None, changed


@pytest.mark.parametrize("length", range(58))
def test_a_link_that_was_cut_off_is_none_of_ours(length: int) -> None:
    assert links().read(TOKEN[:length]) is None
    assert links().read(TOKEN[length:] if length else "") is None


@pytest.mark.parametrize(
    "more", ["=", ".", "!", "\n", "\0", " ", "A", "%00", "/", "\ud800", "\uff11"], ids=lambda more: f"{more!a}"
)
def test_a_link_with_more_at_either_end_is_none_of_ours(more: str) -> None:
    assert links().read(TOKEN + more) is None
    assert links().read(more + TOKEN) is None
    assert links().read(TOKEN[:40] + more + TOKEN[40:]) is None
    assert links().read_form(FORM + more) is None


@given(st.text(max_size=200) | st.from_regex(r"[0-9A-HJKMNP-TV-Z]{26}\.[\w-]{6}\.[\w-]{24}", fullmatch=True))
def test_no_text_that_we_did_not_make_is_a_link_or_a_form(text: str) -> None:
    assert links().read(text) is None
    assert links().read_form(text) is None


def test_one_purpose_does_not_serve_for_another() -> None:
    assert links().read(FORM) is None
    assert links().read_form(TOKEN) is None
    same_secret = TimestampSigner(FIRST, b"another-purpose", key_derivation="hmac").sign(ID).decode()
    assert links().read(same_secret) is None
    # A form of a callback is not made from its link by writing a version into it.
    assert links().read_form(TOKEN.replace(ID, f"{ID}.7")) is None


@pytest.mark.parametrize(
    ("signed_with", "known", "good"),
    [
        ((FIRST,), (FIRST,), True),
        ((FIRST,), (SECOND_SECRET, FIRST), True),
        ((FIRST,), (THIRD, SECOND_SECRET, FIRST), True),
        ((SECOND_SECRET, FIRST), (SECOND_SECRET,), True),
        ((SECOND_SECRET, FIRST), (FIRST,), False),
        ((FIRST,), (SECOND_SECRET,), False),
        ((FIRST,), (FIRST.upper(),), False),
        ((FIRST,), (FIRST + "a",), False),
    ],
)
def test_the_first_secret_signs_and_all_are_known(
    signed_with: tuple[str, ...], known: tuple[str, ...], *, good: bool
) -> None:
    assert (links(*known).read(links(*signed_with).token(ID)) is not None) is good
    assert (links(*known).read_form(links(*signed_with).form(CALLBACK)) is not None) is good


@pytest.mark.parametrize("secrets", [(), ("a" * 31,), (FIRST, "short"), (FIRST, "")])
def test_secrets_that_could_be_guessed_are_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Links("https://callback.example.com", secrets, DAY, Clock())


@pytest.mark.parametrize(
    ("later", "known"),
    [(timedelta(0), True), (-SECOND, False), (-DAY, False), (400 * DAY, True), (40_000 * DAY, False)],
)
def test_a_link_from_the_future_is_none_of_ours(later: timedelta, *, known: bool) -> None:
    assert (links(clock=Clock(NOW + later)).read(TOKEN) is not None) is known


@pytest.mark.parametrize(
    ("later", "known"), [(timedelta(0), True), (-SECOND, False), (FORM_LIFE, True), (FORM_LIFE + SECOND, False)]
)
def test_a_form_is_good_for_some_hours(later: timedelta, *, known: bool) -> None:
    assert (links(clock=Clock(NOW + later)).read_form(FORM) is not None) is known


@pytest.mark.parametrize(
    ("due", "wanted", "until"),
    [
        (timedelta(0), None, 14 * DAY),
        (3 * DAY, None, 17 * DAY),
        (3 * DAY, 3 * DAY, 17 * DAY),
        (5 * DAY, 3 * DAY, 19 * DAY),
        (-2 * DAY, -2 * DAY, 14 * DAY),
        (100 * DAY, 100 * DAY, 114 * DAY),
        (2 * DAY, 4 * DAY, 18 * DAY),
    ],
)
def test_a_link_is_good_for_days_after_its_callback_and_after_its_making(
    due: timedelta, wanted: timedelta | None, until: timedelta
) -> None:
    callback = replace(CALLBACK, due_at=NOW + due, wanted_at=None if wanted is None else NOW + wanted)
    link = links().read(TOKEN)
    assert link is not None
    assert links().is_good(link, callback, NOW)
    assert links().is_good(link, callback, NOW + until - SECOND)
    assert not links().is_good(link, callback, NOW + until)


def test_a_foreign_link_leads_to_no_other_callback() -> None:
    assert links().read(links().token(OTHER)) == Link(OTHER, NOW)
    swapped = TOKEN.replace(ID, OTHER)
    assert links().read(swapped) is None
