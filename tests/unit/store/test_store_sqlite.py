"""What only a SQLite file can suffer: other processes, kills, full disks, wrong permissions; and how it plans."""

import asyncio
import stat
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from dialer.domain.callback import Status
from dialer.domain.errors import SchemaOutdated, StoreBusy, StoreError
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.store import queries
from dialer.store.dialect import locate
from dialer.store.schema import upgrade
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, CallFilter
from dialer.store.writer import Pace
from tests.contract.story import NOON, SECOND, attempt_at, callback, claim_of, progressed
from tests.unit.store.child import child, finished, line_of, names_in

CLAIM_AND_WAIT = """
import asyncio, sys
from dialer.store.store import SqlStore
from tests.contract.story import callback, claim_of
async def main():
    async with SqlStore.open(sys.argv[1], exclusive=True) as store:
        await store.add([callback(1)])
        print(await store.claim(claim_of(callback(1))), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""

FILL_UP = """
import asyncio, resource, sys
from dataclasses import replace
from dialer.domain.errors import StoreError
from dialer.store.store import SqlStore
from tests.contract.story import callback
def big(number):
    new = callback(number)
    return replace(new, visitor=replace(new.visitor, message="m" * 1_000_000))
async def main():
    async with SqlStore.open(sys.argv[1], exclusive=True) as store:
        await store.add([callback(1)])
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
        try:
            await store.add([big(2)])
        except StoreError as error:
            print(error.what)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await store.add([big(3)])
        print([each.id[-1] for each in (await store.callbacks()).items])
asyncio.run(main())
"""

START_ON_A_FULL_DISK = """
import asyncio, resource, sys
from dialer.domain.errors import StoreError
from dialer.store.store import SqlStore
async def main():
    try:
        async with SqlStore.open(sys.argv[1], exclusive=True):
            print("open")
    except StoreError as error:
        print(error)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
asyncio.run(main())
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
asyncio.run(main())
"""

WRITE_AS_ANOTHER_USER = """
import asyncio, os, sys
from dialer.domain.errors import StoreError
from dialer.store.store import SqlStore
from tests.contract.story import callback
async def main():
    async with SqlStore.open(sys.argv[1]) as store:  # loads all that is loaded late, while we may
        await store.summary()
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        async with SqlStore.open(sys.argv[1]) as store:
            await store.add([callback(2)])
            print("written")
    except StoreError as error:
        print(error)
