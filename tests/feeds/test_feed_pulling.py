"""The puller against the reference server: what it takes, how it asks, and how patient it is."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import Request, Response
from structlog.testing import capture_logs

from dialer.domain.callback import Status
from dialer.intake.limits import Limit, Limits
from dialer.intake.puller import News
from tests.feeds.platform import Fault, Platform, cancel, change, request
from tests.feeds.pulling import POLL, Bench
from tests.lab.waiting import until
from tests.unit.intake.places import NOW, with_account

PHONES = [f"020 7946 {number:04}" for number in range(1000)]
SECRET = "s3cret"


def answering(status: int, body: bytes | str = b"", **headers: str) -> Fault:
    async def fault(_: Request) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(body, status_code=status, headers=named)

    return fault


def page(*items: Any, cursor: str = "9", more: bool = False) -> Fault:
    return answering(200, json.dumps({"items": items, "cursor": cursor, "more": more}))


# --- what it takes ---------------------------------------------------------------------------------------------------


async def test_all_of_it_is_taken_page_by_page_and_each_page_is_told_of_once(platform: Platform, pulled: Bench) -> None:
    platform.items = [request(f"r-{number}", PHONES[number]) for number in range(120)]
    await pulled.pull()
    assert len(await pulled.callbacks()) == 120
    assert [asked.get("cursor") for asked in platform.asked] == [None, "50", "100"]
    assert {(asked["limit"], asked["wait"]) for asked in platform.asked} == {("50", "1")}
    assert (pulled.heard, pulled.pauses, pulled.told) == ([(50, False), (50, False), (20, False)], [POLL], [])
    await pulled.pull()
    assert platform.asked[-1]["cursor"] == "120"
    assert len(pulled.heard) == 3


async def test_that_something_was_changed_is_told_with_what_was_made(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1"), request("r-2", department="care"), cancel("c-1", "r-1")]
    await pulled.pull()
    platform.items += [change("m-1", "r-2", at="2030-05-14T14:30"), cancel("c-2", "never-sent")]
    await pulled.pull()
    platform.items += [cancel("c-3", "r-1"), request("r-2")]
    await pulled.pull()
    assert pulled.heard == [(2, True), (0, True), (0, False)]


async def test_a_request_is_what_a_submission_would_have_made_when_it_was_asked_for(
    platform: Platform, pulled: Bench
) -> None:
    asked = NOW - timedelta(minutes=30)
    more = {"name": "Zoë", "at": "2030-05-14T14:30", "session": "s-1", "message": "Hi"}
    platform.items = [{**request("r-1", **more), "requested_at": asked.isoformat()}, request("r-2", department="care")]
    await pulled.pull()
    now, first = sorted(await pulled.callbacks(), key=lambda callback: callback.due_at)
    assert (first.requested_at, first.visitor.name, first.site) == (asked, "Zoë", "shop")
    assert first.wanted_at == first.due_at == NOW + timedelta(days=1, hours=3, minutes=30)
    assert (now.requested_at, now.due_at) == (NOW, NOW)


async def test_what_was_asked_for_too_long_ago_is_not_called(platform: Platform, pulled: Bench) -> None:
    ages = {"fresh": 1, "expired": 5, "ancient": 32 * 24, "future": -1}
    platform.items = [
        {**request(id_, PHONES[hours % 100]), "requested_at": (NOW - timedelta(hours=hours)).isoformat()}
        for id_, hours in ages.items()
    ]
    await pulled.pull()
    assert await pulled.codes() == {"expired": "time_past", "ancient": "time_past", "future": "time_future"}
    (fresh,) = await pulled.callbacks()
    # Promised when it was asked for, or as soon as there was anybody.
    assert fresh.due_at == NOW - timedelta(hours=1)


REFUSED = {
    "no-phone": ({"department": "sales"}, "field_missing"),
    "bad-phone": ({"department": "sales", "phone": "07700 900123"}, "number_invalid"),
    "premium": ({"department": "sales", "phone": "0909 879 0000"}, "number_kind"),
    "elsewhere": ({"department": "elsewhere", "phone": PHONES[1]}, "department_unknown"),
    "nowhere": ({"department": "x", "phone": PHONES[2]}, "department_unknown"),
    "closed": ({"department": "closed", "phone": PHONES[3]}, "department_closed"),
    "unknown-field": ({"department": "sales", "phone": PHONES[4], "card": "4111"}, "field_unknown"),
    "no-object": ("sales", "field_type"),
    "half": ({"department": "sales", "phone": PHONES[5], "name": "\ud800"}, "field_characters"),
    "nul": ({"department": "sales", "phone": PHONES[5], "name": "a\x00b"}, "field_characters"),
    "long": ({"department": "sales", "phone": PHONES[6], "message": "x" * 4001}, "field_too_long"),
}


async def test_an_item_that_cannot_be_taken_stops_nothing(platform: Platform, pulled: Bench) -> None:
    bad = [{"id": id_, "type": "request", "request": fields} for id_, (fields, _) in REFUSED.items()]
    platform.items = [request("r-1", PHONES[8]), *bad, {"id": "?"}, {}, request("r-2", PHONES[9])]
    with capture_logs() as logs:
        await pulled.pull()
    assert len(await pulled.callbacks()) == 2
    codes = await pulled.codes()
    assert len(codes) == len(bad) + 2
    for id_, (_, code) in REFUSED.items():
        assert codes[id_] == code or (id_ == "premium" and codes[id_].startswith("number_")), id_
    assert not any(word in str(logs) for word in ("4111", "900123", "7946"))
    assert pulled.told == []


async def test_limits_doubles_caps_and_objections_hold_as_for_a_submission(platform: Platform, pulled: Bench) -> None:
    pulled.limits = Limits(per_number=(Limit(1, timedelta(hours=1)),))
    await pulled.store.object_to("+442079460777", "ann", "asked")
    departments = ["sales", "care", "sales"]
    platform.items = [request(f"r-{place}", department=each) for place, each in enumerate(departments)]
    platform.items.append(request("objected", PHONES[777]))
    await pulled.pull()
    assert await pulled.codes() == {"r-1": "limit_number", "objected": "number_objected"}
    (limited, _) = await pulled.quarantined()
    assert limited.retry_at == NOW + timedelta(hours=1)
    double = await pulled.feeds.item("mi", "r-2")
    assert double is not None
    assert double.answer.value == "double"
    pulled.directory = with_account(max_attempts_a_day=0)
    platform.items.append(request("capped", PHONES[20]))
    await pulled.pull()
    assert (await pulled.codes())["capped"] == "account_cap"


async def test_changes_and_cancellations_come_by_the_same_way(platform: Platform, pulled: Bench) -> None:
    platform.items = [
        *(request(f"r-{number}", PHONES[number]) for number in range(3)),
        change("m-0", "r-0", at="2030-05-14T15:00+01:00"),
        change("m-1", "r-1", at="2030-05-11T15:00+01:00"),
        change("m-2", "r-2", at="2030-05-14T12:00", until="2030-05-14T13:00"),
        cancel("c-2", "r-2", reason="visitor"),
        cancel("c-9", "r-9"),
        change("m-9", "r-9"),
    ]
    await pulled.pull()
    by_number = {callback.visitor.phone[-1]: callback for callback in await pulled.callbacks()}
    assert by_number["0"].due_at == NOW + timedelta(days=1, hours=4)
    assert by_number["1"].due_at == NOW
    assert (by_number["2"].status, by_number["2"].reason) == (Status.CANCELLED, "visitor")
    assert await pulled.codes() == {"m-1": "time_past", "c-9": "item_unknown", "m-9": "item_unknown"}
    # What a move names is what its callback is called with: by the site's clock.
    platform.items.append(change("m-3", "r-0", at="2030-05-15T15:00"))
    await pulled.pull()
    moved = [callback for callback in await pulled.callbacks() if callback.visitor.phone.endswith("0")]
    assert moved[0].due_at == NOW + timedelta(days=2, hours=4)


async def test_a_change_waits_for_the_account_s_next_day_unless_its_callback_would_not_live_to_see_it(
    platform: Platform, pulled: Bench
) -> None:
    tomorrow = "2030-05-14T10:00"
    departments = ["sales", "sales", "sales", "care"]
    platform.items = [
        request(f"r-{number}", PHONES[number], department, at=tomorrow) for number, department in enumerate(departments)
    ]
    await pulled.pull()
    pulled.directory = with_account(max_attempts_a_day=0)
    platform.items += [
        change("m-0", "r-0", at="2030-05-13T15:00"),  # until 17:00
        change("m-1", "r-1", at="2030-05-13T16:00"),  # until 10:00 of the next day
        change("m-2", "r-2", at="2030-05-15T10:00"),
        change("m-3", "r-3"),  # as soon as possible, for as long as it takes
    ]
    await pulled.pull()
    (refused,) = await pulled.quarantined()
    assert (refused.item, refused.code, refused.retry_at) == ("m-0", "account_cap", NOW + timedelta(hours=13))
    due = {each.visitor.phone[-1]: each.due_at - NOW for each in await pulled.callbacks()}
    assert due == {
        "0": timedelta(hours=23),
        "1": timedelta(hours=5),
        "2": timedelta(hours=47),
        "3": timedelta(),
    }


async def test_repeated_pages_and_a_cursor_that_goes_back_change_nothing(platform: Platform, pulled: Bench) -> None:
    platform.items = [request(f"r-{number}", PHONES[number]) for number in range(60)]
    await pulled.pull()
    platform.faults = [page(*platform.items[:40], cursor="10", more=True)]
    with capture_logs() as logs:
        await pulled.pull(3)
    assert len(await pulled.callbacks()) == 60
    assert [asked.get("cursor") for asked in platform.asked[2:5]] == ["60", "10", "60"]
    assert pulled.pauses[:2] == [1.0, POLL]
    assert not [line for line in logs if line["event"] == "feed.items_differ"]


async def test_another_content_under_a_known_id_is_told_and_not_taken(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1", PHONES[1]), request("r-1", PHONES[2])]
    with capture_logs() as logs:
        await pulled.pull()
    (only,) = await pulled.callbacks()
    assert only.visitor.phone.endswith("0001")
    assert [line["count"] for line in logs if line["event"] == "feed.items_differ"] == [1]


# --- how it asks -----------------------------------------------------------------------------------------------------


async def test_a_feed_that_waits_is_asked_again_at_once(platform: Platform, pulled: Bench) -> None:
    platform.waits = True
    pulling = asyncio.create_task(pulled.pull())
    for number in range(3):
        await until(lambda: len(platform.asked) > number)  # noqa: B023  # waited for at once
        await platform.put(request(f"r-{number}", PHONES[number]))
    await until(lambda: len(platform.asked) > 3)
    pulling.cancel()
    await asyncio.wait([pulling])
    assert len(await pulled.callbacks()) == 3
    assert pulled.pauses == []


async def test_one_that_says_so_and_does_not_wait_is_left_alone_all_the_same(platform: Platform, pulled: Bench) -> None:
    platform.fault = answering(204, Feed_Waits="true")
    await pulled.pull(3)
    assert (len(platform.asked), pulled.pauses) == (3, [POLL] * 3)


async def test_no_content_leaves_the_cursor_where_it_is(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1")]
    platform.faults = [page(request("r-0", PHONES[5]), cursor="0"), answering(204)]
    await pulled.pull(3)
    assert [asked.get("cursor") for asked in platform.asked] == [None, "0", "0"]
    assert len(await pulled.callbacks()) == 2


async def test_an_address_with_a_query_of_its_own_and_a_cursor_of_any_characters(
    platform: Platform, pulled: Bench
) -> None:
    cursor = "a&b=c?#%20+/é".replace("é", "~")
    platform.faults = [page(cursor=cursor), answering(204)]
    pulled.url = platform.url
    await pulled.pull(2)
    assert platform.asked[1]["cursor"] == cursor


# --- what it is patient with -----------------------------------------------------------------------------------------

BROKEN: dict[str, Fault] = {
    "down": answering(503, SECRET),
    "not found": answering(404, SECRET),
    "redirecting": answering(302, Location="/elsewhere"),
    "rubbish": answering(200, f"<html>{SECRET}</html>"),
    "empty": answering(200),
    "wrong types": answering(200, '{"items": {"a": 1}, "cursor": 7}'),
    "no cursor": answering(200, '{"items": []}'),
    "not UTF-8": answering(200, b'{"items": ["\xff"], "cursor": "a"}'),
    "deep": answering(200, "[" * 50_000),
    "a huge page": answering(200, b" " * (4 * 1024 * 1024 + 1)),
    "a hundred thousand items": answering(200, '{"items": [' + "{}," * 99_999 + '{}], "cursor": "a"}'),
    "encoded": answering(200, b"x", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_feed_is_backed_off_from_told_once_and_taken_when_it_is_right(
    platform: Platform, pulled: Bench, fault: str
) -> None:
    platform.items = [request("r-1")]
    platform.faults = [BROKEN[fault]] * 4
    with capture_logs() as logs:
        await pulled.pull(5)
    grown = [wait * jitter for wait in (1, 2, 4, 8) for jitter in (0.5, 1.0)]
    assert all(low <= pause <= high for pause, low, high in zip(pulled.pauses, grown[::2], grown[1::2], strict=False))
    assert len(set(pulled.told[:-1])) == 1
    assert pulled.told[-1] == "cleared"
    assert len(await pulled.callbacks()) == 1
    assert [line["event"] for line in logs].count("feed.failed") == 4
    assert SECRET not in str(logs) + str(pulled.told)


async def test_once_is_no_alert(platform: Platform, pulled: Bench) -> None:
    platform.faults = [answering(500)] * 2
    await pulled.pull(3)
    assert pulled.told == []


async def test_a_feed_of_which_nothing_can_be_taken_is_told_and_gone_through_with_measure(
    platform: Platform, pulled: Bench
) -> None:
    """The platform calls the number something else: each item is in quarantine, and a person has to know."""
    pulled.page_size = 2
    platform.items = [{"id": f"r-{n}", "type": "request", "request": {"telephone": "020 7946 0000"}} for n in range(9)]
    platform.waits = False
    await pulled.pull(3)
    assert pulled.pauses == [1.0, 1.0, POLL]
    assert set(pulled.told) == {"nothing that feed mi brings can be taken: all of it is in quarantine"}
    await platform.put(request("r-9"))
    await pulled.pull(1)
    assert pulled.told[-1] == "cleared"
    assert len(await pulled.callbacks()) == 1


async def test_what_it_asks_for_is_waited_for(platform: Platform, pulled: Bench) -> None:
    platform.faults = [answering(429, Retry_After="120"), answering(503, Retry_After="0"), answering(503)]
    await pulled.pull(3)
    assert pulled.pauses[0] == 120
    assert 1 <= pulled.pauses[1] <= 2


async def test_more_behind_a_cursor_that_never_moves_is_a_failure_and_nothing_is_taken(
    platform: Platform, pulled: Bench
) -> None:
    platform.fault = page(request("r-1"), cursor="7", more=True)
    await pulled.pull(4)
    assert pulled.told
    assert "does not move" in pulled.told[0]
    assert len(await pulled.callbacks()) == 1
    assert (await pulled.feeds.cursor("mi")) == "7"


async def test_cursors_in_a_circle_are_no_tight_loop(platform: Platform, pulled: Bench) -> None:
    circle = [page(request("r-1"), cursor=cursor, more=True) for cursor in "ababab"]
    platform.faults = circle
    await pulled.pull(5)
    assert pulled.pauses == [1.0] * 5


async def test_a_token_that_is_refused_is_told_at_once_and_read_anew(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1")]
    good, pulled.token = pulled.token, "another"
    await pulled.pull(1)
    assert pulled.told == ["feed mi fails: it answered 401"]
    pulled.token = good
    await pulled.pull(1)
    assert len(await pulled.callbacks()) == 1


async def test_a_token_that_is_gone_and_a_name_that_leads_home_are_told(platform: Platform, pulled: Bench) -> None:
    good, pulled.token = pulled.token, ""
    await pulled.pull(2)
    assert set(pulled.told) == {"feed mi fails: cannot read the token"}
    pulled.token, pulled.told, pulled.url = good, [], "http://10.0.0.1"
    await pulled.pull(1)
    assert pulled.told == ["feed mi fails: its address is not a public one"]
    assert platform.asked == []


async def test_a_fault_of_our_own_is_told_as_one_and_ends_nothing(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1", SECRET)]

    def broken(news: News) -> None:
        raise KeyError(SECRET)

    heard, pulled._heard = pulled._heard, broken  # type: ignore[method-assign]  # a fault
    with capture_logs() as logs:
        await pulled.pull(1)
    assert pulled.told == ["feed mi fails: unexpected KeyError: this is a bug"]
    assert SECRET not in str(logs)
    pulled._heard = heard  # type: ignore[method-assign]  # as it was
    await pulled.pull(1)
    assert len(await pulled.quarantined()) == 1


async def test_what_left_the_configuration_can_be_cancelled_and_not_moved(platform: Platform, pulled: Bench) -> None:
    platform.items = [request("r-1", department="care")]
    await pulled.pull()
    departments = {id_: each for id_, each in pulled.directory.departments.items() if id_ != "care"}
    pulled.directory = replace(pulled.directory, departments=departments)
    platform.items += [change("m-1", "r-1", at="2030-05-14T12:00"), cancel("c-1", "r-1")]
    await pulled.pull()
    assert await pulled.codes() == {"m-1": "department_unknown"}
    assert (await pulled.callbacks())[0].status is Status.CANCELLED
