"""What a feed sends, read: bytes → a page of items, each one usable or refused with its reason. `docs/feed.md` is the
contract, `docs/feed.schema.json` its schema. Nothing here repeats what a visitor gave."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from dialer.domain.errors import DialerError, RequestRefused
from dialer.intake.moments import moment
from dialer.intake.piecemeal import Reading
from dialer.intake.text import single_line

MAX_PAGE = 4 * 1024 * 1024
"""Bytes of one page."""

MAX_ITEM = 64 * 1024
"""Bytes of one item, written as JSON in ASCII."""

_MAX_TIME = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~/+=@-]{0,127}")
_CURSOR = re.compile(r"[!-~]{1,1024}")
_REASON = re.compile(r"[a-z0-9_]{1,40}")
_UTC = ZoneInfo("UTC")
_DIGEST_BYTES = 16


class FeedBroken(DialerError):
    """What a feed answered is no page: nothing of it was taken, its cursor stands where it stood."""


class ItemAnswer(StrEnum):
    """What became of an item. `accepted`: a callback was made. `double`: an open callback promises the same. `done`: a
    change or cancellation holds. `noted`: an attempt is under way; who won is told by the callback's next event.
    `too_late`: its callback could no longer be changed so. `quarantined`: it could not be taken."""

    ACCEPTED = "accepted"
    DOUBLE = "double"
    DONE = "done"
    NOTED = "noted"
    TOO_LATE = "too_late"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants to be called: the fields of a submission, and when they asked (UTC; None: when it was taken)."""

    fields: object = field(repr=False)
    asked: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """The callback of item `of` shall be at another time, named as in a submission ('': none)."""

    of: str
    at: str
    until: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The callback of item `of` is no longer wanted."""

    of: str
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item. `raw` is all of it as ASCII JSON (None: longer than `MAX_ITEM`, or too deep), `digest` by which other
    content under the same id is noticed."""

    id: str
    content: Request | Change | Cancel | RequestRefused = field(repr=False)
    raw: str | None = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One answer of a feed. `cursor` None: it stays as it is. `more`: there is more at once."""

    items: tuple[Item, ...]
    cursor: str | None = None
    more: bool = False


NOTHING = FeedPage(())


def read_page(body: bytes, most: int) -> FeedPage:
    """The page that `body` is, of at most so many items: what comes after those is not read. Raises `FeedBroken`."""
    try:
        page = _members(Reading(body.decode()), most)
    except UnicodeDecodeError as error:
        raise FeedBroken(f"the answer is not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise FeedBroken(f"the answer is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise FeedBroken("the answer is JSON nested beyond any sensible depth") from None
    items, cursor, more = page.get("items"), page.get("cursor"), page.get("more", False)
    if not isinstance(items, tuple):
        raise FeedBroken("the answer has no list of items")
    if not isinstance(cursor, str) or not _CURSOR.fullmatch(cursor):
        raise FeedBroken("the answer's cursor is not a text of 1 to 1024 visible ASCII characters")
    if not isinstance(more, bool):
        raise FeedBroken('the answer\'s "more" is neither true nor false')
    return FeedPage(items, cursor, more)


def _members(reading: Reading, most: int) -> dict[str, object]:
    """Of the page's object those that have a meaning; its items are a tuple of `Item`s."""
    found: dict[str, object] = {}
    if reading.ahead() != "{":
        if reading.ahead() != "[":
            reading.value()
        raise FeedBroken("the answer is not a JSON object")
    for key in reading.names():
        if key in found:
            raise FeedBroken("the answer is not a JSON object, or one with a key twice")
        found[key] = _items(reading, most) if key == "items" and reading.ahead() == "[" else _kept(reading.value())
    reading.end()
    return found


def _items(reading: Reading, most: int) -> tuple[Item, ...]:
    items: list[Item] = []
    for each in reading.elements():
        if len(items) == most:
            raise FeedBroken(f"the answer holds more than the {most} items that were asked for")
        items.append(read_item(each))
    return tuple(items)


def _kept(value: object) -> object:
    """Beside the items, only texts and truths have a meaning."""
    return value if isinstance(value, str | bool) else None


def read_raw(raw: str) -> Item:
    """An item that was kept as `Item.raw`."""
    return read_item(json.loads(raw))


def read_item(given: object) -> Item:
    """One element of a page's items, whatever it is."""
    raw, digest = _written(given)
    try:
        if not isinstance(given, Mapping):
            raise _refused("item_type", "", "not an object, or one with a key twice", "send one JSON object for each")
        id_ = _id(given.get("id"), "id")
    except RequestRefused as refusal:
        # Sent again, it is the same one.
        return Item(f"?{digest}", refusal, raw, digest)
    try:
        if raw is None:
            what = f"longer than {MAX_ITEM // 1024} KiB, or nested too deep"
            raise _refused("item_too_long", "", what, "send less")
        return Item(id_, _content(given), raw, digest)
    except RequestRefused as refusal:
        return Item(id_, refusal, raw, digest)


def _content(item: Mapping[str, Any]) -> Request | Change | Cancel:
    match item.get("type"):
        case "request":
            _known(item, "requested_at", "request")
            return Request(item.get("request"), _asked(item))
        case "change":
            _known(item, "of", "at", "until")
            times = [single_line(item.get(key), key, _MAX_TIME) for key in ("at", "until")]
            return Change(_id(item.get("of"), "of"), *times)
        case "cancel":
            _known(item, "of", "reason")
            reason = item.get("reason", "feed")
            if not isinstance(reason, str) or not _REASON.fullmatch(reason):
                what = "not a reason: it is kept, and must hold nobody's data"
                raise _refused("reason_invalid", "reason", what, "send a word of a-z, 0-9 and _")
            return Cancel(_id(item.get("of"), "of"), reason)
        case _:
            raise _refused("item_type", "type", "not a type of item", "known are request, change and cancel")


def _asked(item: Mapping[str, Any]) -> datetime | None:
    text = single_line(item.get("requested_at"), "requested_at", _MAX_TIME)
    return moment(text, "requested_at", _UTC) if text else None


def _id(value: object, name: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        remedy = "send 1 to 128 of A-Z, a-z, 0-9 and . _ : ~ / + = @ -, a letter or digit first"
        raise _refused("item_id", name, "not an item's id", remedy)
    return value


def _known(item: Mapping[str, object], *names: str) -> None:
    if not item.keys() <= {"id", "type", *names}:
        raise _refused("field_unknown", "", "holds an unknown field", f"known are id, type, {', '.join(names)}")


def _written(given: object) -> tuple[str | None, str]:
    """An item as ASCII JSON, if it can be kept, and its digest."""
    if _has_more_parts_than(MAX_ITEM // 2, given):
        # Each takes two bytes at least. Written in one go, millions of them would keep everybody waiting.
        return None, _digest(b"")
    try:
        text = json.dumps(given, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        return None, _digest(b"")
    return (text if len(text) <= MAX_ITEM else None), _digest(text.encode("ascii"))


def _has_more_parts_than(most: int, given: object) -> bool:
    """Whether an item holds more than so many values, at any depth."""
    count, left = 0, [given]
    while left and count <= most:
        part = left.pop()
        values = part.values() if isinstance(part, Mapping) else part if isinstance(part, list | tuple) else ()
        count += len(values)
        if count <= most:
            left.extend(values)
    return count > most


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


def _refused(code: str, name: str, what: str, remedy: str) -> RequestRefused:
    return RequestRefused(code, name, what, remedy=remedy)