asyncio.run(main())
"""

HOLD_THE_WRITE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("released", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dialer.db"


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


class TestOtherProcesses:
    async def test_what_claim_returned_outlives_kill_9(self, path: Path) -> None:
        with child(CLAIM_AND_WAIT, path) as daemon:
            assert line_of(daemon) == "True"
            daemon.kill()
            daemon.wait()
        async with SqlStore.open(path, exclusive=True) as store:
            ((attempt, after),) = await store.open_attempts()
        assert attempt == attempt_at(callback(1))
        assert after.status is Status.IN_PROGRESS

    async def test_a_second_daemon_is_refused_and_told_of_the_first(self, path: Path) -> None:
        with child(CLAIM_AND_WAIT, path) as daemon:
            assert line_of(daemon) == "True"
            with pytest.raises(StoreBusy, match=f"process {daemon.pid}") as caught:
                async with SqlStore.open(path, exclusive=True):
                    pass
            assert "\n" not in str(caught.value)
            async with SqlStore.open(path) as beside:
                await beside.add([callback(2)])
                assert (await beside.summary()).open_attempts == 1

    async def test_a_lock_held_by_another_is_said_and_passes(self, path: Path) -> None:
        async with SqlStore.open(path, exclusive=True, busy_timeout=0.05, pace=Pace(notes=0)) as store:
            await store.add([callback(1)])
            await store.claim(claim_of(callback(1)))
            noted = progressed(attempt_at(callback(1)), "originate_sent")
            with child(HOLD_THE_WRITE_LOCK, path) as other:
                assert line_of(other) == "held"
                store.note(noted)
                with pytest.raises(StoreError, match=r"dialer\.db: another process keeps the database locked"):
                    await store.add([callback(2)])
                assert await store.get(callback(1).id)  # readers never wait for a writer
                assert finished(other, "\n") == ["released"]
            await store.add([callback(3)])
            assert await store.get(callback(2).id) is None
            assert await store.attempts(callback(1).id) == [noted]


class TestDisk:
    def test_a_disk_that_refuses_is_said_and_passes(self, path: Path) -> None:
        with child(FILL_UP, path) as daemon:
            assert finished(daemon) == ["the disk refused to be read or written", "['1', '3']"]

    @pytest.mark.parametrize("made", [True, False])
    async def test_a_full_disk_at_the_start_is_said(self, path: Path, *, made: bool) -> None:
        if made:
            await upgrade(path)
        with child(START_ON_A_FULL_DISK, path) as daemon:
            first, second = finished(daemon)
        assert first.startswith(f"{path}: the disk ")
        assert "free" in first
        assert second == "open"

    async def test_a_file_of_another_user_is_said(self, public_folder: Path) -> None:
        path = public_folder / "dialer.db"
        await upgrade(path)
        path.chmod(0o444)  # what a user who is not root meets, too
        with child(WRITE_AS_ANOTHER_USER, path) as stranger:
            (told,) = finished(stranger)
        assert told.startswith(f"{path}: the database ")
        assert "daemon's user" in told

    async def test_the_file_is_not_for_everybody(self, path: Path) -> None:
        async with SqlStore.open(path, exclusive=True) as store:
            await store.add([callback(1)])
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        assert set(modes) == {"dialer.db", "dialer.db-wal", "dialer.db-shm", "dialer.db.lock"}
        assert set(modes.values()) == {0o640}

    @pytest.mark.parametrize("exclusive", [True, False])
    async def test_a_missing_folder_is_said(self, tmp_path: Path, *, exclusive: bool) -> None:
        with pytest.raises(StoreError, match="nowhere"):
            async with SqlStore.open(tmp_path / "nowhere" / "dialer.db", exclusive=exclusive):
                pass
        with pytest.raises(StoreError, match="cannot be created: No such file or directory"):
            await upgrade(tmp_path / "nowhere" / "dialer.db")
        assert names_in(tmp_path) == []

    async def test_its_name_may_hold_anything(self, tmp_path: Path) -> None:
        path = tmp_path / "50 % ?mode=memory#é&.db"
        async with SqlStore.open(path, exclusive=True) as store:
            await store.add([callback(1)])
        assert names_in(tmp_path) == [path.name, f"{path.name}.lock"]

    async def test_only_the_owner_makes_a_store(self, path: Path) -> None:
        with pytest.raises(SchemaOutdated, match="run: dialer db upgrade"):
            async with SqlStore.open(path):
                pass
        assert names_in(path.parent) == []

    async def test_something_else_in_its_place_is_said(self, path: Path) -> None:
        await asyncio.to_thread(path.write_text, "Dear diary, " * 100)
        with pytest.raises(StoreError, match="not a database"):
            async with SqlStore.open(path, exclusive=True):
                pass

    @pytest.mark.parametrize("replaced", [False, True])
    async def test_a_file_that_is_not_in_its_place_is_not_written_to(self, tmp_path: Path, *, replaced: bool) -> None:
        """SQLite would go on writing to the open file, wherever that is now, and say that all is well."""
        home, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
        home.mkdir()
        async with SqlStore.open(home / "dialer.db", exclusive=True, pace=Pace(notes=0)) as store:
            await store.add([callback(1)])
            await store.claim(claim_of(callback(1)))
            home.rename(elsewhere)
            if replaced:
                home.mkdir()
                await upgrade(home / "dialer.db")
            noted = progressed(attempt_at(callback(1)), "originate_sent")
            store.note(noted)
            with pytest.raises(StoreError, match=r"state/dialer\.db: the database was moved, deleted or replaced"):
                await store.add([callback(2)])
            if replaced:
                home.rename(tmp_path / "another")
            elsewhere.rename(home)
            await store.add([callback(3)])
            assert await store.get(callback(2).id) is None
            assert await store.attempts(callback(1).id) == [noted]

    async def test_a_database_that_is_gone_does_not_come_back_empty(self, path: Path) -> None:
        await upgrade(path)
        engine = locate(path).readers()
        await asyncio.to_thread(path.unlink)
        with pytest.raises(OperationalError, match="unable to open"):
            async with engine.connect():
                pass
        await engine.dispose()
        assert names_in(path.parent) == []

    async def test_a_schema_that_was_taken_away_is_said(self, path: Path) -> None:
        async with SqlStore.open(path, exclusive=True) as store:
            with child("import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute('DROP TABLE pause')", path) as vandal:
                finished(vandal)
            with pytest.raises(StoreError, match="dialer db upgrade"):
                await store.paused()


class TestAddress:
    @pytest.mark.parametrize(
        "where", ["postgresql://dialer:hunter2@db/x", "sqlite://", "sqlite:///:memory:", "mysql://", "://hunter2"]
    )
    def test_what_cannot_be_a_store_is_refused_without_its_password(self, where: str) -> None:
        with pytest.raises(StoreError, match="not supported") as caught:
            locate(where)
        assert "hunter2" not in str(caught.value)

    def test_a_path_and_a_url_mean_the_same_file(self, path: Path) -> None:
        assert locate(path) == locate(str(path)) == locate(f"sqlite:///{path}")


LATER = NOON + timedelta(days=1)
PLANS: list[tuple[Select[Any], str]] = [
    (queries.upcoming("sales", LATER, 50), "ix_callback_department_status_due_at_id"),
    (queries.OPEN_ATTEMPTS, "ix_attempt_ended_at_id"),
    (queries.callback_by_id(CallbackId("C")), "sqlite_autoindex_callback_1"),
    (queries.attempts_of(CallbackId("C")), "sqlite_autoindex_attempt_2"),
    (queries.callbacks(CallbackFilter(), 50, f"{1_000_000}.C"), "ix_callback_due_at_id"),
    (queries.callbacks(CallbackFilter(frozenset({Status.FAILED})), 50, None), "ix_callback_status_due_at_id"),
    (queries.calls(CallFilter(since=NOON), 50, f"{1_000_000}.A"), "ix_attempt_ended_at_id"),
    (queries.calls(CallFilter(department="sales"), 50, None), "ix_attempt_department_ended_at_id"),
    (queries.calls(CallFilter(frozenset({Outcome.IN_DOUBT})), 50, None), "ix_attempt_outcome_ended_at_id"),
    (queries.ended_attempts("main", AttemptId("A"), AttemptId("B"), 100), "sqlite_autoindex_attempt_1"),
    (queries.doubtful(NOON), "ix_attempt_outcome_ended_at_id"),
    (queries.resolutions_of(CallbackId("C")), "ix_resolution_callback_id"),
    (queries.STATUSES, "ix_callback_status_due_at_id"),
    (queries.OUTCOMES, "ix_attempt_outcome_ended_at_id"),
]


@pytest.fixture(scope="module")
async def backlog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred thousand callbacks, most of them far away, and a tenth of them due at one moment."""
    path = tmp_path_factory.mktemp("backlog") / "dialer.db"
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add([callback(n, due_at=NOON + (n // 10_000) * 3600 * SECOND) for n in range(100_000)])
    return path


@pytest.mark.parametrize(("query", "index"), PLANS)
async def test_every_question_is_answered_by_an_index_without_sorting(
    backlog: Path, query: Select[Any], index: str
) -> None:
    engine = locate(backlog).readers()
    sql = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    async with engine.connect() as connection:
        plan = " / ".join(row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}"))
    await engine.dispose()
    assert f"INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan or query is queries.OPEN_ATTEMPTS  # few rows, and wanted in order


async def test_a_due_page_of_a_large_backlog_holds_the_earliest(backlog: Path) -> None:
    async with SqlStore.open(backlog) as store:
        found = await store.upcoming("sales", LATER, 50)
    assert found == [callback(n) for n in range(50)]
