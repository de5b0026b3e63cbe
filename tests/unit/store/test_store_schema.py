"""The database's shape: made, recognised, refused."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from dialer.domain.errors import SchemaOutdated
from dialer.domain.stop import EVERYTHING
from dialer.store import schema
from dialer.store.dialect import locate
from dialer.store.store import SqlStore
from dialer.store.whole import metadata
from tests.unit.store.child import child, finished, names_in

LOADED_MODULES = """
import asyncio, sys
from dialer.store.store import SqlStore
async def main():
    async with SqlStore.open(sys.argv[1], exclusive=True) as store:
        await store.summary()
asyncio.run(main())
print("alembic" in sys.modules)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dialer.db"


async def stamp(path: Path, revision: str) -> None:
    engine = locate(path).writer()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    await engine.dispose()


async def triggers(path: Path) -> list[Any]:
    engine = locate(path).writer()
    async with engine.connect() as connection:
        made = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        found = (await connection.execute(made)).all()
    await engine.dispose()
    return list(found)


async def test_migrations_make_exactly_the_triggers_that_the_code_knows(path: Path) -> None:
    await schema.upgrade(path)
    other = path.with_name("other.db")
    locate(other).create()
    engine = locate(other).migrator()
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    assert await triggers(path) == await triggers(other)
    assert len(await triggers(path)) == 2


async def test_migrations_make_exactly_the_tables_that_the_code_knows(path: Path) -> None:
    await schema.upgrade(path)
    engine = locate(path).writer()
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(sync, opts={"compare_type": True, "compare_server_default": True}), metadata
            )
        )
    await engine.dispose()
    assert differences == []


def test_the_released_revisions_are_alembic_s_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", "dialer.store:migrations")
    history = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(history)) == schema.REVISIONS


async def test_missing_and_empty_have_no_revision_and_are_not_made_by_asking(path: Path) -> None:
    assert await schema.current(path) is None
    with pytest.raises(SchemaOutdated, match=r"missing or empty \(run: dialer db upgrade\)"):
        await schema.check(path)
    assert names_in(path.parent) == []
    locate(path).create()
    assert await schema.current(path) is None
    await schema.upgrade(path)
    await schema.check(path)


async def test_upgrading_again_changes_nothing(path: Path) -> None:
    async with SqlStore.open(path, exclusive=True) as store:
        await store.pause(EVERYTHING, "ann", "")
    await schema.upgrade(path)
    assert await schema.current(path) == schema.REVISIONS[-1]
    async with SqlStore.open(path) as store:
        assert await store.stops() == {EVERYTHING}


async def test_an_older_one_is_refused_with_the_remedy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await schema.upgrade(path)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "0999"))
    with pytest.raises(SchemaOutdated, match=r"older than this program's 0999 .*run: dialer db upgrade"):
        async with SqlStore.open(path, exclusive=True):
            pass


async def test_a_newer_one_is_refused_by_all(path: Path) -> None:
    await schema.upgrade(path)
    await stamp(path, "9999")
    with pytest.raises(SchemaOutdated, match="newer"):
        await schema.check(path)
    with pytest.raises(SchemaOutdated, match="newer"):
        await schema.upgrade(path)
    assert await schema.current(path) == "9999"


async def test_a_migration_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: Connection) -> None:
        migrate(connection)
        raise RuntimeError("power cut")

    migrate = schema._migrate
    monkeypatch.setattr(schema, "_migrate", broken)
    with pytest.raises(RuntimeError):
        await schema.upgrade(path)
    assert await schema.current(path) is None
    monkeypatch.undo()
    await schema.upgrade(path)


async def test_alembic_is_loaded_only_to_migrate(path: Path) -> None:
    await schema.upgrade(path)
    with child(LOADED_MODULES, path) as daemon:
        assert finished(daemon) == ["False"]
