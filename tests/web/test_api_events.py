"""`/v1/events` over HTTP: what the widget tells."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dialer.reports.funnel import Funnel
from dialer.reports.report import Kind, question, report
from dialer.store.event_tables import event as table
from dialer.store.reports import ReportRows
from tests.unit.intake.places import DIRECTORY
from tests.web.place import ORIGIN, Place, place, problem

SESSION = "0190b1e2-7c1f-7aaa-9c3e-3f8a5d2b1c00"


def event(kind: str = "impression", session: str = SESSION, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "session": session, "page": "https://www.example.com/offers?email=jane@example.com", **more}


async def funnel(api: Place, site: str = "shop") -> Funnel:
    asked = question(DIRECTORY, api.clocks.now(), Kind.FUNNEL, site=site)
    (row,) = await report(ReportRows(api.store), DIRECTORY, asked, asyncio.to_thread)
    assert isinstance(row, Funnel)
    return row


async def told(api: Place, headers: dict[str, str], *events: Any) -> int:
    answer = await api.client.post("/v1/events", json={"events": events}, headers=headers)
    if answer.status_code != 204:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "jane" not in answer.text
    return answer.status_code


async def test_from_the_first_sight_to_the_request(tmp_path: Path) -> None:
    async with place(tmp_path) as api:
        headers = await api.as_("submit", origin=ORIGIN)
        assert await told(api, headers, event(), event("open")) == 204
        assert await told(api, headers, event(), event("submit")) == 204
        await api.submitted({**headers, "origin": ORIGIN}, session=SESSION)
        found = await funnel(api)
        assert (found.impressions, found.opens, found.submits, found.requests, found.connected) == (1, 1, 1, 1, 0)
        assert (await funnel(api, "other")).impressions == 0


async def test_a_page_of_the_site_may_tell_by_a_key_that_only_submits(api: Place) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    preflight = await api.client.options("/v1/events", headers=asked)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert await told(api, await api.as_("submit", origin=ORIGIN), event()) == 204
    assert await told(api, await api.as_("submit,read", origin=ORIGIN), event()) == 403
    assert await told(api, await api.as_("submit", origin="https://elsewhere.example.com"), event()) == 403
    assert await told(api, await api.as_("read"), event()) == 403
    assert await told(api, {}, event()) == 401


REFUSED: list[tuple[Any, str, str]] = [
    ([event(email="jane@example.com")], "field_unknown", "events.0"),
    ([event(), event(at="2030-05-13T10:00:00Z")], "field_unknown", "events.1"),
    ([event(session="jane@example.com")], "session_invalid", "events.0.session"),
    ([event("jane")], "kind_unknown", "events.0.kind"),
    ([{}] * 51, "events_count", "events"),
    ([], "events_count", "events"),
    ("jane", "events_count", "events"),
]


@pytest.mark.parametrize(("events", "code", "field"), REFUSED)
async def test_refused_whole(api: Place, events: Any, code: str, field: str) -> None:
    before = await funnel(api)
    answer = await api.client.post("/v1/events", json={"events": events}, headers=await api.as_("submit"))
    problem(answer, 422, code, field)
    assert "jane" not in answer.text
    assert await funnel(api) == before


async def test_no_word_beside_the_events(api: Place) -> None:
    body = {"events": [event()], "name": "Jane"}
    answer = await api.client.post("/v1/events", json=body, headers=await api.as_("submit"))
    problem(answer, 422, "field_unknown", "body")


async def test_events_have_a_pace_of_their_own_that_costs_no_callback(tmp_path: Path) -> None:
    async with place(tmp_path, per_key=2, events_per_key=3) as api:
        headers = await api.as_("submit")
        assert [await told(api, headers, event()) for _ in range(4)] == [204, 204, 204, 429]
        await api.submitted(headers)


async def test_one_visitor_cannot_use_up_a_site_s_pace(tmp_path: Path) -> None:
    async with place(tmp_path, events_per_address=2) as api:
        headers = await api.as_("submit")
        assert [await told(api, headers, event()) for _ in range(3)] == [204, 204, 429]


async def test_a_day_is_the_site_s(tmp_path: Path) -> None:
    async with place(tmp_path) as api:
        headers = await api.as_("submit")
        # 22:59 and 23:01 UTC: the midnight of London's summer lies between.
        for minutes in (-1, 1):
            api.clocks.wall = api.clocks.wall.replace(hour=23, minute=0) + timedelta(minutes=minutes)
            assert await told(api, headers, event()) == 204
        assert (await funnel(api)).impressions == 2


async def test_nobody_is_woken_for_what_changes_no_callback(api: Place) -> None:
    """Neither for an event nor for a look at whether the store can be written."""
    heard: list[None] = []
    headers = await api.as_("submit")
    with api.store.heard_by(lambda: heard.append(None)):
        assert await told(api, headers, event()) == 204
        assert (await api.client.get("/readyz")).status_code == 200
    assert heard == []


async def test_what_was_told_holds_nobody(tmp_path: Path) -> None:
    async with place(tmp_path) as api:
        await told(api, await api.as_("submit"), event())
        rows = await api.store.read(select(table))
        assert [row.page for row in rows] == ["https://www.example.com/offers"]
        assert not any("jane" in str(value) for row in rows for value in row)
