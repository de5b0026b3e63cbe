"""Pages of a feed: each item is read for itself, and what is no page is told as that."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.errors import RequestRefused
from dialer.intake.feed import (
    MAX_ITEM,
    Cancel,
    Change,
    FeedBroken,
    Item,
    Request,
    read_item,
    read_page,
    read_raw,
)
from dialer.intake.puller import read_beside

FIELDS = {"department": "sales", "phone": "020 7946 0000"}
REQUEST: dict[str, Any] = {"id": "r-1", "type": "request", "request": FIELDS}


def page(*items: Any, **more: Any) -> bytes:
    return json.dumps({"items": items, "cursor": "c1", **more}).encode()


def refusal(item: Item) -> RequestRefused:
    assert isinstance(item.content, RequestRefused)
    return item.content


def test_a_page_of_everything() -> None:
    asked = {**REQUEST, "requested_at": "2030-05-17T14:30:00+01:00"}
    moved = {"id": "m-1", "type": "change", "of": "r-1", "at": "2030-05-17T15:00Z", "until": None}
    ended = [{"id": "c-1", "type": "cancel", "of": "r-1"}, {"id": "c-2", "type": "cancel", "of": "r-1", "reason": "x"}]
    got = read_page(page(REQUEST, asked, moved, *ended, more=True, later="ignored"), 5)
    assert (got.cursor, got.more) == ("c1", True)
    assert [item.content for item in got.items] == [
        Request(FIELDS, None),
        Request(FIELDS, datetime(2030, 5, 17, 13, 30, tzinfo=UTC)),
        Change("r-1", "2030-05-17T15:00Z", ""),
        Cancel("r-1", "feed"),
        Cancel("r-1", "x"),
    ]
    assert [item.id for item in got.items] == ["r-1", "r-1", "m-1", "c-1", "c-2"]
    assert not read_page(page(), 1).more


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON at line 1, column 1"),
        (b"<html>s3cret</html>", "not JSON"),
        (b'{"items": [], "cursor": "a"} more', "not JSON"),
        (b'{"items": [], "cursor": "\xff"}', "not UTF-8 at byte 26"),
        ('{"items": [], "cursor": "a"}'.encode("utf-16"), "not UTF-8"),
        (b'{"items": [], "cursor": NaN}', "cursor is not a text"),
        (b'{"items": [], "cursor": "a", "more": ' + b"9" * 5000 + b"}", "neither true nor false"),
        (b"[" * 100_000, "not a JSON object"),
        (b'{"items": [' + b"[" * 100_000, "beyond any sensible"),
        (b'{"a":' * 100_000, "beyond any sensible"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"null x", "not a JSON object"),
        (b'{"items": [] "cursor": "a"}', "not JSON at line 1, column 14"),
        (b'{"items": [}', "not JSON at line 1, column 12"),
        (b'{"items": [1 2]}', "not JSON at line 1, column 14"),
        (b'{"items": [1,]}', "not JSON at line 1, column 14"),
        (b'{"items": [],}', "not JSON at line 1, column 14"),
        (b"{7: []}", "not JSON at line 1, column 2"),
        (b'{"items" []}', "not JSON at line 1, column 10"),
        (b'{"items": [],\n', "not JSON at line 2, column 1"),
        (b'"{}"', "not a JSON object"),
        (b'{"items": [], "items": [], "cursor": "a"}', "not a JSON object"),
        (b"{}", "no list of items"),
        (b'{"items": {}, "cursor": "a"}', "no list of items"),
        (b'{"items": null, "cursor": "a"}', "no list of items"),
        (b'{"items": []}', "cursor is not a text"),
        (b'{"items": [], "cursor": 7}', "cursor is not a text"),
        (b'{"items": [], "cursor": ""}', "cursor is not a text"),
        (b'{"items": [], "cursor": "a b"}', "cursor is not a text"),
        (b'{"items": [], "cursor": "a\\u0000"}', "cursor is not a text"),
        (b'{"items": [], "cursor": "a\\r\\nX: y"}', "cursor is not a text"),
        (b'{"items": [], "cursor": "\\ud800"}', "cursor is not a text"),
        (b'{"items": [], "cursor": "' + b"x" * 1025 + b'"}', "cursor is not a text"),
        (b'{"items": [], "cursor": "a", "more": "yes"}', "neither true nor false"),
        (b'{"items": [], "cursor": "a", "more": null}', "neither true nor false"),
        (b'{"items": [1,2,3,4], "cursor": "a"}', "holds more than the 3 items"),
        (b'{"items": [1,2,3,4, and what is never read', "holds more than the 3 items"),
    ],
)
def test_what_is_no_page(body: bytes, says: str) -> None:
    with pytest.raises(FeedBroken, match=says) as caught:
        read_page(body, 3)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"9" * 5000, b"-" + b"9" * 5000])
def test_what_is_no_number_is_in_the_way_of_its_item_alone(value: bytes) -> None:
    items = [{**REQUEST, "request": {**FIELDS, "message": "HERE"}}, {**REQUEST, "id": "HERE"}, {**REQUEST, "id": "r-2"}]
    got = read_page(page(*items).replace(b'"HERE"', value), 3)
    held, nameless, good = got.items
    assert held.content == Request({**FIELDS, "message": (value.decode(),)}, None)
    assert (refusal(nameless).code, good.id) == ("item_id", "r-2")
    assert isinstance(good.content, Request)
    assert read_raw(held.raw or "").content == Request({**FIELDS, "message": [value.decode()]}, None)


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({**REQUEST, "type": "erase"}, "item_type", "type"),
        ({**REQUEST, "type": ["request"]}, "item_type", "type"),
        ({"id": "x"}, "item_type", "type"),
        ({**REQUEST, "of": "r-2"}, "field_unknown", ""),
        ({**REQUEST, "requested_at": "yesterday"}, "time_invalid", "requested_at"),
        ({**REQUEST, "requested_at": 1}, "field_type", "requested_at"),
        ({**REQUEST, "requested_at": "9999-12-31T23:59:59-14:00"}, "time_invalid", "requested_at"),
        ({"id": "x", "type": "change", "of": "r-1", "at": 5}, "field_type", "at"),
        ({"id": "x", "type": "change", "at": "2030-05-17T15:00Z"}, "item_id", "of"),
        ({"id": "x", "type": "change", "of": "r-1", "phone": "x"}, "field_unknown", ""),
        ({"id": "x", "type": "cancel", "of": {"id": "r-1"}}, "item_id", "of"),
        ({"id": "x", "type": "cancel", "of": "r-1", "reason": "Zoë rang"}, "reason_invalid", "reason"),
        ({"id": "x", "type": "cancel", "of": "r-1", "reason": None}, "reason_invalid", "reason"),
        ({**REQUEST, "request": {"name": "x" * MAX_ITEM}}, "item_too_long", ""),
    ],
)
def test_items_that_cannot_be_taken_keep_their_id(item: dict[str, Any], code: str, field: str) -> None:
    read = read_item(item)
    assert (read.id, refusal(read).code, refusal(read).field) == (item["id"], code, field)
    assert (read.raw is None) == (code == "item_too_long")


@pytest.mark.parametrize("id_", [None, 7, "", "a b", "-x", "?x", "é", "a\n", "x" * 129, "\ud800", ["r-1"], {}])
def test_items_without_a_usable_id_get_one_that_is_always_the_same(id_: object) -> None:
    first, again = (read_item({**REQUEST, "id": id_}) for _ in range(2))
    assert first.id.startswith("?")
    assert first.id == again.id
    assert refusal(first).code == "item_id"
    assert read_item({**REQUEST, "id": id_, "type": "other"}).id != first.id


@pytest.mark.parametrize("item", [None, 1, "r-1", [], [REQUEST], True, 1e999])
def test_items_that_are_no_objects(item: object) -> None:
    assert refusal(read_item(item)).code == "item_type"


def test_a_key_twice_is_in_the_way_of_its_own_item_only() -> None:
    twice = b'{"id": "x", "id": "y", "type": "cancel", "of": "r-1"}'
    within = b'{"id": "z", "type": "request", "request": {"phone": "1", "phone": "2"}}'
    good = json.dumps(REQUEST).encode()
    got = read_page(b'{"cursor": "a", "items": [' + b", ".join((twice, within, good)) + b"]}", 3)
    assert refusal(got.items[0]).code == "item_type"
    # Of two meanings none: what a submission refuses as no object.
    assert isinstance(got.items[1].content, Request)
    assert not isinstance(got.items[1].content.fields, dict)
    assert got.items[2].content == Request(FIELDS, None)


def test_what_nests_too_deep_to_be_kept_is_refused_for_itself() -> None:
    deep: Any = []
    # Fewer parts than an item may have.
    for _ in range(10_000):
        deep = [deep]
    read = read_item({**REQUEST, "request": deep})
    assert (read.id, refusal(read).code, read.raw) == ("r-1", "item_too_long", None)
    while deep:
        deep = deep.pop()


def test_what_has_more_parts_than_can_be_kept_is_not_written_to_see_that() -> None:
    many: list[Any] = [[]] * MAX_ITEM
    read = read_item({**REQUEST, "request": many})
    assert (read.id, refusal(read).code, read.raw) == ("r-1", "item_too_long", None)
    assert read.digest == read_item({**REQUEST, "request": [many]}).digest


async def test_while_a_page_is_read_the_loop_is_the_calls_own() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    body = page(*({**REQUEST, "id": f"r-{number}"} for number in range(1000)))
    assert await read_beside(body, 1000) == read_page(body, 1000)
    turning.cancel()
    assert turns > 1
    with pytest.raises(FeedBroken, match="not JSON"):
        await read_beside(b"<html>", 1)


def test_what_is_kept_reads_as_what_came_whatever_the_order_of_its_keys() -> None:
    turned = dict(reversed(REQUEST.items()))
    assert read_item(turned).digest == read_item(REQUEST).digest
    assert read_item({**REQUEST, "request": {}}).digest != read_item(REQUEST).digest
    raw = read_item({**REQUEST, "request": {**FIELDS, "name": "Zoë \ud800 \x00"}}).raw
    assert raw is not None
    assert raw.isascii()
    assert read_raw(raw) == read_item(json.loads(raw))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_KEYS = st.sampled_from(["id", "type", "request", "requested_at", "of", "at", "until", "reason", "other"])
_VALUES = _JSON | st.sampled_from(["request", "change", "cancel", "r-1", "2030-05-17T15:00Z"])


@given(st.dictionaries(_KEYS, _VALUES, max_size=6) | _JSON)
def test_whatever_comes_is_an_item_that_can_be_kept(item: object) -> None:
    read = read_item(item)
    assert read.id
    assert read.raw is not None
    assert read.raw.isascii()
    again = read_raw(read.raw)
    assert (again.id, again.raw) == (read.id, read.raw)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_a_page_or_broken(body: bytes) -> None:
    try:
        read_page(body, 3)
    except FeedBroken:
        return
