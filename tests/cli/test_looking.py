"""What people look at: lists, one callback's story and the call log; at terminals, in pipes, for programs."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest

from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.cli.host import CONFIG, Host
from tests.cli.seeds import AT, HOSTILE, callback, ended

STYLE = re.compile(r"\x1b\[[0-9;]*m")
DANGEROUS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def test_a_pipe_gets_whole_ids_and_tabs_and_no_heading(host: Host) -> None:
    first, second = callback(), callback(due=AT + timedelta(hours=1))
    host.with_store(lambda store: store.add([second, first]))
    done = host.run("callbacks", "list")
    assert done.stdout == "".join(
        f"{each.id}\tscheduled\t2030-05-17T{hour}:30:00Z\t+442079460001\tsales\t0\t\n"
        for each, hour in ((first, 13), (second, 14))
    )
    assert done.stderr == ""


def test_lists_show_no_name(host: Host) -> None:
    host.with_store(lambda store: ended(store, callback(), Outcome.CUSTOMER_BUSY))
    for command in (("callbacks", "list"), ("callbacks", "list", "--json"), ("calls",), ("calls", "--json")):
        done = host.run(*command)
        assert "+442079460001" in done.stdout
        assert "Maria" not in done.stdout
        assert "example.com" not in done.stdout


def test_a_list_can_be_narrowed(host: Host) -> None:
    async def seed(store: SqlStore) -> None:
        await ended(store, callback(), Outcome.CONNECTED)
        await store.add([callback(due=AT + timedelta(minutes=minute)) for minute in range(5)])

    host.with_store(seed)
    scheduled = host.run("callbacks", "list", "--status", "scheduled", "--limit", "2")
    assert len(scheduled.stdout.splitlines()) == 2
    assert scheduled.stderr == "dialer: there are more than 2: --limit 0 shows all\n"
    both = host.run("callbacks", "list", "--status", "scheduled", "--status", "completed", "--limit", "6")
    assert len(both.stdout.splitlines()) == 6
    assert both.stderr == ""
    assert host.run("callbacks", "list", "--department", "mornings").stdout == ""


def test_more_than_a_page_is_followed(host: Host) -> None:
    host.with_store(lambda store: store.add([callback() for _ in range(1201)]))
    ids = [line.split("\t")[0] for line in host.run("callbacks", "list", "--limit", "0").stdout.splitlines()]
    assert len(set(ids)) == 1201
    assert len(host.run("callbacks", "list", "--limit", "700").stdout.splitlines()) == 700


@pytest.mark.parametrize(("columns", "is_table"), [(140, True), (80, True), (40, False)])
def test_a_list_fits_its_terminal(host: Host, columns: int, is_table: bool) -> None:  # noqa: FBT001  # a case
    made = callback()
    host.with_store(lambda store: store.add([made]))
    shown = STYLE.sub("", host.at_terminal(columns, "callbacks", "list"))
    assert max(map(len, shown.splitlines())) <= columns
    assert made.id in shown
    assert "+442079460001" in shown
    assert (shown.split()[:2] == ["callback", "status"]) is is_table


@pytest.mark.parametrize("columns", [80, 40])
def test_the_call_log_fits_its_terminal(host: Host, columns: int) -> None:
    host.with_store(lambda store: ended(store, callback(), Outcome.CUSTOMER_NO_ANSWER))
    shown = STYLE.sub("", host.at_terminal(columns, "calls"))
    assert max(map(len, shown.splitlines())) <= columns
    assert "customer_no_answer" in shown


def test_hostile_text_is_shown_and_not_obeyed(host: Host) -> None:
    made = callback(name=HOSTILE, message="[bold]two\nlines[/bold]")
    host.with_store(lambda store: ended(store, made, Outcome.CUSTOMER_BUSY, detail=HOSTILE))
    piped = host.run("callbacks", "show", made.id).stdout
    assert "␛[31mMaria␛[0m [red]␍␊ok \ufffdgnp.exe\ufffd2J␉x" in piped
    assert "[bold]two␊lines[/bold]" in piped
    for shown in (piped, host.at_terminal(80, "callbacks", "show", made.id), host.run("calls").stdout):
        assert not DANGEROUS.search(STYLE.sub("", shown).replace("\t", ""))
    assert "\x1b[31m" not in host.at_terminal(80, "callbacks", "show", made.id)
    as_json = host.run("callbacks", "show", "--json", made.id).stdout
    assert as_json.isascii()
    assert json.loads(as_json)["name"] == HOSTILE


def test_the_story_of_a_callback(host: Host) -> None:
    made = callback()
    tried = host.with_store(lambda store: ended(store, made, Outcome.CUSTOMER_BUSY))
    shown = host.run("callbacks", "show", made.id.lower()).stdout
    assert f"callback    {made.id}\nstatus      scheduled\n" in shown
    assert "name        Maria\n" in shown
    assert "wanted      2030-05-17T13:30:00Z (2030-05-17 14:30:00+01:00 Europe/London)\n" in shown
    assert (
        "next        attempt 2 at 2030-05-17T14:30:00Z (2030-05-17 15:30:00+01:00 Europe/London); again after "
        "customer_busy; the customer's side decided 1 of 3; agents rung in vain 0 of 10\n"
    ) in shown
    assert f"attempt 1  {tried.id}\n" in shown
    assert "late       0.250 s\n" in shown
    assert "  13:30:00.250000Z" in shown
    assert "  2030-05-18T13:30:00.250000Z  ended  cause 16\n" in shown


def test_the_story_for_a_program(host: Host) -> None:
    made = callback()
    host.with_store(lambda store: ended(store, made, Outcome.CONNECTED))
    record = json.loads(host.run("callbacks", "show", "--json", made.id).stdout)
    assert record["status"] == "completed"
    assert record["next"] == "nothing: again after connected"
    assert record["consent"]["given_at"] == "2030-05-17T12:30:00.000000Z"
    (call,) = record["calls"]
    assert [step["step"] for step in call["timeline"]] == ["intent", "originate_sent", "ended"]
    assert (call["outcome"], call["hung_up_by"], call["talk_seconds"]) == ("connected", "customer", 2.5)


def test_the_story_of_a_callback_whose_department_is_gone(host: Host) -> None:
    made = callback()
    host.with_store(lambda store: store.add([made]))
    host.configure(CONFIG.replace("[department.sales]", "[department.sellers]"))
    shown = host.run("callbacks", "show", made.id)
    assert "department  sales (not in the configuration)\n" in shown.stdout
    assert "waits: its department is not in the configuration" in shown.stdout
    moved = host.run("callbacks", "reschedule", made.id, "--at", "2030-05-20T10:00")
    assert (moved.returncode, len(moved.stderr.splitlines())) == (1, 1)


def test_the_call_log(host: Host) -> None:
    async def seed(store: SqlStore) -> None:
        await ended(store, callback(due=AT + timedelta(hours=2)), Outcome.CONNECTED)
        await ended(store, callback(), Outcome.CUSTOMER_BUSY)

    host.with_store(seed)
    connected, busy = (json.loads(line) for line in host.run("calls", "--json").stdout.splitlines())
    assert (connected["outcome"], connected["talk_seconds"], connected["lateness_seconds"]) == ("connected", 2.5, 0.25)
    assert (busy["number"], busy["caller_id"], busy["pbx"]) == ("+442079460001", "+442079460123", "main")
    assert len(host.run("calls", "--outcome", "customer_busy").stdout.splitlines()) == 1
    assert len(host.run("calls", "--since", "2030-05-17T15:00+00:00").stdout.splitlines()) == 1
    assert len(host.run("calls", "--until", "2030-05-17T15:00").stdout.splitlines()) == 1
    assert host.run("calls", "--since", "2030-05-18").stdout == ""


def test_csv_opens_safely_in_a_spreadsheet(host: Host) -> None:
    async def seed(store: SqlStore) -> None:
        for detail in ('=HYPERLINK("http://example.com","x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"):
            await ended(store, callback(), Outcome.CUSTOMER_BUSY, late=-0.5, detail=detail)

    host.with_store(seed)
    rows = list(csv.DictReader(io.StringIO(host.run("calls", "--csv").stdout)))
    assert len(rows) == 5
    assert all(row["detail"][0] == "'" for row in rows)
    assert {row["number"] for row in rows} == {"+442079460001"}
    assert {row["lateness_seconds"] for row in rows} == {"-0.5"}
