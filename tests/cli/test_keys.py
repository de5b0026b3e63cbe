"""Keys of the API on the command line."""

import contextlib
import json
import re
import sqlite3

from dialer.intake.keys import hash_of, is_token, new_token
from tests.cli.host import Host

TOKEN = r"mi_[0-9A-Za-z]{43}"


def made(host: Host, *more: str) -> str:
    done = host.run("key", "make", "--site", "shop", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def test_a_key_is_shown_once_and_kept_as_its_hash(host: Host) -> None:
    done = host.run("key", "make", "--site", "shop", "--scope", "read,submit", "--note", "back end")
    assert re.fullmatch(TOKEN, done.stdout.removesuffix("\n"))
    assert done.stderr == "dialer: key 1 of site shop may read, submit; keep it now, it is not shown again\n"
    with contextlib.closing(sqlite3.connect(host.database)) as store:
        dump = "\n".join(store.iterdump())
    token = done.stdout.strip()
    assert token not in dump
    assert token[11:] not in dump
    assert hash_of(token) in dump
    assert token not in host.run("key", "list", "--json").stdout


def test_keys_are_listed_and_revoked(host: Host) -> None:
    tokens = [made(host), made(host, "--scope", "manage", "--note", "desk [red]")]
    assert host.run("key", "revoke", "1").stdout == "key 1 opens nothing any more\n"
    rows = [line.split("\t") for line in host.run("key", "list").stdout.splitlines()]
    assert [row[:4] for row in rows] == [
        ["1", "shop", tokens[0][:11], "submit"],
        ["2", "shop", tokens[1][:11], "manage"],
    ]
    assert rows[0][4].startswith("revoked 20")
    assert rows[1][4:7] == ["in force", "never", "desk [red]"]
    records = [json.loads(line) for line in host.run("key", "list", "--json", "--site", "shop").stdout.splitlines()]
    assert [(each["id"], each["scopes"], each["last_used_at"]) for each in records] == [
        (1, ["submit"], None),
        (2, ["manage"], None),
    ]
    assert records[0]["revoked_at"]
    assert not records[1]["revoked_at"]
    assert host.run("key", "revoke", "1").returncode == 1


def test_a_narrow_terminal_gets_a_block_for_each(host: Host) -> None:
    token = made(host)
    wide, narrow = (host.at_terminal(columns, "key", "list") for columns in (200, 40))
    assert "begins" in wide.splitlines()[0]
    assert token[:11] in narrow
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in narrow.splitlines()) <= 40


def test_what_cannot_be_made_or_revoked(host: Host) -> None:
    for arguments, says, code in (
        (("make", "--site", "other"), "no such site; known are shop", 2),
        (("make", "--site", "shop", "--scope", "all"), "known are submit, read, manage", 2),
        (("make", "--site", "shop", "--note", "a\x1b[31m"), "control character", 2),
        (("make",), "--site", 2),
        (("revoke", "7"), "key 7: there is no such key in force (see: dialer key list)", 1),
        (("revoke", "99999999999999999999"), "less than or equal", 2),
    ):
        done = host.run("key", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_no_two_keys_are_alike_and_what_is_none_is_known() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(TOKEN, token) and is_token(token) for token in tokens)
    one = new_token()
    for wrong in ("", "mi_", one[:-1], one + "0", "MI_" + one[3:], one[3:], one[:-1] + "-", one[:-1] + "é", f" {one}"):
        assert not is_token(wrong)
