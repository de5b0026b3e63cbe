"""What the store gives to reports, beside figures computed another way from the same rows; and the widget's events."""

import asyncio
import json
import math
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.domain.callback import Callback
from dialer.domain.outcome import Outcome, blame_of
from dialer.domain.widget import EventKind, WidgetEvent
from dialer.reports.calls import Answers, Ends, Punctuality
from dialer.reports.funnel import Funnel
from dialer.reports.groups import By
from dialer.reports.report import Figures, Kind, question, report
from dialer.reports.usage import Usage
from dialer.store import schema
from dialer.store.columns import to_micros
from dialer.store.events import Events
from dialer.store.reports import ReportRows
from dialer.store.store import SqlStore
from tests.contract.story import AGAIN, NOON, SECOND, callback, claim_of, ended
from tests.unit.reports.cases import directory

MIDDAY = datetime(2030, 10, 27, 12, tzinfo=UTC)
FIRST, UNTIL = date(2030, 10, 24), date(2030, 10, 31)
ZONES = {"shop": ZoneInfo("Europe/London"), "clinic": ZoneInfo("Asia/Kolkata"), "gone": ZoneInfo("UTC")}
SITES = {"sales": "shop", "ward": "clinic", "old": "gone"}


@dataclass(frozen=True)
class Row:
    """An attempt as it lies in the database; lateness and such are milliseconds."""

    department: str
    agent: str
    minutes: int
    outcome: Outcome | None
    late: int | None
    ring: int | None
    talk: int
    number: int

    @property
    def begun(self) -> datetime:
        return MIDDAY + timedelta(minutes=self.minutes)


ROWS = st.lists(
    st.builds(
        Row,
        department=st.sampled_from(list(SITES)),
        agent=st.sampled_from(["anna", "ben"]),
        minutes=st.integers(-3 * 1440, 3 * 1440),
        outcome=st.none() | st.sampled_from(list(Outcome)),
        late=st.none() | st.integers(-100, 200_000),
        ring=st.none() | st.integers(0, 40_000),
        talk=st.integers(0, 3_600_000),
        number=st.integers(0, 999),
    ),
    max_size=40,
)


def milliseconds(count: int) -> timedelta:
    return timedelta(milliseconds=count)


def timeline_of(row: Row) -> str:
    steps = [["intent", to_micros(row.begun), ""]]
    if row.late is not None:
        sent = to_micros(row.begun + milliseconds(row.late))
        steps.append(["originate_sent", sent, ""])
        steps.append(["customer_dialling", sent + 1_000_000, ""])
        if row.ring is not None:
            steps.append(["bridged", sent + 1_000_000 + 1_000 * row.ring, ""])
            steps.append(["bridged", sent + 9_000_000 + 1_000 * row.ring, "an echo"])
    return json.dumps(steps)


def filled(path: Path, rows: Sequence[Row]) -> None:
    """Written past the store, as it would have written it."""
    with closing(sqlite3.connect(path)) as database, database:
        for department, site in SITES.items():
            asked = to_micros(MIDDAY - timedelta(days=30))
            database.execute(
                "INSERT INTO callback (id, site, department, phone, name, email, page, message, session, requested_at, "
                "due_at, status, reason, attempts, customer_attempts, agent_rings, version, source, created_at, "
                "updated_at) VALUES (?, ?, ?, '', '', '', '', '', '', ?, ?, 'completed', '', 0, 0, 0, 1, '', ?, ?)",
                (department, site, department, asked, asked, asked, asked),
            )
        for place, row in enumerate(rows):
            begun, over = to_micros(row.begun), row.outcome is not None
            database.execute(
                "INSERT INTO attempt (id, callback_id, number, department, pbx, pbx_boot, agent, agent_slot, trunk, "
                "caller_id, dialled, due_at, ready_at, created_at, state, timeline, outcome, blame, talk_us, ended_at, "
                "updated_at) VALUES (?, ?, ?, ?, '', '', ?, ?, '', '', ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?)",
                (
                    *(f"A{place}", row.department, place, row.department, row.agent, place),
                    *(f"+442079460{row.number:03}", begun, begun, begun, timeline_of(row)),
                    *(row.outcome, row.outcome and blame_of(row.outcome)),
                    *(row.talk * 1000 if row.outcome is Outcome.CONNECTED else 0, begun + 1 if over else None, begun),
                ),
            )


async def told(
    store: SqlStore, kind: Kind, by: By | None = None, site: str = "", department: str = ""
) -> Sequence[Figures]:
    house = directory()
    asked = question(house, MIDDAY, kind, by, FIRST, UNTIL, site, department)
    return await report(ReportRows(store), house, asked, asyncio.to_thread)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "dialer.db"
    asyncio.run(schema.upgrade(path))
    return path


