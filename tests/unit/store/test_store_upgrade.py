"""An upgrade that is cut off: a database of schema 0001 that holds calls, and a process killed in the middle."""

import asyncio
from pathlib import Path

import pytest

from dialer.store import schema
from dialer.store.store import SqlStore
from tests.unit.store import older
from tests.unit.store.child import child, line_of

UPGRADE_UP_TO = """
import asyncio, sys, time
from sqlalchemy import Engine, event
from dialer.store import schema
left = int(sys.argv[2])
def stop_here(_connection, _cursor, sql, *_):
    global left
    verb, *more = sql.split()
    left -= verb in ("ALTER", "CREATE", "UPDATE")
    if left == 0:
        print(verb, *more[:1], flush=True)
        time.sleep(3600)
event.listen(Engine, "after_cursor_execute", stop_here)
asyncio.run(schema.upgrade(sys.argv[1]))
print("done")
"""
STEPS = ["ALTER TABLE", "ALTER TABLE", "CREATE TABLE", "CREATE INDEX", "UPDATE alembic_version", "done"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dialer.db"
    older.make(path)
    return path


def test_killed_after_any_statement_nothing_has_changed_and_the_next_one_does_it_all(path: Path) -> None:
    before = older.dump(path)
    for number, step in enumerate(STEPS, start=1):
        assert asyncio.run(schema.current(path)) == "0001"
        assert older.dump(path) == before
        with child(UPGRADE_UP_TO, path, number) as upgrade:
            assert line_of(upgrade) == step
            upgrade.kill()
            upgrade.wait()
    assert asyncio.run(schema.current(path)) == schema.REVISIONS[-1]


async def test_what_the_old_one_held_reads_right(path: Path) -> None:
    await schema.upgrade(path)
    async with SqlStore.open(path, exclusive=True) as store:
        ((attempt, callback),) = await store.open_attempts()
        assert (attempt.pbx_identity, attempt.place_by) == ("", None)
        assert [step.name for step in attempt.timeline] == ["intent", "originate_sent"]
        assert (callback.id, callback.visitor.name, callback.version) == (older.UNDER_WAY, "Zoë", 2)
        (done,) = await store.attempts(older.DONE)
        assert done.verdict is not None
        assert done.verdict.talk.total_seconds() == 2.5
        assert await store.resolutions(older.DONE) == []
        assert await store.paused()
