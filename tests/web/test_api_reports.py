"""`/v1/reports` over HTTP: a site's own figures."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dialer.domain.attempt import State, Step
from dialer.domain.callback import Callback
from dialer.domain.outcome import Blame, Outcome, Verdict
from dialer.engine.ports import Claim
from dialer.reports.report import Kind, question
from dialer.reports.rows import Call, Visit
from dialer.reports.spans import Span
from dialer.web.problems import Problem
from dialer.web.reporter import Reporter
from tests.contract.story import COMPLETED, attempt_at, callback
from tests.unit.intake.places import DIRECTORY, NOW
from tests.web.place import Place, place, problem

KINDS = tuple(Kind)


async def happened(api: Place, number: int, site: str, department: str) -> None:
    """A call of a minute, a quarter of a second late, an hour ago."""
    at = NOW - timedelta(hours=1)
    of: Callback = replace(callback(number, department=department, due_at=at), site=site, requested_at=at)
    living = replace(attempt_at(of), created_at=at, ready_at=at, agent=f"{site}-agent")
    sent = (Step("originate_sent", at + timedelta(milliseconds=250)),)
    end = Verdict(Outcome.CONNECTED, 16, Blame.NOBODY, timedelta(seconds=60))
    await api.store.add([of])
    assert await api.store.claim(Claim(of, living))
    done = replace(living, state=State.ENDED, timeline=sent, verdict=end, ended_at=at + timedelta(seconds=70))
    await api.store.finish(done, COMPLETED)


@pytest.fixture(scope="module")
async def reported(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One call of the shop's and two of the other site's."""
    async with place(tmp_path_factory.mktemp("reports")) as api:
        for number, (site, department) in enumerate([("shop", "care"), ("other", "elsewhere"), ("other", "elsewhere")]):
            await happened(api, number, site, department)
        yield api


async def test_the_site_s_own_figures_and_nobody_else_s(reported: Place) -> None:
    headers = await reported.as_("read")
    answer = await reported.client.get("/v1/reports/punctuality", headers=headers)
    assert answer.json() == {
        "kind": "punctuality",
        "site": "shop",
        "department": "",
        "since": "2030-05-07T00:00:00+01:00",
        "before": "2030-05-14T00:00:00+01:00",
        "zone": "Europe/London",
        "by": None,
        "rows": [
            {
                "group": "",
                "attempts": 1,
                "lateness_p50_seconds": 0.25,
                "lateness_p95_seconds": 0.25,
                "lateness_p99_seconds": 0.25,
                "lateness_max_seconds": 0.25,
                "within_60s_share": 1.0,
                "delay_p50_seconds": 0.25,
                "delay_p99_seconds": 0.25,
            }
        ],
    }
    other = await reported.client.get("/v1/reports/punctuality", headers=await reported.as_("read", "other"))
    assert other.json()["rows"][0]["attempts"] == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_what_is_documented(reported: Place, kind: Kind) -> None:
    answer = await reported.client.get(f"/v1/reports/{kind}", headers=await reported.as_("read"))
    assert answer.status_code == 200
    document = (await reported.client.get("/openapi.json")).json()
    models = {
        name: set(model["properties"])
        for name, model in document["components"]["schemas"].items()
        if "properties" in model
    }
    (row,) = answer.json()["rows"]
    assert [name for name, fields in models.items() if fields == set(row)] != []
    assert not any(part in answer.text for part in ("7946", "Zoë", "other"))


async def test_usage_of_this_month(reported: Place) -> None:
    answer = await reported.client.get("/v1/reports/usage", headers=await reported.as_("read"))
    assert answer.json()["since"] == "2030-05-01T00:00:00+01:00"
    (row,) = answer.json()["rows"]
    assert (row["account"], row["month"], row["calls"], row["started_minutes"]) == ("default", "2030-05", 1, 1)


