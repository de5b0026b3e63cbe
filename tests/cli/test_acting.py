"""What people do: submit, cancel, reschedule, pause, resume, and the database's schema."""

import json
import os
import re
import socket
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.schema import REVISIONS
from tests.cli.host import Host
from tests.cli.seeds import callback, ended
from tests.unit.store import older

NEWEST = REVISIONS[-1]

WANTED = (datetime.now(UTC) + timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
"""Around the middle of the day in London, the day after tomorrow."""


@pytest.fixture
def scheduled(host: Host) -> CallbackId:
    made = callback(due=WANTED)
    host.with_store(lambda store: store.add([made]))
    return made.id


def test_submit_by_options(host: Host) -> None:
    done = host.run(
        "submit", "--department", "sales", "--phone", "020 7946 0001", "--name", "Zoë", "--at", "2030-01-01"
    )
    assert done.returncode == 1
    assert "a date without a time" in done.stderr
    done = host.run(
        *("submit", "--department", "sales", "--phone", "020 7946 0001", "--name", "Zoë 😀", "--message", "Hi\nthere"),
        *("--email", "zoe@example.com", "--page", "https://example.com/?a=1,b", "--session", "s1"),
        *("--at", WANTED.isoformat()),
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"([0-9A-Z]{26})\tdue (\S+ \S+) Europe/London\n", done.stdout)
    assert found
    assert datetime.fromisoformat(found[2]) == WANTED
    stored = host.with_store(lambda store: store.get(CallbackId(found[1])))
    assert stored is not None
    assert stored.visitor.name == "Zoë 😀"
    assert stored.visitor.message == "Hi\nthere"
    assert stored.visitor.email == "zoe@example.com"
    assert stored.due_at == WANTED


def test_submit_json_lines_from_a_file_in_groups(host: Host) -> None:
    file = host.folder / "requests.jsonl"
    good = json.dumps({"department": "sales", "phone": "020 7946 0001"})
    file.write_text("\ufeff" + f"{good}\r\n\n" * 600 + "{oops\n" + good)
    done = host.run("submit", "--json", str(file))
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [record["line"] for record in records] == [*range(1, 1200, 2), 1202]
    assert {record["status"] for record in records} == {"scheduled"}
    assert len({record["id"] for record in records}) == 601
    assert done.stderr.startswith("dialer: line 1201: not JSON")


def test_a_daemon_that_listens_is_poked(host: Host, scheduled: CallbackId) -> None:
    waiting = callback()
    host.with_store(partial(ended, of=waiting, outcome=Outcome.CUSTOMER_BUSY, status=Status.NEEDS_REVIEW))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(host.folder / "dialer.sock"))
        daemon.settimeout(5)
        for command in (
            ("submit", "--department", "sales", "--phone", "020 7946 0001"),
            ("callbacks", "reschedule", scheduled, "--at", (WANTED + timedelta(hours=1)).isoformat()),
            ("callbacks", "cancel", scheduled),
            ("callbacks", "resolve", waiting.id, "--as", "completed", "--reason", "talked"),
            ("pause",),
            ("resume",),
        ):
            assert host.run(*command).returncode == 0
            assert daemon.recv(100)


def test_cancel(host: Host, scheduled: CallbackId) -> None:
    done = host.run("callbacks", "cancel", scheduled.lower(), "--reason", "asked by phone")
    assert (done.returncode, done.stdout) == (0, f"{scheduled}  cancelled\n")
    record = json.loads(host.run("callbacks", "show", "--json", scheduled).stdout)
    assert (record["status"], record["reason"]) == (Status.CANCELLED, "asked by phone")
    again = host.run("callbacks", "cancel", scheduled)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"dialer: {scheduled}: a callback that is cancelled can no longer be cancelled\n"


