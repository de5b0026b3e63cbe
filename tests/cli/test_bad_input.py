"""Whatever is given, the answer is one line on stderr: what, where and the remedy; the exit code says which."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dialer.store.schema import REVISIONS
from tests.cli.host import CONFIG, Host, requests

FAR = (datetime.now(UTC) + timedelta(days=3650)).isoformat()
SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def changed(old: str, new: str) -> str:
    assert CONFIG.count(old) >= 1
    return CONFIG.replace(old, new, 1)


CONFIGURATIONS = {
    "unknown key": (changed('name = "Anna"', 'nmae = "Anna"\nname = "Anna"'), "agent.anna.nmae", "did you mean name?"),
    "unknown table": (f"{CONFIG}\n[departmnt.x]\n", "departmnt: unknown key", "known are"),
    "bad time": (changed('["00:00-24:00"]', '["09:00-25:00"]'), "department.sales.hours", "write it like"),
    "agent in no department": (f'{CONFIG}\n[agent.ben]\nname = "Ben"\nendpoint = "PJSIP/ben"\n', "agent.ben", "list"),
    "unknown agent": (changed('agents = ["anna"]', 'agents = ["anna", "zoe"]'), "there is no agent zoe", "add [agent"),
    "bad caller id": (changed("+44 20 7946 0123", "+44 20 123"), "department.sales.caller_id", "called back"),
    "two secrets": (changed('secret = "s', 'secret_file = "x"\nsecret = "s'), "more than one secret", "give one of"),
    "an agent twice": (f'{CONFIG}\n[agent.anna]\nname = "A"\nendpoint = "PJSIP/a"\n', "not TOML", "correct that line"),
    "not TOML": ("[daemon\n", "not TOML", "correct that line"),
    "empty": ("", "is missing", "add it"),
}


@pytest.mark.parametrize(("text", "what", "remedy"), CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_a_bad_configuration(bare: Host, text: str, what: str, remedy: str) -> None:
    bare.configure(text)
    done = bare.run("check")
    line = one_line(done.stderr)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(bare.config) in line
    assert what in line
    assert remedy in line.rpartition("(")[2]
    assert "s3cret" not in line


def test_the_daemon_starts_nothing_on_a_bad_configuration(bare: Host) -> None:
    bare.configure(CONFIGURATIONS["unknown key"][0])
    done = bare.run("run")
    assert done.returncode == 2
    assert "agent.anna.nmae" in one_line(done.stderr)
    assert not bare.database.exists()


def test_a_configuration_that_is_not_there(bare: Host) -> None:
    bare.config.unlink()
    done = bare.run("check")
    assert done.returncode == 2
    assert one_line(done.stderr) == (
        f"dialer: {bare.config}: cannot be read: No such file or directory (check the path and its permissions)"
    )


RESOLVE = ("callbacks", "resolve", "X", "--as", "failed", "--reason")
USAGE = {
    "no command": ((), "missing command (see: dialer --help)"),
    "unknown command": (("cals",), "no such command 'cals'. Did you mean 'calls'"),
    "unknown option": (("calls", "--sinc", "x"), "no such option: --sinc"),
    "not a time": (("calls", "--since", "soon"), "'--since': not an ISO 8601 time, such as 2030-05-17"),
    "not a status": (("callbacks", "list", "--status", "open"), "'open' is not one of 'scheduled', 'in_progress'"),
    "negative limit": (("callbacks", "list", "--limit", "-1"), "'--limit': Input should be greater than or equal to 0"),
    "two forms": (("calls", "--json", "--csv"), "give --json or --csv (see: dialer calls --help)"),
    "nothing to submit": (("submit",), "give the fields of one request as options, or a FILE"),
    "two sources": (("submit", "-", "--phone", "1"), "give the fields of one request as options, or a FILE"),
    "no such file": (("submit", "/nowhere/x.jsonl"), "/nowhere/x.jsonl: No such file or directory"),
    "no id": (("callbacks", "show"), "missing argument 'ID'"),
    "no decision": (("callbacks", "resolve", "X", "--reason", "x"), "missing option '--as'"),
    "no reason": (("callbacks", "resolve", "X", "--as", "failed"), "missing option '--reason'"),
    "not a decision": ((*RESOLVE, "x", "--as", "done"), "'done' is not one of 'completed', 'retry', 'failed'"),
    "empty reason": ((*RESOLVE, " "), "'--reason': empty; say why in a few words"),
    "huge reason": ((*RESOLVE, "x" * 100_000), "'--reason': longer than 200 characters"),
    "two lines of reason": ((*RESOLVE, "x\r\nAction: y"), "'--reason': holds a line break or another control"),
    "half a character": ((*RESOLVE, "x\udcff"), "'--reason': holds half a character"),
    "a reason to cancel": (("callbacks", "cancel", "X", "--reason", "\x1b[31m"), "'--reason': holds a line break"),
    "no time to move to": (("callbacks", "reschedule", "X"), "missing option '--at'"),
    "two things to pause": (("pause", "--trunk", "carrier", "--agent", "anna"), "give one of --account, --department,"),
    "two things to resume": (("resume", "--account", "x", "--department", "sales"), "give one of --account,"),
    "no such department": (("pause", "--department", "x"), "there is no department x; known are mornings, sales (see"),
    "no such account": (("pause", "--account", "acme"), "there is no account acme; known are default (see"),
    "no such trunk": (("pause", "--trunk", ""), "there is no trunk; known are carrier (see"),
    "no such agent": (("resume", "--agent", "\x1b[31m"), "there is no agent ␛[31m; known are anna (see"),
    "no number": (("do-not-call", "add", "--reason", "x"), "missing argument 'NUMBER'"),
    "no reason not to call": (("do-not-call", "add", "020 7946 0001"), "missing option '--reason'"),
    "no such region": (("do-not-call", "remove", "020 7946 0001", "--region", "UK"), "'--region': no such region"),
}


@pytest.mark.parametrize(("arguments", "what"), USAGE.values(), ids=USAGE.keys())
def test_bad_usage(host: Host, arguments: tuple[str, ...], what: str) -> None:
    done = host.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert what in one_line(done.stderr)
    assert "(see: dialer" in done.stderr


NUMBERS = {
    "a drama mobile": ("07700 900123", "phone: not a number in use"),
    "a word": ("Maria", "phone: not a phone number"),
    "two numbers": ("020 7946 0001 or 020 7946 0002", "phone: "),
    "a short code": ("101", "phone: a short code"),
    "digits without end": ("0" * 10_000, "phone: the number is too long"),
    "an extension": ("00 33 1 42 68 53 00 ext 5", "phone: the number has an extension"),
}


@pytest.mark.parametrize("command", [("add", "--reason", "x"), ("remove",)])
@pytest.mark.parametrize(("number", "what"), NUMBERS.values(), ids=NUMBERS.keys())
def test_what_is_no_number_is_neither_listed_nor_removed(
    host: Host, command: tuple[str, ...], number: str, what: str
) -> None:
    done = host.run("do-not-call", *command, number)
    assert (done.returncode, done.stdout) == (1, "")
    assert one_line(done.stderr).startswith(f"dialer: {what}")
    assert host.run("do-not-call", "list").stdout == ""


REQUESTS: dict[str, tuple[dict[str, object], str]] = {
    "premium": ({"phone": "0909 879 0000"}, "phone: a premium rate number (give a landline or mobile number)"),
    "foreign": ({"phone": "+33 1 42 68 53 00"}, "phone: the number's country or territory is not allowed"),
    "short": ({"phone": "101"}, "phone: "),
    "emergency": ({"phone": "999"}, "phone: an emergency number (give the visitor's own number)"),
    "drama mobile": ({"phone": "07700 900123"}, "phone: not a number in use"),
    "no number": ({"phone": ""}, "phone: missing or empty (send it)"),
    "unknown department": ({"department": "purchase"}, "department: no such department (give a department's id)"),
    "past": ({"at": "2001-01-01T10:00"}, "at: the time is past (give a later time, or none for now)"),
    "ten years ahead": ({"at": FAR}, "at: more than 365 days ahead (give an earlier time)"),
    "an end without a beginning": (
        {"until": FAR},
        "at: the window has an end and no beginning (say from when on, too)",
    ),
    "a window that ends first": ({"at": SOON, "until": SOON}, "until: the window ends before it begins (give a time"),
    "no address": ({"address": "::1\u0661"}, "address: not an IP address (send the visitor's own address or leave"),
    "no time": ({"at": "tea time"}, "at: not an ISO 8601 time (for example"),
    "1 MB message": ({"message": "x" * (1 << 20)}, "longer than 64 KiB (send less)"),
    "long message": ({"message": "x" * 5000}, "message: longer than 4000 characters (shorten it)"),
    "control characters": ({"name": "Maria\r\nAction: Command"}, "name: holds a line break or another control"),
    "an id of its own": ({"id": "01M80QRN4C0FR9NPAJSX53XXS1"}, "holds an unknown field (known are department,"),
    "not a text": ({"name": 7}, "name: not a text (send a JSON string)"),
}
GOOD = {"department": "sales", "phone": "020 7946 0001"}


def test_refused_requests_are_told_by_line_and_the_rest_is_accepted(host: Host) -> None:
    bad = [json.dumps({**GOOD, **fields}) for fields, _ in REQUESTS.values()]
    broken = ["{oops", "[1]", '{"department":"sales","department":"sales","phone":"020 7946 0001"}', '{"name":NaN}']
    first_, second, third = requests(3).splitlines()
    done = host.run("submit", "-", data="\n".join([first_, *bad, second, *broken, "", third]))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    told = done.stderr.splitlines()
    assert len(told) == len(bad) + len(broken)
    for number, (line, (_, what)) in enumerate(zip(told, REQUESTS.values(), strict=False), start=2):
        assert line.startswith(f"dialer: line {number}: {what}" if "64 KiB" not in what else f"dialer: line {number}: ")
        assert what in line
    first = len(bad) + 3
    for number, (line, what) in enumerate(
        zip(told[len(bad) :], ("not JSON", "not a JSON object", "twice", "NaN"), strict=True), start=first
    ):
        assert line.startswith(f"dialer: line {number}: ")
        assert what in line
    assert "Maria" not in done.stderr
    assert len(host.run("callbacks", "list").stdout.splitlines()) == 3


@pytest.mark.parametrize("case", ["premium", "unknown department", "past"])
def test_one_refused_request_is_one_line(host: Host, case: str) -> None:
    fields, what = REQUESTS[case]
    options = [part for key, value in {**GOOD, **fields}.items() for part in (f"--{key}", str(value))]
    done = host.run("submit", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert one_line(done.stderr).startswith(f"dialer: {what}")


def older(host: Host) -> None:
    with sqlite3.connect(host.database) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def gone(host: Host) -> None:
    host.database.unlink()


def rubbish(host: Host) -> None:
    host.database.write_bytes(b"no database at all, but long enough to be looked at" * 100)


STORES: dict[str, tuple[Callable[[Host], None], str]] = {
    "gone": (gone, "the database is missing or empty (run: dialer db upgrade)"),
    "another schema": (
        older,
        f"the database's schema 9999 is newer than this program's {REVISIONS[-1]} (upgrade this program",
    ),
    "rubbish": (rubbish, "the file is not a database (name another file, or restore the last backup)"),
}


@pytest.mark.parametrize(("spoil", "what"), STORES.values(), ids=STORES.keys())
@pytest.mark.parametrize("arguments", [("calls",), ("submit", "--department", "sales", "--phone", "020 7946 0001")])
def test_a_store_that_cannot_be_used(
    host: Host, arguments: tuple[str, ...], spoil: Callable[[Host], None], what: str
) -> None:
    spoil(host)
    done = host.run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{host.database}: {what}" in one_line(done.stderr)


def test_a_locked_store_says_from_which_line_to_go_on(host: Host) -> None:
    with sqlite3.connect(host.database) as other:
        other.execute("BEGIN IMMEDIATE")
        done = host.run("submit", "-", data="\n" + json.dumps(GOOD))
    assert done.returncode == 1
    assert one_line(done.stderr) == (
        f"dialer: {host.database}: another process keeps the database locked; nothing from line 2 on was stored"
        " (find it with: fuser -v <database>)"
    )


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    assert line.startswith("dialer: ")
    return line
