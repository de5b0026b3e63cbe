"""Reports of two hundred thousand attempts: by an index, a page at a time, in little memory."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select

from dialer.domain.widget import EventKind, WidgetEvent
from dialer.reports.spans import last_days
from dialer.store import schema
from dialer.store.events import Events
from dialer.store.reports import ended_calls, first_events
from dialer.store.store import SqlStore
from tests.unit.store.child import child, finished
from tests.unit.store.plans import explained, plan_of, statements

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2030, 5, 17, 12, tzinfo=UTC)
SPAN = last_days(date(2030, 5, 10), date(2030, 5, 17), UTC_ZONE, NOON)
COUNT = 200_000
MOST_MEGABYTES = 24

CALLBACKS = """
INSERT INTO callback (id, site, department, phone, name, email, page, message, session, requested_at, due_at, status,
    reason, attempts, customer_attempts, agent_rings, version, source, created_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
SELECT 'C' || i, 'shop', 'sales', '', '', '', '', '', '', :since, :since, 'completed', '', 0, 0, 0, 1, '', :since,
    :since FROM n
"""
# One every three seconds, all connected; the n-th of a thousand is n milliseconds late and talks for n seconds.
ATTEMPTS = """
INSERT INTO attempt (id, callback_id, number, department, pbx, pbx_boot, agent, agent_slot, trunk, caller_id, dialled,
    due_at, ready_at, created_at, state, timeline, outcome, blame, talk_us, ended_at, updated_at)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1),
    m(i, at) AS (SELECT i, :since + i * 3000000 FROM n)
SELECT printf('A%09d', i), 'C' || (i % 200), i / 200, 'sales', '', '', 'agent' || (i % 50), i, '', '',
    printf('+442079460%03d', i % 1000), at, at, at, 'ended',
    printf('[["intent",%d,""],["originate_sent",%d,""],["customer_dialling",%d,""],["bridged",%d,""]]',
        at, at + 1000 * (i % 1000), at + 2000000, at + 7000000),
    'connected', 'nobody', 1000000 * (i % 1000), at + 1, at
FROM m
"""

MEASURED = """
import asyncio, json, resource, sys
from datetime import date, datetime, UTC
from dialer.reports.groups import By
from dialer.reports.report import Kind, question, report
from dialer.store.reports import ReportRows
from dialer.store.store import SqlStore
from tests.unit.reports.cases import directory

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def main():
    house, now = directory(), datetime(2030, 5, 17, 12, tzinfo=UTC)
    async def told(kind, by, first):
        asked = question(house, now, kind, by, first, date(2030, 5, 17))
        return await report(ReportRows(store), house, asked, asyncio.to_thread)
    async with SqlStore.open(sys.argv[1]) as store:
        used = await told(Kind.USAGE, None, date(2030, 5, 16))
        before = peak()
        punctual = await told(Kind.PUNCTUALITY, By.AGENT, date(2030, 5, 10))
        print(json.dumps({
            "grown": peak() - before,
            "attempts": sum(row.attempts for row in punctual),
            "groups": len(punctual),
            "calls": sum(row.calls for row in used),
            "seconds": sum(row.started_seconds for row in used),
        }))
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "dialer.db"
    asyncio.run(schema.upgrade(path))
    since = int(SPAN.since.timestamp()) * 1_000_000
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(CALLBACKS, {"since": since})
        database.execute(ATTEMPTS, {"since": since, "count": COUNT})
    return path


def test_many_attempts_in_little_memory(large: Path) -> None:
    with child(MEASURED, large) as process:
        (line,) = finished(process)
    found = json.loads(line)
    assert found.pop("grown") < MOST_MEGABYTES
    last_day = range(COUNT)[6 * 28_800 : 7 * 28_800]
    seconds = sum(nth % 1000 for nth in last_day)
    assert found == {"attempts": COUNT, "groups": 50, "calls": len(last_day), "seconds": seconds}


AFTER = (SPAN.since + timedelta(days=1), "A000028800")
PLANS: list[tuple[Select[Any], str]] = [
    (ended_calls(SPAN, "", "", None), "ix_attempt_created_at_id"),
    (ended_calls(SPAN, "", "", AFTER), "ix_attempt_created_at_id"),
    (ended_calls(SPAN, "shop", "", AFTER), "ix_attempt_created_at_id"),
    (ended_calls(SPAN, "", "sales", AFTER), "ix_attempt_"),
    (first_events(SPAN, "shop", None), "ix_event_site_at_id"),
    (first_events(SPAN, "shop", (AFTER[0], 7)), "ix_event_site_at_id"),
]


@pytest.mark.parametrize(("query", "index"), PLANS)
def test_every_page_is_found_by_an_index(large: Path, query: Select[Any], index: str) -> None:
    plan = plan_of(large, query)
    assert index in plan[0]
    assert not [step for step in plan if step.startswith("SCAN") or "B-TREE FOR ORDER BY" in step]


async def test_an_event_is_told_apart_by_an_index(tmp_path: Path) -> None:
    path = tmp_path / "dialer.db"
    async with SqlStore.open(path, exclusive=True, now=lambda: NOON) as store:
        with statements() as sent:
            new = WidgetEvent("shop", EventKind.OPEN, "0190b1e2-7c1f-7aaa-9c3e-3f8a5d2b1c00", "https://example.com/")
            await Events(store).tell([new, new], NOON)
    (sql,) = [sql for sql in sent if sql.startswith("INSERT INTO event")]
    plan = explained(path, sql, sent[sql])
    assert sum("ix_event_site_session_kind_at" in step for step in plan) == 2
    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step]
