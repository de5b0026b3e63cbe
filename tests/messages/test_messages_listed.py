"""`dialer messages list`, and the store's part of it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from dialer.domain.errors import IllegalState
from dialer.notify.messages import Channel, MessageKind, MessageState, Plan
from dialer.store import messages, schema
from dialer.store.messages import MessageStore
from dialer.store.store import SqlStore
from tests.cli.host import Host
from tests.messages.samples import ID, LANDLINE, MONDAY, callback, draft

PERSONAL = ("zoe@", "Smith", LANDLINE)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    made.configure()
    made.upgrade()
    made.with_store(_filled)
    return made


async def _filled(store: SqlStore) -> None:
    await store.add([callback()])
    kept = MessageStore(store)
    await kept.plan(Plan((draft(), draft(channel=Channel.SMS), draft(MessageKind.REMINDER, about=1))))
    first, second, _ = await kept.of(ID)
    await kept.settle(first, MessageState.UNKNOWN, "the server did not answer")
    await kept.settle(second, MessageState.SENT, "")


def test_messages_are_listed_without_whom_they_are_for(host: Host) -> None:
    done = host.run("messages", "list")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[1:6] for row in rows] == [
        ["waiting", "reminder", "email", ID, ""],
        ["sent", "booked", "sms", ID, ""],
        ["unknown", "booked", "email", ID, "the server did not answer"],
    ]
    assert not any(personal in done.stdout for personal in PERSONAL)


def test_as_json_and_with_whom_when_asked(host: Host) -> None:
    (record,) = map(json.loads, host.run("messages", "list", "--state", "unknown", "--json").stdout.splitlines())
    assert (record["callback_id"], record["kind"], record["state"]) == (ID, "booked", "unknown")
    assert record["promised_at"] == "2026-03-03T14:00:00.000000Z"
    assert "to" not in record
    shown = [json.loads(line)["to"] for line in host.run("messages", "list", "--json", "--who").stdout.splitlines()]
    assert shown == ["zoe@example.com", callback().visitor.phone, "zoe@example.com"]


def test_page_by_page(host: Host) -> None:
    done = host.run("messages", "list", "--limit", "2")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "dialer: there are more than 2: --limit 0 shows all\n"
    assert host.run("messages", "list", "--callback", "01KJPCZ0V8Z9W6D7V0H2M1N4QX").stdout == ""
    assert len(host.run("messages", "list", "--callback", ID, "--limit", "0").stdout.splitlines()) == 3
    assert host.run("messages", "list", "--state", "lost").returncode == 2


async def test_pages_follow_each_other(tmp_path: Path) -> None:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True, now=lambda: MONDAY) as store:
        await _filled(store)
        kept = MessageStore(store)
        first = await kept.page((), None, 2, None)
        rest = await kept.page((), None, 2, first.cursor)
        assert [each.id for each in (*first.items, *rest.items)] == [3, 2, 1]
        assert rest.cursor is None
        for cursor in ("x", "-1", "²", ""):
            with pytest.raises(IllegalState, match="never handed out"):
                await kept.page((), None, 2, cursor)


async def test_a_plan_is_written_once(tmp_path: Path) -> None:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True, now=lambda: MONDAY) as store:
        await _filled(store)
        kept = MessageStore(store)
        before = await kept.of(ID)
        await kept.plan(Plan((draft(), draft(channel=Channel.SMS)), drop=(1, 2), why="moved"))
        assert await kept.of(ID) == before, "what is settled stays, and what is there is not made again"
        await kept.plan(Plan(drop=(3,), why="moved"))
        last = (await kept.of(ID))[-1]
        assert (last.state, last.detail) == (MessageState.DROPPED, "moved")
        assert await kept.next_at(Channel.EMAIL) is None


PLANS = [
    (messages.of_callback(ID), "INDEX uq_message_callback_id_channel_kind_about"),
    (messages.due(Channel.EMAIL, MONDAY, 4), "INDEX ix_message_waiting"),
    (messages.next_at(Channel.EMAIL), "INDEX ix_message_waiting"),
    (messages.page((), None, 100, None), "SCAN message"),
    (messages.page((), None, 100, "7"), "INTEGER PRIMARY KEY"),
    (messages.page((MessageState.UNKNOWN,), None, 100, "7"), "INDEX ix_message_state_id"),
]


@pytest.mark.parametrize(("query", "way"), PLANS)
async def test_every_question_is_answered_by_an_index(tmp_path: Path, query: Any, way: str) -> None:
    await schema.upgrade(tmp_path / "dialer.db")
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with closing(sqlite3.connect(tmp_path / "dialer.db")) as connection:
        parameters = [None] * len(compiled.positiontup or ())
        plan = " / ".join(row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {compiled}", parameters))
    assert way in plan
    assert "TEMP B-TREE" not in plan or way == "INDEX uq_message_callback_id_channel_kind_about", (
        "few rows may be sorted"
    )
