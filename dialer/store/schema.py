"""Which shape the database has, and how it gets the present one. Alembic is loaded only to migrate: it costs 9 MB."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from dialer.domain.errors import SchemaOutdated
from dialer.store.dialect import SqliteFile, locate

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every revision that was ever released, oldest first: tells an older database from a newer one without Alembic."""

_UPGRADE = "run: dialer db upgrade"


async def current(where: str | Path) -> str | None:
    """The database's revision, None when it is missing or empty. Raises `StoreError`."""
    return await current_of(locate(where))


async def check(where: str | Path) -> None:
    """Raise `SchemaOutdated`, with its remedy, unless the database has this program's schema."""
    await check_of(locate(where))


async def upgrade(where: str | Path) -> None:
    """Bring the database, made if it is missing, to this program's schema: all or nothing.

    Raises `SchemaOutdated` when it is newer than this program, `StoreError` when it cannot be written, `StoreBusy`
    while a daemon owns it: one of the older schema would go on, blind to what only the newer one holds.
    """
    database = locate(where)
    if await current_of(database) == REVISIONS[-1]:
        return
    database.create()
    with database.owned():
        await upgrade_of(database)


async def current_of(database: SqliteFile) -> str | None:
    """As `current`."""
    if not database.exists():
        return None
    engine = database.readers()
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    except SQLAlchemyError as error:
        raise database.explain(error) from None
    finally:
        await engine.dispose()


async def check_of(database: SqliteFile) -> None:
    """As `check`."""
    revision = await current_of(database)
    where = str(database.path)
    if revision is None:
        raise SchemaOutdated("the database is missing or empty", where=where, remedy=_UPGRADE)
    if revision not in REVISIONS:
        raise _newer(revision, where)
    if revision != REVISIONS[-1]:
        what = f"the database's schema {revision} is older than this program's {REVISIONS[-1]}"
        raise SchemaOutdated(what, where=where, remedy=_UPGRADE)


async def upgrade_of(database: SqliteFile) -> None:
    """As `upgrade`, for whoever owns it."""
    revision = await current_of(database)
    if revision is not None and revision not in REVISIONS:
        raise _newer(revision, str(database.path))
    database.create()
    engine = database.migrator()
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    except SQLAlchemyError as error:
        raise database.explain(error) from None
    finally:
        await engine.dispose()


def _newer(revision: str, where: str) -> SchemaOutdated:
    what = f"the database's schema {revision} is newer than this program's {REVISIONS[-1]}"
    return SchemaOutdated(what, where=where, remedy="upgrade this program, or restore the backup made before")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # loaded only to migrate
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "dialer.store:migrations")
    command.upgrade(config, "head")