def test_what_is_not_there_cannot_be_changed(host: Host) -> None:
    for command in (
        ("show", "x"),
        ("cancel", "x"),
        ("reschedule", "x", "--at", WANTED.isoformat()),
        ("resolve", "x", "--as", "failed", "--reason", "gone"),
    ):
        done = host.run("callbacks", *command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("dialer: X: there is no such callback")


def test_reschedule(host: Host, scheduled: CallbackId) -> None:
    later = WANTED + timedelta(hours=3)
    done = host.run("callbacks", "reschedule", scheduled, "--at", later.isoformat())
    assert (done.returncode, done.stderr) == (0, "")
    assert datetime.fromisoformat(" ".join(done.stdout.split()[2:4])) == later
    for when, what in (("2001-01-01T10:00", "past"), ("soon", "ISO 8601")):
        refused = host.run("callbacks", "reschedule", scheduled, "--at", when)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        assert refused.stderr.startswith("dialer: --at: ")
        assert what in refused.stderr


def test_reschedule_into_closed_hours_means_the_next_opening(host: Host) -> None:
    asked = WANTED.replace(hour=14)
    submitted = host.run(
        "submit", "--json", "--department", "mornings", "--phone", "020 7946 0001", "--at", asked.isoformat()
    )
    opening = json.loads(submitted.stdout)["due_at"]
    assert opening > asked.isoformat()
    id_ = json.loads(submitted.stdout)["id"]
    done = host.run("callbacks", "reschedule", "--json", id_, "--at", asked.isoformat())
    assert json.loads(done.stdout)["due_at"] == opening
    assert re.fullmatch(r"dialer: Mornings is closed at \S+ \S+: due when it opens\n", done.stderr)


def test_pause_and_resume(host: Host) -> None:
    done = host.run("pause", "--reason", "fire [red]drill\x1b")
    assert re.fullmatch(r"paused since \S+Z by \S+: fire \[red\]drill␛\n", done.stdout)
    assert "paused since" in host.run("callbacks", "list").stderr
    second = json.loads(host.run("pause", "--reason", "another", "--json").stdout)
    assert second["why"] == "fire [red]drill\x1b"
    assert host.run("resume").stdout == "resumed\n"
    assert json.loads(host.run("resume", "--json").stdout) == {"paused": False, "changed": False}
    assert host.run("callbacks", "list").stderr == ""


def test_a_pause_names_the_person_behind_sudo(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "maria.ops")
    assert json.loads(host.run("pause", "--json").stdout)["who"] == "maria.ops"


def test_the_database(bare: Host) -> None:
    assert bare.run("db", "current").stdout == f"{bare.database}: schema none\n"
    missing = bare.run("db", "check")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "run: dialer db upgrade" in missing.stderr
    assert bare.run("db", "upgrade").stdout == f"{bare.database}: schema {NEWEST}: upgraded from nothing\n"
    assert bare.run("db", "upgrade").stdout == f"{bare.database}: schema {NEWEST}: is current already\n"
    assert bare.run("db", "check").stdout == f"{bare.database}: schema {NEWEST}: ok\n"
    assert bare.run("db", "current").stdout == f"{bare.database}: schema {NEWEST}\n"


def test_a_test_call_needs_a_daemon_and_stores_nothing_without(host: Host) -> None:
    done = host.run("call-test", "sales", "--to", "020 7946 0001")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"dialer: {host.folder / 'dialer.sock'}: no daemon listens (start it")
    assert host.run("call-test", "sales", "--to", "999").stderr.startswith("dialer: phone: an emergency number")
    assert host.run("call-test", "nobody", "--to", "020 7946 0001").stderr.startswith("dialer: department: no such")
    assert host.run("callbacks", "list").stdout == ""


def test_a_folder_that_cannot_be_written_is_told(bare: Host) -> None:
    if os.geteuid() == 0:
        bare.configure(bare.config.read_text().replace('state_dir = "."', 'state_dir = "/proc"'))
    else:
        bare.folder.chmod(0o500)
    done = bare.run("db", "upgrade")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot be created" in done.stderr


def test_an_older_database_is_refused_by_all_until_it_is_upgraded(bare: Host) -> None:
    older.make(bare.database)
    what = f"dialer: {bare.database}: the database's schema 0001 is older than this program's {NEWEST}"
    for command in (("run",), ("callbacks", "list"), ("db", "check")):
        refused = bare.run(*command)
        assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, f"{what} (run: dialer db upgrade)")
    assert bare.run("db", "upgrade").stdout == f"{bare.database}: schema {NEWEST}: upgraded from 0001\n"
    shown = json.loads(bare.run("callbacks", "show", "--json", older.UNDER_WAY).stdout)
    (call,) = shown["calls"]
    assert (shown["status"], call["state"], call["pbx_boot"]) == ("in_progress", "agent_ringing", "2026-03-01 10:00:00")
    assert (call["pbx_identity"], call["place_by"]) == ("", None)
    assert [step["step"] for step in call["timeline"]] == ["intent", "originate_sent"]


def test_resolve_where_the_pbx_is_not_configured_any_more(host: Host) -> None:
    waiting = [callback() for _ in range(3)]
    for each in waiting:
        host.with_store(partial(ended, of=each, outcome=Outcome.IN_DOUBT, detail="cut off"))
    host.configure(host.config.read_text().replace("[pbx.main]", "[pbx.other]"))
    retried, completed, failed = (each.id for each in waiting)
    refused = host.run("callbacks", "resolve", retried, "--as", "retry", "--reason", "again")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"dialer: {retried}: not tried again: PBX main: it is no longer in the configuration"
        " (mend that and try again, or take the risk of a second call: --force)\n"
    )
    for id_, how, status in ((completed, "completed", "completed"), (failed, "failed", "failed")):
        done = host.run("callbacks", "resolve", id_.lower(), "--as", how, "--reason", "  asked by phone ")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == "the PBX  main cannot be asked: it is no longer in the configuration"
        assert re.fullmatch(rf"{id_}  {status}  {how} by \S+: asked by phone", done.stdout.splitlines()[-1])
        again = host.run("callbacks", "resolve", id_, "--as", "completed", "--reason", "again")
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr == f"dialer: {id_}: a callback that is {status} can no longer be resolved\n"


def test_resolve_without_a_doubt_asks_nobody(host: Host) -> None:
    """Its end is known, but the department was gone when it came: only a person can say what to do."""
    waiting = callback()
    host.with_store(partial(ended, of=waiting, outcome=Outcome.CUSTOMER_BUSY, status=Status.NEEDS_REVIEW))
    done = host.run("callbacks", "resolve", waiting.id, "--as", "retry", "--reason", "again")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "the PBX  main recorded: customer_busy"
    found = host.with_store(lambda store: store.get(waiting.id))
    assert found is not None
    assert (found.status, found.due_at <= datetime.now(UTC)) == (Status.SCHEDULED, True)