# --- the same figures by hand: sorted lists, and nothing of the code that is tried ---

LABELS: dict[By, Callable[[Row], str]] = {
    By.SITE: lambda row: SITES[row.department],
    By.DEPARTMENT: lambda row: row.department,
    By.AGENT: lambda row: row.agent,
    By.HOUR: lambda row: row.begun.astimezone(ZONES[SITES[row.department]]).strftime("%H"),
    By.WEEKDAY: lambda row: row.begun.astimezone(ZONES[SITES[row.department]]).strftime("%a").lower(),
    By.DAY: lambda row: row.begun.astimezone(ZONES[SITES[row.department]]).strftime("%Y-%m-%d"),
}


def naive_groups(rows: Sequence[Row], by: By | None) -> dict[str, list[Row]]:
    since, before = datetime(2030, 10, 24, tzinfo=UTC), datetime(2030, 10, 31, tzinfo=UTC)
    groups: dict[str, list[Row]] = defaultdict(list)
    if by is None:
        groups[""] = []
    for row in rows:
        if row.outcome is not None and since <= row.begun < before:
            groups["" if by is None else LABELS[by](row)].append(row)
    return groups


def naive_percentile(values: Sequence[float], percent: int) -> float | None:
    return sorted(values)[math.ceil(percent * len(values) / 100) - 1] if values else None


def near(found: float | None, exact: float | None) -> bool:
    if found is None or exact is None:
        return found is exact
    return abs(found - exact) <= abs(exact) * 0.004 + 0.001


@settings(max_examples=60)
@given(rows=ROWS, by=st.none() | st.sampled_from(list(By)))
def test_reports_are_what_a_naive_count_says(empty: Path, rows: list[Row], by: By | None) -> None:
    async def all_of_them(path: Path) -> list[Sequence[Figures]]:
        async with SqlStore.open(path) as store:
            found = [await told(store, kind, by) for kind in (Kind.PUNCTUALITY, Kind.ANSWERS, Kind.OUTCOMES)]
            return [*found, await told(store, Kind.USAGE)]

    with TemporaryDirectory() as folder:
        path = Path(folder) / "dialer.db"
        shutil.copy(empty, path)
        filled(path, rows)
        punctual, answers, ends, used = asyncio.run(all_of_them(path))
    groups = naive_groups(rows, by)
    check_punctuality(punctual, groups)
    check_answers(answers, groups)
    check_ends(ends, groups)
    check_usage(used, naive_groups(rows, By.SITE))


def check_punctuality(found: Sequence[Figures], groups: dict[str, list[Row]]) -> None:
    assert {row.group for row in found if isinstance(row, Punctuality)} == set(groups)
    for row in found:
        assert isinstance(row, Punctuality)
        late = [each.late / 1000 for each in groups[row.group] if each.late is not None]
        assert row.attempts == len(late)
        assert near(row.lateness_p50_seconds, naive_percentile(late, 50))
        assert near(row.lateness_p99_seconds, naive_percentile(late, 99))
        assert near(row.lateness_max_seconds, max(late, default=None))
        assert near(row.within_60s_share, sum(each <= 60 for each in late) / len(late) if late else None)


def check_answers(found: Sequence[Figures], groups: dict[str, list[Row]]) -> None:
    assert {row.group for row in found if isinstance(row, Answers)} == set(groups)
    for row in found:
        assert isinstance(row, Answers)
        connected = [each for each in groups[row.group] if each.outcome == "connected"]
        by_customers = [each for each in groups[row.group] if str(each.outcome).startswith("customer_")]
        rings = [each.ring / 1000 for each in connected if each.ring is not None and each.late is not None]
        assert row.attempts == sum(each.outcome != "not_placed" for each in groups[row.group])
        assert (row.connected, row.decided) == (len(connected), len(connected) + len(by_customers))
        assert near(row.answer_p95_seconds, naive_percentile(rings, 95))
        assert near(row.talk_total_seconds, sum(each.talk for each in connected) / 1000)


def check_ends(found: Sequence[Figures], groups: dict[str, list[Row]]) -> None:
    expected = {group: Counter(each.outcome for each in rows) for group, rows in groups.items() if rows}
    counted: dict[str, Counter[Outcome | None]] = defaultdict(Counter)
    for row in found:
        assert isinstance(row, Ends)
        counted[row.group][row.outcome] = row.attempts
    assert counted == expected


