"""What only a SQLite file can suffer: other processes, kills, full disks, wrong permissions."""

import asyncio
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import SchemaOutdated, StoreBusy, StoreError
from dialer.intake.admission import Seen
from dialer.store.dialect import locate
from dialer.store.schema import upgrade
from dialer.store.store import SqlStore
from dialer.store.writer import Pace
from tests.contract.story import Door, attempt_at, callback, claim_of, progressed
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

    async def test_nobody_can_write_between_the_door_s_look_and_its_answer(self, path: Path) -> None:
        tried: list[Exception] = []

        class Rule(Door):
            def __call__(self, new: Callback, seen: Seen) -> None:
                with closing(sqlite3.connect(path, timeout=0)) as other:
                    try:
                        other.execute("DELETE FROM pause")
                    except sqlite3.OperationalError as error:
                        tried.append(error)

        async with SqlStore.open(path, exclusive=True) as store:
            await store.admit([callback(1)], Rule())
        assert [str(error) for error in tried] == ["database is locked"]

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


class TestLastGuards:
    """What the tables refuse, should the program ever ask for it."""

    @pytest.mark.parametrize(
        "row",
        [
            "'X', '{other}', 1, 'agent1'",  # an agent who has an attempt without an end
            "'X', '{same}', 1, 'agent9'",  # a callback's turn that is taken
            "'X', 'nobody', 1, 'agent9'",  # an attempt at nothing
        ],
    )
    async def test_no_attempt_beside_another(self, path: Path, row: str) -> None:
        async with SqlStore.open(path, exclusive=True) as store:
            await store.add([callback(1), callback(2)])
            await store.claim(claim_of(callback(1)))
        columns = "department, pbx, pbx_boot, trunk, caller_id, dialled, due_at, ready_at, created_at"
        columns += ", state, timeline, updated_at"
        values = row.format(same=callback(1).id, other=callback(2).id)
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA foreign_keys=ON")
            with pytest.raises(sqlite3.IntegrityError):
                database.execute(
                    f"INSERT INTO attempt (id, callback_id, number, agent, {columns}) "
                    f"SELECT {values}, {columns} FROM attempt"
                )


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
        assert names_in(path.parent) == ["dialer.db.lock"], "no database"

    async def test_a_schema_that_was_taken_away_is_said(self, path: Path) -> None:
        async with SqlStore.open(path, exclusive=True) as store:
            with child("import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute('DROP TABLE pause')", path) as vandal:
                finished(vandal)
            with pytest.raises(StoreError, match="dialer db upgrade"):
                await store.stops()


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
