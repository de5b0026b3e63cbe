"""What people do: submit, a test call, and the database's schema."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import IO

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import EVERYTHING
from dialer.store.dialect import locate
from dialer.store.schema import REVISIONS
from dialer.store.store import SqlStore
from tests.cli.host import Host, environment, requests
from tests.cli.seeds import WANTED, callback, claimed, ended
from tests.unit.store import older

NEWEST = REVISIONS[-1]


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
    first, *more, last = requests(601).splitlines()
    file.write_text("\ufeff" + "".join(f"{each}\r\n\n" for each in (first, *more)) + "{oops\n" + last)
    done = host.run("submit", "--json", str(file))
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [record["line"] for record in records] == [*range(1, 1200, 2), 1202]
    assert {(record["status"], record["double"]) for record in records} == {("scheduled", False)}
    assert len({record["id"] for record in records}) == 601
    assert done.stderr.startswith("dialer: line 1201: not JSON")


def test_what_is_promised_already_is_answered_with_that(host: Host) -> None:
    asked = ("submit", "--department", "sales", "--phone", "020 7946 0001", "--at", WANTED.isoformat())
    first = host.run(*asked).stdout
    id_ = first.split("\t")[0]
    second = host.run(*asked, "--name", "Zoë")
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.replace("\tdue ", "\talready promised: due ")
    (record,) = [json.loads(line) for line in host.run(*asked, "--json").stdout.splitlines()]
    assert (record["id"], record["double"]) == (id_, True)
    assert len(host.run("callbacks", "list").stdout.splitlines()) == 1
    host.with_store(partial(claimed, of=host.stored(CallbackId(id_))))
    assert host.run(*asked).stdout == f"{id_}\talready promised: in_progress\n"


def test_too_many_requests_are_refused_with_the_time_when_one_may_ask_again(host: Host) -> None:
    """The eighth for one number within a quarter of an hour; the others were cancelled, so that it is no double."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    asked = [replace(callback(number="+442079460000"), requested_at=since, status=Status.CANCELLED) for _ in range(7)]
    host.with_store(lambda store: store.add(asked))
    done = host.run("submit", "-", data=requests(1))
    assert (done.returncode, done.stdout) == (1, "")
    found = re.fullmatch(
        r"dialer: line 1: phone: this number was asked for too often \(try again later\);"
        r" may be tried again from (\S+)\n",
        done.stderr,
    )
    assert found
    assert abs(datetime.fromisoformat(found[1]) - since - timedelta(minutes=15)) <= timedelta(seconds=1)


@pytest.mark.parametrize("visitor", [{"session": "s1"}, {"address": "192.0.2.7"}])
def test_one_visitor_may_ask_for_three_numbers_an_hour(host: Host, visitor: dict[str, str]) -> None:
    done = host.run("submit", "-", data=requests(4, **visitor))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 3)
    assert done.stderr.startswith("dialer: line 4: phone: too many different numbers from one visitor (")


def test_a_window(host: Host) -> None:
    until = WANTED + timedelta(hours=2)
    asked = ("submit", "--department", "sales", "--phone", "020 7946 0001", "--at", WANTED.isoformat())
    id_ = host.run(*asked, "--until", until.isoformat()).stdout.split("\t")[0]
    stored = host.stored(CallbackId(id_))
    assert (stored.wanted_at, stored.wanted_until, stored.expires_at) == (WANTED, until, until)
    shown = host.run("callbacks", "show", id_).stdout
    assert f"until       {until:%Y-%m-%dT%H:%M:%SZ} (" in shown
    assert f"expires     {until:%Y-%m-%dT%H:%M:%SZ} (" in shown


