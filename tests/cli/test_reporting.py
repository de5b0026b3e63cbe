"""`dialer report`: at terminals, in pipes, for programs and spreadsheets."""

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from dialer.domain.outcome import Outcome
from dialer.domain.widget import EventKind, WidgetEvent
from dialer.store.events import Events
from dialer.store.store import SqlStore, utc_now
from tests.cli.host import Host
from tests.cli.seeds import AT, callback, ended

STYLE = re.compile(r"\x1b\[[0-9;]*m")
SPAN = ("--from", "2030-05-17", "--until", "2030-05-18")


@pytest.fixture
def busy(host: Host) -> Host:
    """Three attempts in May 2030: two that connected, and one that found the line busy."""

    async def seed(store: SqlStore) -> None:
        await ended(store, callback(), Outcome.CONNECTED)
        await ended(store, callback(due=AT + timedelta(hours=2)), Outcome.CONNECTED, late=61.0)
        await ended(store, callback(due=AT + timedelta(hours=2)), Outcome.CUSTOMER_BUSY, late=1.5)

    host.with_store(seed)
    return host


PIPED: list[tuple[Sequence[str], str]] = [
    (("punctuality",), "3\t1.503\t60.948\t60.948\t61.000\t66.7 %\t1.503\t60.948\n"),
    (
        ("answers", "--by", "hour"),
        (
            "14\t1\t1\t1\t100.0 %\t1.0\t\t\t\t\t2.500\t2.500\t2.500\n"
            "16\t2\t2\t1\t50.0 %\t2.0\t\t\t\t\t2.500\t2.500\t2.500\n"
        ),
    ),
    (("outcomes", "--by", "agent"), "anna\tconnected\tnobody\t2\t66.7 %\nanna\tcustomer_busy\tcustomer\t1\t33.3 %\n"),
    (("usage",), "default\t2030-05\tGB\tfixed\t3\t2\t0\t6\t2\n"),
    (("funnel",), "0\t0\t0\t0\t0\t\t\t\t\n"),
]


@pytest.mark.parametrize(("arguments", "shown"), PIPED, ids=[case[0][0] for case in PIPED])
def test_in_a_pipe(busy: Host, arguments: Sequence[str], shown: str) -> None:
    done = busy.run("report", *arguments, *SPAN)
    assert (done.stdout, done.stderr, done.returncode) == (shown, "", 0)


def test_for_a_program(busy: Host) -> None:
    records = [
        json.loads(line)
        for line in busy.run("report", "punctuality", "--by", "weekday", "--json", *SPAN).stdout.splitlines()
    ]
    assert records == [
        {
            "report": "punctuality",
            "from": "2030-05-16T23:00:00.000000Z",
            "until": "2030-05-17T23:00:00.000000Z",
            "by": "weekday",
            "group": "fri",
            "attempts": 3,
            "lateness_p50_seconds": 1.503,
            "lateness_p95_seconds": 60.948,
            "lateness_p99_seconds": 60.948,
            "lateness_max_seconds": 61.0,
            "within_60s_share": 0.6667,
            "delay_p50_seconds": 1.503,
            "delay_p99_seconds": 60.948,
        }
    ]


def test_for_a_spreadsheet(busy: Host) -> None:
    rows = list(csv.DictReader(io.StringIO(busy.run("report", "outcomes", "--csv", *SPAN).stdout)))
    assert [(row["outcome"], row["attempts"], row["share"]) for row in rows] == [
        ("connected", "2", "0.6667"),
        ("customer_busy", "1", "0.3333"),
    ]


@pytest.mark.parametrize(("columns", "is_table"), [(140, True), (70, True), (30, False)])
def test_it_fits_its_terminal(busy: Host, columns: int, is_table: bool) -> None:  # noqa: FBT001  # a case
    shown = STYLE.sub("", busy.at_terminal(columns, "report", "answers", "--by", "department", *SPAN))
    first, second, *_ = shown.splitlines()
    assert max(map(len, shown.splitlines()[1:])) <= columns
    assert first == "answers from 2030-05-17 until 2030-05-18, Europe/London"
    assert (second.split()[:2] == ["department", "attempts"]) is is_table
    assert "sales" in shown


def test_the_last_days_and_this_month_are_meant_unless_it_is_said_otherwise(host: Host) -> None:
    async def seed(store: SqlStore) -> None:
        await ended(store, callback(due=utc_now() - timedelta(seconds=1)), Outcome.CONNECTED)
        await ended(store, callback(due=utc_now() - timedelta(days=9)), Outcome.CONNECTED)
        session = "0190b1e2-7c1f-7aaa-9c3e-3f8a5d2b1c00"
        await Events(store).tell([WidgetEvent("shop", EventKind.OPEN, session, "https://example.com/")], AT)

    host.with_store(seed)
    assert host.run("report", "punctuality").stdout.startswith("1\t")
    assert host.run("report", "funnel").stdout.startswith("0\t1\t0\t")
    assert host.run("report", "usage").stdout.count("\n") >= 1
    assert host.run("report", "punctuality", "--until", "2030-01-01").stdout.startswith("0\t")


MISUSED = [
    (("sales",), "'sales' is not one of"),
    ((), "missing argument"),
    (("usage", "--by", "agent"), "--by: usage cannot be told so; leave it"),
    (("funnel", "--by", "agent"), "--by: funnel cannot be told so; by: site, hour, weekday, day"),
    (("answers", "--site", "nowhere"), "--site: no such site"),
    (("answers", "--department", "nowhere"), "--department: no such department"),
    (("answers", "--from", "yesterday"), "not a date, such as 2030-05-17"),
    (("answers", "--from", "2030-05-17", "--until", "2030-05-17"), "--until: not after from"),
    (("answers", "--until", "0001-01-01"), "--until: out of range"),
    (("answers", "--json", "--csv"), "give --json or --csv"),
]


@pytest.mark.parametrize(("arguments", "why"), MISUSED)
def test_misuse_is_one_line_that_says_what_and_where(host: Host, arguments: Sequence[str], why: str) -> None:
    done = host.run("report", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_report_names_a_visitor(busy: Host) -> None:
    for kind in ("punctuality", "answers", "outcomes", "funnel", "usage"):
        shown = busy.run("report", kind, "--json", *SPAN).stdout
        assert not any(part in shown for part in ("Maria", "7946", "example.com"))
