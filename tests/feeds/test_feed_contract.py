"""The published schema is what both sides send, and what it forbids is not taken."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi import Request, Response
from jsonschema import Draft202012Validator

from dialer.http.client import HttpClient
from dialer.intake.feed import ItemAnswer, read_item
from dialer.notify.events import event_type
from dialer.notify.feedback import Feedback, ItemReport, Return, report_body
from dialer.notify.outbox import Subscriber
from dialer.notify.pump import NotDelivered
from dialer.store.outbox import SqlOutbox
from tests.feeds.platform import TOKEN, Platform, cancel, change, request
from tests.feeds.pulling import Bench
from tests.feeds.run import made
from tests.lab.waiting import until
from tests.unit.intake.places import NOW
from tests.unit.outgoing.wires import LOOPBACK

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "feed.schema.json").read_text())
PAGE_OF_DOCS = (ROOT / "docs" / "feed.md").read_text()


def validator(of: str) -> Draft202012Validator:
    return Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{of}"}]})


class _Clock:
    def now(self) -> datetime:
        return NOW


def way(platform: Platform, http: HttpClient) -> Return:
    return Return("mi", f"{platform.url}/outcomes", http, lambda: TOKEN, _Clock())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


async def test_what_the_reference_server_sends_keeps_it(platform: Platform) -> None:
    platform.items = [item for item in made(200, Random(3)) if "type" in item]
    async with HttpClient(allow_private=LOOPBACK) as http:
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = await http.send(
            "GET", f"{platform.url}/feed?limit=1000&wait=0", headers=headers, within=10, most=1_000_000
        )
    validator("page").validate(json.loads(answer.body))


@pytest.mark.parametrize(
    "item",
    [
        *(7, None, {}, {"id": "r-1"}, {"id": "?1", "type": "cancel", "of": "r-1"}),
        {"id": "r-1", "type": "request", "request": {}, "of": "x"},
        *({"id": "r-1", "type": "cancel"}, {"id": "r-1", "type": "cancel", "of": "r-1", "reason": "Zoë rang"}),
        {"id": "r-1", "type": "change", "of": "r-1", "at": 5},
    ],
)
def test_what_the_schema_forbids_is_not_taken(item: Any) -> None:
    assert not validator("item").is_valid(item)
    assert type(read_item(item).content).__name__ == "RequestRefused"


async def test_what_the_feed_is_told_keeps_it(platform: Platform, pulled: Bench) -> None:
    outbox = SqlOutbox(pulled.store)
    await outbox.subscribe([Subscriber("feed:mi", source="feed:mi")])
    platform.items = [
        *(request("r-1"), request("r-2"), request("r-3", "07700 900123"), {"id": "é"}),
        *(change("m-1", "r-1", at="2030-05-14T12:00"), cancel("c-1", "r-1"), cancel("c-2", "r-1")),
    ]
    await pulled.pull()
    back = way(platform, pulled.http)
    teller = Feedback(pulled.feeds, back, Random(1))
    telling = asyncio.create_task(teller.run())
    await until(lambda: len(platform.events) == 6)
    telling.cancel()
    changes = []
    while waiting := await outbox.ready("feed:mi", datetime.now(UTC) + timedelta(days=1), 10):
        for each in waiting:
            await back.change(each)
        await outbox.delivered(waiting)
        changes += waiting
    assert [event_type(each) for each in changes] == [
        "callback.accepted",
        "callback.scheduled",
        "callback.cancelled",
    ]
    for event in platform.events:
        validator("event").validate(event)
    assert [(event["item"][:2], event["type"]) for event in platform.events[:6]] == [
        ("r-", "item.double"),
        ("r-", "item.quarantined"),
        ("?" + platform.events[2]["item"][1], "item.quarantined"),
        ("m-", "item.done"),
        ("c-", "item.done"),
        ("c-", "item.too_late"),
    ]
    assert {event["item"] for event in platform.events[6:]} == {"r-1"}
    assert "07700" not in json.dumps(platform.events)
    assert "7946" not in json.dumps(platform.events)


def test_every_answer_has_its_type_in_the_schema_and_its_line_in_the_page() -> None:
    types = SCHEMA["$defs"]["event"]["properties"]["type"]["enum"]
    assert {each for each in types if each.startswith("item.")} == {f"item.{answer}" for answer in ItemAnswer}
    for answer in ItemAnswer:
        assert f"| `item.{answer}` |" in PAGE_OF_DOCS


def test_the_page_s_example_keeps_the_schema() -> None:
    (example,) = (text for text in re.findall(r"```json\n(.*?)```", PAGE_OF_DOCS, re.DOTALL) if '"items"' in text)
    validator("page").validate(json.loads(example))


# --- telling ---------------------------------------------------------------------------------------------------------


def report(row: int = 1, **more: Any) -> ItemReport:
    given = {"callback": "", "code": "c", "field": "f", "what": "w", "retry_at": None, "differs": 0, "told": 0, **more}
    return ItemReport(**{"row": row, "item": f"r-{row}", "answer": "quarantined", "at": NOW, **given})


class _Waiting:
    """Reports that wait, as the store has them."""

    def __init__(self, *reports: ItemReport) -> None:
        self.left = list(reports)

    async def untold(self, feed: str, limit: int, after: int = 0) -> list[ItemReport]:
        assert feed == "mi"
        return [each for each in self.left if each.row > after][:limit]

    async def told(self, report: ItemReport) -> None:
        self.left.remove(report)


async def tell(platform: Platform, waiting: _Waiting, *, pauses: int = 99, left: int = 0) -> list[float]:
    """Tell until no more than so many wait, or there were so many pauses; the pauses."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)
        if len(made) == pauses:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    async with HttpClient(allow_private=LOOPBACK) as http:
        telling = asyncio.create_task(Feedback(waiting, way(platform, http), Random(1), sleep).run())
        await until(lambda: len(waiting.left) <= left or telling.done())
        telling.cancel()
        await asyncio.wait([telling])
    return made


