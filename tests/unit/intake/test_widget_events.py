"""The widget's events at the door: what is taken, and what is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.errors import RequestRefused
from dialer.domain.widget import EventKind, WidgetEvent
from dialer.intake.widget import MOST, widget_events

SESSION = "0190b1e2-7c1f-7aaa-9c3e-3f8a5d2b1c00"
EVENT = {"kind": "open", "session": SESSION, "page": "https://example.com/offers"}


def taken(*events: Any) -> tuple[WidgetEvent, ...]:
    return widget_events({"events": list(events)}, "shop")


def test_kind_session_and_page() -> None:
    assert taken(EVENT) == (WidgetEvent("shop", EventKind.OPEN, SESSION, "https://example.com/offers"),)


PAGES = [
    ("https://example.com/a?email=jane@example.com", "https://example.com/a"),
    ("https://example.com/a#jane", "https://example.com/a"),
    ("https://jane:secret@example.com:8443/a;b?c#d", "https://example.com:8443/a;b"),
    ("http://example.com", "http://example.com"),
]


@pytest.mark.parametrize(("page", "kept"), PAGES)
def test_a_page_loses_all_that_may_name_somebody(page: str, kept: str) -> None:
    (event,) = taken({**EVENT, "page": page})
    assert event.page == kept


REFUSED: list[tuple[str, Any, str]] = [
    ("one thing more", {**EVENT, "email": "jane@example.com"}, "events.0"),
    ("a time of its own", {**EVENT, "at": "2030-05-17T12:00:00Z"}, "events.0"),
    ("no event", "jane@example.com", "events.0"),
    ("a kind that is not known", {**EVENT, "kind": "jane"}, "events.0.kind"),
    ("no kind", {**EVENT, "kind": None}, "events.0.kind"),
    ("a kind of another type", {**EVENT, "kind": ["open"]}, "events.0.kind"),
    ("a telephone number for a session", {**EVENT, "session": "+442079460001"}, "events.0.session"),
    ("the same in digits", {**EVENT, "session": "442079460001234"}, "events.0.session"),
    ("an address for a session", {**EVENT, "session": "jane.doe@example.com"}, "events.0.session"),
    ("a session of fancy digits", {**EVENT, "session": "\uff10" * 20}, "events.0.session"),
    ("a session with a line end", {**EVENT, "session": f"{SESSION}\r\nx"}, "events.0.session"),
    ("a session that is too long", {**EVENT, "session": "a" * 129}, "events.0.session"),
    ("no session", {"kind": "open", "page": EVENT["page"]}, "events.0.session"),
    ("no page", {"kind": "open", "session": SESSION}, "events.0.page"),
    ("a page that is a script", {**EVENT, "page": "javascript:alert(1)"}, "events.0.page"),
    ("half a character", {**EVENT, "page": "https://example.com/\ud800"}, "events.0.page"),
    ("a page that is too long", {**EVENT, "page": f"https://example.com/{'a' * 2048}"}, "events.0.page"),
]


@pytest.mark.parametrize(("story", "event", "field"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused_whole_without_repeating_it(story: str, event: Any, field: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        taken(event)
    assert refusal.value.field == field
    assert not any(part in str(refusal.value) for part in ("jane", "2079460001", "script"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": [EVENT] * (MOST + 1)},
        {"events": "open"},
        {"events": EVENT},
        {"events": [EVENT], "a": 1},
    ],
)
def test_a_body_of_another_shape(body: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        widget_events(body, "shop")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["kind", "session", "page", SESSION, "open"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "session", "page", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_is_taken_or_refused(event: Any) -> None:
    try:
        (found,) = taken(event)
    except RequestRefused:
        return
    assert set(found.session) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert "?" not in found.page
