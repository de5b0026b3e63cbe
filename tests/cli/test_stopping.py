"""What people stop: pauses, and the do-not-call list."""

import getpass
import json
import os
import re
import signal
import subprocess

import pytest

from dialer.cli.host import who
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import Scope, Stop
from dialer.store.store import SqlStore
from tests.cli.host import CONFIG, TIMEOUT, Host, environment
from tests.cli.seeds import callback, claimed, over


def test_pause_and_resume(host: Host) -> None:
    done = host.run("pause", "--reason", "fire [red]drill\x1b")
    assert re.fullmatch(r"everything is paused since \S+Z by \S+: fire \[red\]drill␛\n", done.stdout)
    assert "everything is paused since" in host.run("callbacks", "list").stderr
    second = json.loads(host.run("pause", "--reason", "another", "--json").stdout)
    assert (second["scope"], second["key"], second["why"]) == ("everything", "", "fire [red]drill\x1b")
    assert host.run("resume").stdout == "everything is resumed\n"
    assert json.loads(host.run("resume", "--json").stdout) == {
        "paused": False,
        "scope": "everything",
        "key": "",
        "changed": False,
    }
    assert host.run("callbacks", "list").stderr == ""


def test_each_thing_is_paused_for_itself(host: Host, scheduled: CallbackId) -> None:
    things = {"account": "default", "department": "sales", "trunk": "carrier", "agent": "anna"}
    for scope, key in things.items():
        done = host.run("pause", f"--{scope}", key, "--reason", "a test")
        assert re.fullmatch(rf"{scope} {key} is paused since \S+Z by \S+: a test\n", done.stdout)
    listed = [line.split("\t") for line in host.run("pauses").stdout.splitlines()]
    assert {row[0] for row in listed} == {f"{scope} {key}" for scope, key in things.items()}
    assert {row[3] for row in listed} == {"a test"}
    records = [json.loads(line) for line in host.run("pauses", "--json").stdout.splitlines()]
    assert {record["scope"]: record["key"] for record in records} == things
    told = host.run("callbacks", "list").stderr.splitlines()
    assert len(told) == 4
    assert told[3] == "dialer: and 1 more; see: dialer pauses"
    shown = host.run("callbacks", "show", scheduled).stdout
    assert "; waits: account default is paused by " in shown
    assert all(f"{scope} {key} is paused by " in shown for scope, key in things.items())
    for scope, key in things.items():
        lifted = host.run("resume", f"--{scope}", key)
        assert lifted.stdout == f"{scope} {key} is resumed\n"
        assert (f"{scope} {key}" in lifted.stderr, lifted.stderr.startswith("dialer: still paused: ")) == (
            False,
            scope != "agent",
        )
    assert host.run("pauses").stdout == ""
    assert host.run("resume", "--agent", "anna").stdout == "agent anna was not paused\n"


def test_whoever_has_no_name_on_the_host_is_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert who() == getpass.getuser()
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    assert who() == f"uid {2**31 - 7}"


def test_what_the_daemon_itself_paused_is_alerted_to_again_by_its_next_life(host: Host) -> None:
    host.configure(CONFIG.replace("[pbx.main]", 'metrics_file = "dialer.prom"\n[pbx.main]\nport = 9'))
    host.with_store(lambda store: store.pause(Stop(Scope.AGENT, "anna"), "dialer", "nobody answered"))
    host.with_store(lambda store: store.pause(Stop(Scope.DEPARTMENT, "sales"), "dialer", "a user of that name"))
    metrics = host.folder / "dialer.prom"
    with subprocess.Popen(host.command("run"), stderr=subprocess.PIPE, text=True, env=environment()) as daemon:
        try:
            assert daemon.stderr is not None
            said = (json.loads(line) for line in daemon.stderr)
            told = next(line for line in said if line["event"] == "alert.raised")
            assert (told["kind"], told["key"], told["what"]) == (
                "agent_paused",
                "anna",
                "agent anna is paused: nobody answered",
            )
            next(line for line in said if line["event"] == "daemon.ready")
            assert 'key="anna"' in metrics.read_text()
            assert host.run("resume", "--agent", "anna").returncode == 0
            assert next(line for line in said if line["event"] in {"alert.cleared", "alert.raised"})["key"] == "anna"
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(TIMEOUT) == 0
        finally:
            daemon.kill()
    assert 'key="anna"' not in metrics.read_text()


