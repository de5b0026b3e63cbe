"""Upgrades of databases that hold calls: what was there reads right, and to be killed in the middle harms nothing."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.domain.callback import Callback, Visitor
from dialer.domain.outcome import Outcome
from dialer.domain.stop import EVERYTHING
from dialer.store import schema
from dialer.store.columns import from_micros
from dialer.store.store import SqlStore
from dialer.store.views import Pause
from tests.contract.story import COMPLETED, callback, claim_by, ended
from tests.unit.store import older
from tests.unit.store.child import child, finished, line_of

UPGRADE_UP_TO = """
import asyncio, sys, time
from sqlalchemy import Engine, event
from dialer.store import schema
left = int(sys.argv[2])
def stop_here(_connection, _cursor, sql, *_):
    global left
    left -= sql.split()[0] in ("ALTER", "CREATE", "DROP", "UPDATE")
    if left == 0:
        print("stopped", flush=True)
        time.sleep(3600)
event.listen(Engine, "after_cursor_execute", stop_here)
asyncio.run(schema.upgrade(sys.argv[1]))
print(int(sys.argv[2]) - left)
"""
ALL = 1_000
AT = from_micros(older.AT)


@pytest.fixture(params=["0001", "0002"])
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path, revision: str) -> Path:
    path = tmp_path / "dialer.db"
    older.make(path, revision)
    return path


def test_killed_after_a_statement_nothing_has_changed_and_the_next_one_does_it_all(path: Path, revision: str) -> None:
    before = older.dump(path)
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    with child(UPGRADE_UP_TO, copy, ALL) as upgrade:
        (statements,) = map(int, finished(upgrade))
    for number in (*range(1, statements, 9), statements):
        with child(UPGRADE_UP_TO, path, number) as upgrade:
            assert line_of(upgrade) == "stopped"
            upgrade.kill()
            upgrade.wait()
        assert asyncio.run(schema.current(path)) == revision
        assert older.dump(path) == before
    asyncio.run(schema.upgrade(path))
    assert asyncio.run(schema.current(path)) == schema.REVISIONS[-1]
    assert older.dump(path) == older.dump(copy)


async def test_what_the_old_one_held_reads_right(path: Path, revision: str) -> None:
    await schema.upgrade(path)
    async with SqlStore.open(path, exclusive=True) as store:
        (attempt, running), (_, also_running) = await store.open_attempts()
        known = ("", None) if revision == "0001" else ("a database", from_micros(older.AT + 80))
        assert (attempt.pbx_identity, attempt.place_by) == known
        assert [step.name for step in attempt.timeline] == ["intent", "originate_sent"]
        assert (running.id, running.visitor.name, running.version) == (older.UNDER_WAY, "Zoë", 2)
        assert also_running.id == older.ALSO_UNDER_WAY
        (done,) = await store.attempts(older.DONE)
        assert done.verdict is not None
        assert done.verdict.talk.total_seconds() == 2.5
        assert done.verdict.rang is None
        assert len(await store.resolutions(older.DONE)) == (revision == "0002")
        assert await store.pauses() == [Pause(EVERYTHING, "ann", "lunch", AT)]


async def test_a_callback_of_the_old_one_has_nothing_of_what_is_new(path: Path) -> None:
    await schema.upgrade(path)
    async with SqlStore.open(path) as store:
        found = await store.get(older.UNDER_WAY)
    assert found is not None
    visitor = Visitor("+442079460005", "Zoë", page="https://example.com/")
    new = Callback(older.UNDER_WAY, "shop", "sales", visitor, AT, None, AT)
    assert found == replace(new, status=found.status, attempts=1, version=2)


async def test_several_attempts_of_one_agent_end_each_before_the_agent_is_rung_again(path: Path) -> None:
    """The earlier release did not rule them out, and the rule must not keep the database from being upgraded."""
    await schema.upgrade(path)
    async with SqlStore.open(path, exclusive=True, now=lambda: AT) as store:
        await store.add([callback(1)])
        claim = claim_by("anna", callback(1))
        for attempt, _ in await store.open_attempts():
            assert not await store.claim(claim)
            await store.finish(ended(attempt, Outcome.AGENT_BUSY, AT), COMPLETED)
        assert await store.claim(claim)
        assert await store.open_attempts() == [(claim.attempt, await store.get(callback(1).id))]