def test_a_daemon_that_listens_is_poked(host: Host, scheduled: CallbackId) -> None:
    waiting = callback()
    host.with_store(partial(ended, of=waiting, outcome=Outcome.CUSTOMER_BUSY, status=Status.NEEDS_REVIEW))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(host.folder / "dialer.sock"))
        daemon.settimeout(5)
        for command in (
            ("submit", "--department", "sales", "--phone", "020 7946 0009"),
            ("callbacks", "reschedule", scheduled, "--at", (WANTED + timedelta(hours=1)).isoformat()),
            ("callbacks", "cancel", scheduled),
            ("callbacks", "resolve", waiting.id, "--as", "completed", "--reason", "talked"),
            ("pause",),
            ("resume",),
        ):
            assert host.run(*command).returncode == 0
            assert daemon.recv(100)


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


async def _nothing(_: SqlStore) -> None:
    """What a daemon does that has nothing to do."""


def test_a_test_call_is_stored_only_where_it_may_be_placed(host: Host) -> None:
    number = "+442079460001"
    refusals: dict[str, Callable[[SqlStore], Awaitable[object]]] = {
        "everything is paused by ": lambda store: store.pause(EVERYTHING, "ann", ""),
        "phone: whoever has this number does not want to be called": lambda store: store.object_to(number, "ann", ""),
    }
    for told, before in refusals.items():
        host.with_store(before)
        with host.daemon(_nothing):
            done = host.run("call-test", "sales", "--to", number)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"dialer: {told}")
        host.with_store(lambda store: store.resume(EVERYTHING, "ann"))
    host.with_store(lambda store: store.allow_again(number, "ann"))
    waiting = callback(number=number)
    host.with_store(lambda store: store.add([waiting]))
    with host.daemon(_nothing):
        double = host.run("call-test", "sales", "--to", number)
    assert double.stderr == (
        f"dialer: sales: callback {waiting.id} waits for this number already (dialer callbacks cancel {waiting.id})\n"
    )
    with host.daemon(_nothing):
        alone = host.run("call-test", "sales", "--to", "+442079460002", "--wait", "1")
    assert alone.stderr.startswith("dialer: sales: no agent was free within 1 s; the test is called off (see dialer")
    counts = host.with_store(lambda store: store.summary()).callbacks
    assert (counts[Status.SCHEDULED], counts[Status.CANCELLED]) == (1, 1)


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


def test_callbacks_of_a_department_that_is_gone_are_told(host: Host) -> None:
    assert host.run("submit", "-", data=requests(2, department="mornings")).returncode == 0
    host.configure(host.config.read_text().replace("[department.mornings]", "[department.early]"))
    told = [line for line in host.run("doctor").stdout.splitlines() if "mornings" in line]
    what = (
        "FAIL host: department mornings: 2 wait for a department that is not in the configuration (name it again, "
        "or cancel them: dialer callbacks list --department mornings --status scheduled)"
    )
    assert told == [what]
    with subprocess.Popen(host.command("run"), stderr=subprocess.PIPE, env=environment()) as daemon:
        assert daemon.stderr is not None
        logged = [json.loads(line) for line in _until(daemon.stderr, b"daemon.ready")]
        daemon.terminate()
    (line,) = (each for each in logged if each["event"] == "callbacks.stranded")
    assert (line["department"], line["callbacks"]) == ("mornings", 2)


def _until(stream: IO[bytes], last: bytes) -> Iterator[bytes]:
    """Lines up to the one that holds `last`."""
    for line in stream:
        yield line
        if last in line:
            return


def test_a_database_is_not_upgraded_under_a_daemon(bare: Host) -> None:
    """The daemon of the older release would go on dialling, and know nothing of what only the newer schema holds."""
    older.make(bare.database, "0002")
    before = older.dump(bare.database)
    with locate(bare.database).owned():
        refused = bare.run("db", "upgrade")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == (
            f"dialer: {bare.database}.lock: a daemon or an upgrade (process {os.getpid()}) has this database "
            "(stop it first, or use another database)\n"
        )
        assert older.dump(bare.database) == before
    assert bare.run("db", "upgrade").returncode == 0
    with locate(bare.database).owned():
        assert bare.run("db", "upgrade").stdout.endswith("is current already\n")