async def test_told_apart_and_narrowed(reported: Place) -> None:
    headers = await reported.as_("read")
    asked = {"by": "department", "from": "2030-05-13", "until": "2030-05-14"}
    answer = await reported.client.get("/v1/reports/answers", params=asked, headers=headers)
    assert [row["group"] for row in answer.json()["rows"]] == ["care"]
    asked = {"department": "sales"}
    answer = await reported.client.get("/v1/reports/answers", params=asked, headers=headers)
    assert answer.json()["rows"][0]["attempts"] == 0


REFUSED: list[tuple[str, dict[str, str], str, str]] = [
    ("sales", {}, "field_invalid", "kind"),
    ("usage", {"by": "agent"}, "report_by", "by"),
    ("answers", {"by": "name"}, "field_invalid", "by"),
    ("answers", {"from": "yesterday"}, "field_invalid", "from"),
    ("answers", {"from": "2030-05-14", "until": "2030-05-14"}, "span_empty", "until"),
    ("answers", {"from": "2029-01-01"}, "span_long", "from"),
    ("answers", {"until": "9999-12-31"}, "span_range", "until"),
    ("answers", {"until": "0001-01-01"}, "span_range", "until"),
    ("answers", {"department": "elsewhere"}, "department_unknown", "department"),
    ("answers", {"site": "other"}, "parameter_unknown", "query"),
    ("funnel", {"department": "care"}, "report_department", "department"),
]


@pytest.mark.parametrize(("kind", "given", "code", "field"), REFUSED)
async def test_refused(reported: Place, kind: str, given: dict[str, str], code: str, field: str) -> None:
    answer = await reported.client.get(f"/v1/reports/{kind}", params=given, headers=await reported.as_("read"))
    problem(answer, 422, code, field)


async def test_as_many_days_as_are_allowed_are_so_over_a_clock_change(reported: Place) -> None:
    """From summer time to winter time they last an hour longer."""
    asked = {"from": "2029-09-26", "until": "2030-10-31"}
    answer = await reported.client.get("/v1/reports/answers", params=asked, headers=await reported.as_("read"))
    assert answer.status_code == 200, answer.text
    asked["until"] = "2030-11-01"
    answer = await reported.client.get("/v1/reports/answers", params=asked, headers=await reported.as_("read"))
    problem(answer, 422, "span_long", "from")


async def test_a_key_in_a_page_reads_no_reports(reported: Place) -> None:
    answer = await reported.client.get("/v1/reports/usage", headers=await reported.as_("submit"))
    problem(answer, 403, "scope_missing")


class Slow:
    """Rows that come when they are let."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = asyncio.Event()

    async def calls(self, span: Span, site: str, department: str) -> AsyncIterator[Iterable[Call]]:
        self.asked += 1
        await self.let.wait()
        yield []

    async def visits(self, span: Span, sites: Sequence[str]) -> AsyncIterator[Iterable[Visit]]:
        yield []


async def test_reports_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Slow()
    reporter = Reporter(source)
    asked = question(DIRECTORY, NOW, Kind.ANSWERS)
    waiting = [asyncio.create_task(reporter.report(DIRECTORY, asked)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert source.asked == 1
    monkeypatch.setattr("dialer.web.reporter._PATIENCE", 0.0)
    with pytest.raises(Problem) as refused:
        await reporter.report(DIRECTORY, asked)
    assert refused.value.status_code == 503
    source.let.set()
    found: list[Any] = await asyncio.gather(*waiting)
    assert [len(rows) for rows in found] == [1, 1, 1]
    assert source.asked == 3


async def test_a_report_that_nobody_waits_for_leaves_the_turn_to_others(tmp_path: Path) -> None:
    source = Slow()
    reporter = Reporter(source)
    asked = question(DIRECTORY, NOW, Kind.ANSWERS)
    left = asyncio.create_task(reporter.report(DIRECTORY, asked))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    source.let.set()
    assert len(await reporter.report(DIRECTORY, asked)) == 1
