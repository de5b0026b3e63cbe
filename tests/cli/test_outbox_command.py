"""`dialer outbox`: what waits and what was given up, at a terminal, in a pipe and for programs; told again by hand."""

import json
from typing import Any

import pytest

from dialer.domain.ids import CallbackId
from dialer.notify.outbox import Subscriber
from dialer.store.outbox import SqlOutbox
from dialer.store.store import SqlStore, utc_now
from tests.cli.host import CONFIG, Host
from tests.cli.seeds import callback

WEBHOOK = """
[webhook.crm]
url = "https://hooks.example.com/callbacks?key=s3cret"
site = "shop"
secrets_file = "crm.secrets"
"""
GOOD = "whsec_bm90IGEgc2VjcmV0IGF0IGFsbCwgYSB0ZXN0J3M="


async def seed(store: SqlStore, names: tuple[str, ...] = ("webhook:crm", "webhook:erp")) -> CallbackId:
    """A callback that was accepted and cancelled: the first of that is dead for the CRM, all else waits."""
    outbox = SqlOutbox(store)
    await outbox.subscribe([Subscriber(name) for name in names])
    made = callback()
    await store.add([made])
    await store.cancel(made.id, "asked_to")
    (first,) = await outbox.ready("webhook:crm", utc_now(), 9)
    await outbox.give_up(first, "it answered 410\x1b[31m")
    return made.id


async def nothing(store: SqlStore) -> None:
    """A daemon that hears, and is done."""


def listed(host: Host, *more: str) -> list[dict[str, Any]]:
    done = host.run("outbox", "list", "--json", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_waits_and_what_was_given_up_is_listed(host: Host) -> None:
    id_ = host.with_store(seed)
    records = sorted(listed(host), key=lambda each: (each["version"], each["subscriber"]))
    assert [(each["subscriber"], each["state"]) for each in records] == [
        *(("webhook:crm", "dead"), ("webhook:erp", "waiting"), ("webhook:crm", "waiting"), ("webhook:erp", "waiting")),
    ]
    assert {each["callback_id"] for each in records} == {id_}
    assert records[0]["next_try_at"] is None
    assert records[2]["next_try_at"] == records[2]["since"]
    assert [each["version"] for each in listed(host, "--subscriber", "webhook:crm")] == [1, 2]
    assert [each["subscriber"] for each in listed(host, "--state", "dead")] == ["webhook:crm"]
    assert listed(host, "--subscriber", "nobody") == []


def test_a_pipe_gets_tabs_and_a_terminal_a_table_and_neither_is_steered(host: Host) -> None:
    host.with_store(seed)
    piped = host.run("outbox", "list", "--limit", "1", "--subscriber", "webhook:crm")
    assert piped.stderr == "dialer: there are more than 1: --limit 0 shows all\n"
    cells = piped.stdout.rstrip("\n").split("\t")
    assert (cells[1], cells[2], cells[4], cells[5]) == ("webhook:crm", "dead", "scheduled", "1")
    assert cells[8] == "it answered 410\N{SYMBOL FOR ESCAPE}[31m"
    shown = host.at_terminal(200, "outbox", "list")
    assert "next try" in shown
    assert "\x1b[31m" not in shown


def test_one_is_shown_whole(host: Host) -> None:
    id_ = host.with_store(seed)
    first = listed(host, "--subscriber", "webhook:crm")[0]["id"]
    shown = host.run("outbox", "show", str(first)).stdout
    assert f"{id_}-1" in shown
    assert "Maria" not in shown
    assert "+44" not in shown
    record = json.loads(host.run("outbox", "show", str(first), "--json").stdout)
    assert (record["event_id"], record["status"], record["previous"]) == (f"{id_}-1", "scheduled", None)
    missing = host.run("outbox", "show", "4711")
    assert (missing.returncode, missing.stderr) == (1, "dialer: 4711: there is no such delivery\n")


def test_told_again_by_hand_and_the_daemon_hears_of_it(host: Host) -> None:
    host.with_store(seed)
    dead, waiting = (str(each["id"]) for each in listed(host, "--subscriber", "webhook:crm"))
    with host.daemon(nothing):
        done = host.run("outbox", "retry", dead)
    assert (done.returncode, done.stdout) == (0, f"{dead} is told again to webhook:crm\n")
    assert {each["state"] for each in listed(host)} == {"waiting"}
    assert json.loads(host.run("outbox", "retry", waiting, "--json").stdout)["state"] == "waiting"


def test_all_of_a_subscriber_told_again(host: Host) -> None:
    host.with_store(seed)
    done = host.run("outbox", "retry", "--all", "--subscriber", "webhook:crm")
    assert (done.returncode, done.stdout) == (0, "1 deliveries are told again to webhook:crm\n")
    record = json.loads(host.run("outbox", "retry", "--all", "--subscriber", "webhook:crm", "--json").stdout)
    assert record == {"subscriber": "webhook:crm", "retried": 0}
    gone = host.run("outbox", "retry", "--all", "--subscriber", "webhook:gone")
    assert gone.returncode == 1
    assert "webhook:gone is not told of anything any more" in gone.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *(("retry",), ("retry", "--all"), ("retry", "7", "--all"), ("retry", "--subscriber", "x"), ("retry", "0")),
        *(("list", "--state", "delivered"), ("list", "--state", "odd"), ("show", "x"), ("show", "-1")),
    ],
)
def test_what_makes_no_sense_is_refused(host: Host, arguments: tuple[str, ...]) -> None:
    done = host.run("outbox", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_number_that_no_database_has(host: Host) -> None:
    done = host.run("outbox", "show", "9" * 30)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


class TestSecrets:
    def test_the_daemon_does_not_start_without_them(self, host: Host) -> None:
        host.configure(CONFIG + WEBHOOK)
        checked, done = host.run("check"), host.run("run")
        assert (checked.returncode, checked.stderr) == (2, f"{done.stderr.splitlines()[-1]}\n")
        assert done.returncode == 2
        assert "webhook.crm.secrets_file: cannot read" in done.stderr.splitlines()[-1]

    @pytest.mark.parametrize("content", ["", "\n\n", "whsec_", "whsec_dG9vIHNob3J0", f"{GOOD}\nnot one\n", "\xff"])
    def test_nor_with_ones_that_sign_nothing(self, host: Host, content: str) -> None:
        host.configure(CONFIG + WEBHOOK)
        (host.folder / "crm.secrets").write_bytes(content.encode("latin-1"))
        done = host.run("run")
        last = done.stderr.splitlines()[-1]
        assert done.returncode == 2
        assert "webhook.crm.secrets_file" in last
        assert "not one" not in last
        assert "dG9v" not in last
