"""The widget's events as they came in → what may be kept: a kind, an anonymous session and a page, nothing more."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from dialer.domain.errors import RequestRefused
from dialer.domain.widget import EventKind, WidgetEvent
from dialer.intake.text import single_line, web_page

MOST = 50
"""Events in one request."""

_FIELDS = ("kind", "session", "page")
_MAX_KIND = 20
_MAX_SESSION = 128
_MAX_PAGE = 2_048

# Too long for a telephone number, and no sign of an address's: what is kept for a year must not name anybody.
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,128}")


def widget_events(body: Mapping[str, object], site: str) -> tuple[WidgetEvent, ...]:
    """The events in a request's body: `{"events": [{"kind", "session", "page"}, …]}`, 1 to 50 of them.

    Raises `RequestRefused`, whose text never repeats what was given: then none is taken.
    """
    if body.keys() != {"events"}:
        raise RequestRefused("field_unknown", "body", "holds something else", remedy="send events, nothing more")
    given = body["events"]
    if not isinstance(given, Sequence) or isinstance(given, str) or not 0 < len(given) <= MOST:
        raise RequestRefused("events_count", "events", f"not a list of 1 to {MOST}", remedy="send them in parts")
    return tuple(_event(each, f"events.{place}", site) for place, each in enumerate(given))


def _event(given: object, where: str, site: str) -> WidgetEvent:
    if not isinstance(given, Mapping):
        raise RequestRefused("field_type", where, "not an object", remedy="send a JSON object")
    if not given.keys() <= set(_FIELDS):
        # The unknown key itself could be a visitor's data in the wrong place.
        what, remedy = "holds more than an event may", f"send {', '.join(_FIELDS)}, nothing more"
        raise RequestRefused("field_unknown", where, what, remedy=remedy)
    return WidgetEvent(
        site,
        _kind(given.get("kind"), f"{where}.kind"),
        _session(given.get("session"), f"{where}.session"),
        _page(given.get("page"), f"{where}.page"),
    )


def _kind(value: object, field: str) -> EventKind:
    text = single_line(value, field, _MAX_KIND)
    if text not in set(EventKind):
        raise RequestRefused("kind_unknown", field, "no such kind", remedy=f"send {', '.join(EventKind)}")
    return EventKind(text)


def _session(value: object, field: str) -> str:
    text = single_line(value, field, _MAX_SESSION)
    if not _SESSION.fullmatch(text):
        remedy = "send 16 to 128 letters, digits, _ and -, made at random for this browser session"
        raise RequestRefused("session_invalid", field, "not an anonymous session", remedy=remedy)
    return text


def _page(value: object, field: str) -> str:
    text = web_page(value, field, _MAX_PAGE)
    if not text:
        raise RequestRefused("field_missing", field, "missing or empty", remedy="send it")
    parts = urlsplit(text)
    # Neither query nor fragment, nor who logged in.
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