async def _busy(_: Request) -> Response:
    return Response(status_code=503, headers={"Retry-After": "77"})


async def _not_this(_: Request) -> Response:
    return Response(status_code=422)


async def test_what_is_not_taken_is_told_again_and_what_is_refused_for_itself_lets_others_pass(
    platform: Platform,
) -> None:
    platform.outcome_faults = [_busy, _busy, _not_this]
    pauses = await tell(platform, _Waiting(*(report(row) for row in (1, 2, 3))))
    assert pauses[:2] == [77.0, 77.0]
    assert [event["item"] for event in platform.events] == ["r-2", "r-3", "r-1"]


async def _refuses_the_first(request: Request) -> Response | None:
    return Response(status_code=422) if (await request.json())["item"] == "r-1" else None


async def test_one_that_is_refused_for_itself_keeps_no_other_waiting_and_is_not_lost(platform: Platform) -> None:
    platform.outcome_faults = [_refuses_the_first] * 13
    await tell(platform, _Waiting(report(1), report(2)))
    # What is passed by comes as soon as it is taken.
    assert [event["item"] for event in platform.events] == ["r-2", "r-1"]


async def test_one_that_is_refused_for_three_days_waits_for_the_next_start(platform: Platform) -> None:
    platform.outcome_faults = [_refuses_the_first] * 99
    waiting = _Waiting(report(1, at=NOW - timedelta(hours=73)), report(2))
    await tell(platform, waiting, left=1)
    assert [each.row for each in waiting.left] == [1]
    platform.outcome_faults = []
    await tell(platform, waiting)
    assert [event["item"] for event in platform.events] == ["r-2", "r-1"]


async def test_a_feed_that_is_down_is_waited_for_however_long(platform: Platform) -> None:
    platform.outcome_faults = [_busy] * 30
    waiting = _Waiting(report(1))
    await tell(platform, waiting, pauses=20)
    assert waiting.left


async def test_a_way_back_that_is_none_is_told_without_its_address(platform: Platform) -> None:
    async with HttpClient() as http:
        with pytest.raises(NotDelivered, match="not a public one") as caught:
            await way(platform, http).post(report_body(report()))
    assert platform.url not in str(caught.value)


def test_one_more_thing_to_tell_is_another_event() -> None:
    assert report(told=0).event_id != report(told=1).event_id
