"""What people change: cancel, reschedule and resolve; and who is told to have won while an attempt is under way."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dialer.cli import resolving
from dialer.cli.app import main
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.intake import changes
from dialer.settings import load
from dialer.store.store import SqlStore
from dialer.store.views import Decision
from tests.cli.host import Host
from tests.cli.seeds import WANTED, callback, claimed, ended, over


def test_cancel(host: Host, scheduled: CallbackId) -> None:
    done = host.run("callbacks", "cancel", scheduled.lower(), "--reason", "asked by phone")
    assert (done.returncode, done.stdout) == (0, f"{scheduled}  cancelled\n")
    record = json.loads(host.run("callbacks", "show", "--json", scheduled).stdout)
    assert (record["status"], record["reason"]) == (Status.CANCELLED, "asked by phone")
    again = host.run("callbacks", "cancel", scheduled)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"dialer: {scheduled}: a callback that is cancelled can no longer be cancelled\n"


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, "cancelled"), ("duplicate", "duplicate."), ("07400123456", "07400123456."), ("Duplicate", "Duplicate")],
)
def test_a_person_s_word_does_not_pass_for_one_of_the_dialer_s_own(
    host: Host, scheduled: CallbackId, given: str | None, kept: str
) -> None:
    """Whoever listens for outcomes is told the dialer's own words, and of a person's only that there are some."""
    assert host.run("callbacks", "cancel", scheduled, *(("--reason", given) if given else ())).returncode == 0
    assert host.stored(scheduled).reason == kept


def test_who_won_is_told_when_an_attempt_is_under_way(host: Host, under_way: Attempt) -> None:
    id_ = under_way.callback_id
    with host.daemon(partial(SqlStore.too_late, callback=id_)):
        late = host.run("callbacks", "cancel", id_, "--reason", "asked by phone")
    assert (late.returncode, late.stdout) == (1, "")
    assert late.stderr == (
        f"dialer: {id_}: too late: the customer is being called; it holds for what comes after this call"
        f" (see: dialer callbacks show {id_})\n"
    )
    assert (
        "next        an attempt is under way, too far to be stopped; after it the callback is cancelled"
        " (asked by phone)\n"
    ) in host.run("callbacks", "show", id_).stdout
    again = host.run("callbacks", "cancel", "--json", id_)
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    assert json.loads(again.stdout)["answer"] == "too_late"
    host.with_store(partial(over, living=under_way, outcome=Outcome.CUSTOMER_BUSY))
    assert host.stored(id_).status is Status.CANCELLED


def test_an_attempt_that_is_stopped_in_time_leaves_its_callback_cancelled(host: Host, under_way: Attempt) -> None:
    with host.daemon(partial(over, living=under_way, outcome=Outcome.CANCELLED)):
        done = host.run("callbacks", "cancel", under_way.callback_id, "--reason", "asked by phone")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{under_way.callback_id}  cancelled\n", "")
    assert host.stored(under_way.callback_id).reason == "asked by phone"


def test_a_call_that_came_through_came_first(host: Host, under_way: Attempt) -> None:
    id_ = under_way.callback_id
    with host.daemon(partial(over, living=under_way, outcome=Outcome.CONNECTED, status=Status.COMPLETED)):
        done = host.run("callbacks", "reschedule", id_, "--at", WANTED.isoformat())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"dialer: {id_}: too late: by now it is completed: again after connected (see: dialer callbacks show {id_})\n"
    )


def test_without_a_daemon_it_is_undecided(
    host: Host, under_way: Attempt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(changes, "Waiting", partial(changes.Waiting, patience=0.2))
    later, id_ = WANTED + timedelta(hours=1), under_way.callback_id
    assert main(["--config", str(host.config), "callbacks", "reschedule", id_, "--at", later.isoformat()]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"dialer: {id_}: undecided: no daemon answered; it is noted, and holds as soon as one runs"
        f" (see: dialer callbacks show {id_})\n"
    )
    assert f"an attempt is under way; the callback is being moved to {later:%Y-%m-%dT%H:%M:%SZ}\n" in (
        host.run("callbacks", "show", id_).stdout
    )


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
        assert refused.stderr.startswith("dialer: at: ")
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


def test_a_callback_moved_into_a_window_keeps_its_end(host: Host, scheduled: CallbackId) -> None:
    until = WANTED + timedelta(hours=2)
    done = host.run("callbacks", "reschedule", scheduled, "--at", WANTED.isoformat(), "--until", until.isoformat())
    assert (done.returncode, done.stderr) == (0, "")
    assert host.stored(scheduled).expires_at == until
    before = host.run("callbacks", "reschedule", scheduled, "--at", until.isoformat(), "--until", WANTED.isoformat())
    assert (before.returncode, before.stdout) == (1, "")
    assert before.stderr == ("dialer: until: the window ends before it begins (give a time after the beginning)\n")


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


def test_what_was_to_be_cancelled_is_not_tried_again(host: Host, under_way: Attempt) -> None:
    """Whatever became of its attempt: somebody wished that there is no other."""
    id_ = under_way.callback_id
    host.with_store(partial(SqlStore.cancel, id_=id_, reason="asked by phone"))
    host.with_store(partial(over, living=under_way, outcome=Outcome.IN_DOUBT, status=Status.NEEDS_REVIEW))
    assert "it was to be cancelled (asked by phone)" in host.run("callbacks", "show", id_).stdout
    host.configure(host.config.read_text().replace("[pbx.main]", "[pbx.other]"))
    refused = host.run("callbacks", "resolve", id_, "--as", "retry", "--reason", "again", "--force")
    assert refused.returncode == 1
    assert refused.stderr == f"dialer: {id_}: not tried again: somebody asked to cancel it (resolve it as failed)\n"
    assert host.run("callbacks", "resolve", id_, "--as", "failed", "--reason", "as asked").returncode == 0


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


def test_a_number_whose_holder_objected_is_not_tried_again(host: Host, under_way: Attempt) -> None:
    id_ = under_way.callback_id
    number = host.stored(id_).visitor.phone
    host.with_store(partial(SqlStore.object_to, number=number, who="sam", why="they wrote"))
    host.with_store(partial(over, living=under_way, outcome=Outcome.IN_DOUBT, status=Status.NEEDS_REVIEW))
    refused = host.run("callbacks", "resolve", id_, "--as", "retry", "--reason", "again", "--force")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"dialer: {id_}: not tried again: its number is on the do-not-call list, or was: whoever has it objected"
        " (resolve it as failed)\n"
    )
    assert host.stored(id_).status is Status.NEEDS_REVIEW
    assert host.run("callbacks", "resolve", id_, "--as", "failed", "--reason", "they said no").returncode == 0


async def _decided(store: SqlStore, of: Callback) -> None:
    await store.resolve(of, Decision.FAILED, "ann", "gone")


async def _objected(store: SqlStore, of: Callback) -> None:
    await store.object_to(of.visitor.phone, "ann", "asked by phone")


async def _in_doubt_again(store: SqlStore, of: Callback) -> None:
    again = await store.resolve(of, Decision.RETRY, "ann", "they asked")
    await over(store, await claimed(store, again), Outcome.IN_DOUBT, Status.NEEDS_REVIEW)


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (_decided, r"it was decided meanwhile: failed, failed by ann: gone \(see: dialer callbacks show "),
        (_objected, "not tried again: its number is on the do-not-call list"),
        (_in_doubt_again, r"it changed meanwhile \(look at it again\)"),
    ],
    ids=["decided", "objection", "in doubt again"],
)
def test_what_happened_while_a_person_made_up_their_mind_is_told(
    host: Host, happens: Callable[[SqlStore, Callback], Awaitable[None]], told: str
) -> None:
    made = callback()
    host.with_store(partial(ended, of=made, outcome=Outcome.IN_DOUBT, detail="cut off"))
    host.configure(host.config.read_text().replace("[pbx.main]", "[pbx.other]"))
    seen, settings = host.stored(made.id), load(host.config)
    host.with_store(lambda store: happens(store, seen))
    request = resolving.Request(Decision.RETRY, "again", force=True, as_json=True)
    with pytest.raises(IllegalState, match=told):
        host.with_store(lambda store: resolving.resolve(store, settings, seen, request))