def check_usage(found: Sequence[Figures], sites: dict[str, list[Row]]) -> None:
    accounts = {"shop": "retail", "clinic": "health", "gone": ""}
    minutes = {accounts[site]: 0 for site, rows in sites.items()}
    for site, rows in sites.items():
        minutes[accounts[site]] += sum(math.ceil(row.talk / 60_000) for row in rows if row.outcome == "connected")
    counted = dict.fromkeys(minutes, 0)
    for row in found:
        assert isinstance(row, Usage)
        assert (row.month, row.region, row.kind) == ("2030-10", "GB", "fixed")
        counted[row.account] += row.started_minutes
    assert counted == minutes


async def test_a_report_can_be_narrowed(empty: Path, tmp_path: Path) -> None:
    rows = [Row(department, "anna", 0, Outcome.CONNECTED, 100, 100, 1000, 1) for department in ("sales", "ward", "old")]
    path = tmp_path / "dialer.db"
    shutil.copy(empty, path)
    filled(path, rows)
    async with SqlStore.open(path) as store:
        for site, department, count in (("", "", 3), ("shop", "", 1), ("", "ward", 1), ("clinic", "ward", 1)):
            (row,) = await told(store, Kind.ANSWERS, site=site, department=department)
            assert isinstance(row, Answers)
            assert row.connected == count


# --- the widget's events ---

SESSION = "0190b1e2-7c1f-7aaa-{:04}-3f8a5d2b1c00"
PAGE = "https://example.com/offers"
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0, microsecond=0)


def event(
    kind: EventKind = EventKind.IMPRESSION, session: int = 0, page: str = PAGE, site: str = "shop"
) -> WidgetEvent:
    return WidgetEvent(site, kind, SESSION.format(session), page)


async def funnel(store: SqlStore, by: By | None = None, site: str = "") -> Sequence[Figures]:
    house = directory()
    asked = question(house, NOON, Kind.FUNNEL, by, NOON.date() - timedelta(days=2), None, site)
    return await report(ReportRows(store), house, asked, asyncio.to_thread)


async def test_a_session_counts_once_a_day_however_often_it_tells(store: SqlStore) -> None:
    events = Events(store)
    await events.tell([event(), event(), event(page=f"{PAGE}/2"), event(EventKind.OPEN)], MIDNIGHT)
    await asyncio.gather(*(events.tell([event(), event(EventKind.OPEN)], MIDNIGHT) for _ in range(5)))
    await events.tell([event(session=1)], MIDNIGHT)
    assert await funnel(store) == [Funnel("", 2, 1, 0, 0, 0, 0.5, 0.0, None, None)]


async def test_a_session_counts_again_on_another_day(where: str) -> None:
    now = NOON - timedelta(days=1)
    async with SqlStore.open(where, exclusive=True, now=lambda: now) as store:
        await Events(store).tell([event()], MIDNIGHT - timedelta(days=1))
        now = NOON
        await Events(store).tell([event(), event()], MIDNIGHT)
        assert [(row.group, row.impressions) for row in await funnel(store, By.DAY) if isinstance(row, Funnel)] == [
            ("2026-03-01", 1),
            ("2026-03-02", 1),
        ]


async def test_sites_do_not_share_sessions(store: SqlStore) -> None:
    await Events(store).tell([event(), event(site="clinic")], MIDNIGHT)
    assert [row.impressions for row in await funnel(store, By.SITE) if isinstance(row, Funnel)] == [1, 1]
    assert [row.impressions for row in await funnel(store, site="clinic") if isinstance(row, Funnel)] == [1]


async def test_a_submit_is_followed_to_its_callback_and_to_the_call(where: str) -> None:
    async with SqlStore.open(where, exclusive=True, now=lambda: NOON) as store:
        await Events(store).tell([event(EventKind.SUBMIT, session) for session in range(5)], MIDNIGHT)
        made = [_asked(number, "shop") for number in range(3)]
        # The same session at another site, and one whose request came much later.
        made += [_asked(3, "clinic"), _asked(4, "shop", at=NOON + 3600 * SECOND)]
        await store.add(made)
        for each, outcome in ((made[0], Outcome.CONNECTED), (made[1], Outcome.CUSTOMER_BUSY)):
            claim = claim_of(each)
            await store.claim(claim)
            await store.finish(ended(claim.attempt, outcome), AGAIN)
        assert await funnel(store, site="shop") == [Funnel("", 0, 0, 5, 3, 1, None, None, 0.6, 0.3333)]


def _asked(number: int, site: str, at: datetime = NOON) -> Callback:
    return replace(callback(number, session=SESSION.format(number)), site=site, requested_at=at)