def test_what_left_the_configuration_can_still_be_resumed(host: Host) -> None:
    host.run("pause", "--department", "sales")
    host.configure(host.config.read_text().replace("[department.sales]", "[department.sellers]"))
    assert host.run("resume", "--department", "sales").stdout == "department sales is resumed\n"
    refused = host.run("resume", "--department", "sales")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "there is no department sales; known are mornings, sellers" in refused.stderr


def test_the_do_not_call_list(host: Host) -> None:
    number, other = "+442079460001", "+442079460002"
    waiting = [callback(number=number), callback(number=number), callback(number=other)]
    host.with_store(lambda store: store.add(waiting))
    done = host.run("do-not-call", "add", "020 7946 0001", "--reason", "asked by post")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{number} is never called; rejected 2 waiting\n"
    assert [host.stored(each.id).status for each in waiting] == [Status.REJECTED, Status.REJECTED, Status.SCHEDULED]
    (row,) = (line.split("\t") for line in host.run("do-not-call", "list").stdout.splitlines())
    assert (row[0], row[3]) == (number, "asked by post")
    (record,) = (json.loads(line) for line in host.run("do-not-call", "list", "--json").stdout.splitlines())
    assert (record["number"], record["why"]) == (number, "asked by post")
    refused = host.run("submit", "--department", "sales", "--phone", "020 7946 0001")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "dialer: phone: whoever has this number does not want to be called (give another number)\n"
    assert host.run("do-not-call", "remove", "0033 7946 0001", "--region", "FR").returncode == 1
    assert host.run("do-not-call", "remove", number).stdout == f"{number} may be called again\n"
    assert json.loads(host.run("do-not-call", "remove", number, "--json").stdout) == {
        "number": number,
        "removed": False,
    }
    assert host.run("submit", "--department", "sales", "--phone", "020 7946 0001").returncode == 0


def test_a_number_that_no_other_user_of_the_host_sees(host: Host) -> None:
    """Whoever lists processes, or reads a shell's history, sees what stands on a command line."""
    number = "+442079460003"
    done = host.run("do-not-call", "add", "-", "--reason", "asked by post", data="020 7946 0003\n")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{number} is never called; rejected 0 waiting\n")
    assert host.run("do-not-call", "remove", "-", data=number).stdout == f"{number} may be called again\n"
    for nothing in (b"", b"\n", b"\xff\xfe\n", b"0" * 1000):
        done = host.run("do-not-call", "add", "-", "--reason", "asked by post", data=nothing)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("dialer: phone: ")


def test_an_objection_tells_which_calls_were_stopped_and_which_came_too_late(host: Host) -> None:
    calls = [callback(number="+442079460001") for _ in range(2)]

    async def seed(store: SqlStore) -> list[Attempt]:
        await store.add(calls)
        return [await claimed(store, each, agent) for each, agent in zip(calls, ("anna", "ben"), strict=True)]

    stopped, late = host.with_store(seed)

    async def answer(store: SqlStore) -> None:
        await over(store, stopped, Outcome.CANCELLED)
        await store.too_late(late.callback_id)

    with host.daemon(answer):
        done = host.run("do-not-call", "add", "+442079460001", "--reason", "asked by phone")
    assert done.returncode == 0
    assert done.stdout == "+442079460001 is never called; rejected 0 waiting; stopped 1 of 2 in progress\n"
    assert done.stderr == (
        f"dialer: {late.callback_id}: too late: the customer is being called; it holds for what comes after this call\n"
    )
    shown = host.run("callbacks", "show", late.callback_id).stdout
    assert "too far to be stopped; after it the callback is ended, because its number is not to be called\n" in shown
    as_json = json.loads(host.run("do-not-call", "add", "+442079460001", "--reason", "again", "--json").stdout)
    assert as_json["in_progress"] == [{"id": late.callback_id, "answer": "too_late", "status": "in_progress"}]


def test_a_pause_names_the_person_behind_sudo(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "maria.ops")
    assert json.loads(host.run("pause", "--json").stdout)["who"] == "maria.ops"
