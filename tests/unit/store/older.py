"""A database as an earlier release left it: with two attempts of one agent under way, one that ended, and a pause; of
schema 0001, or grown to 0002 with what that added."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from dialer.domain.ids import CallbackId
from dialer.store.dialect import locate

UNDER_WAY, DONE = CallbackId("01J00000000000000000000001"), CallbackId("01J00000000000000000000002")
ALSO_UNDER_WAY = CallbackId("01J00000000000000000000003")
AT = 1_772_452_800_123_457  # 2026-03-02T12:00:00.123457Z

_CALLBACK = """
INSERT INTO callback VALUES (?, 'shop', 'sales', ?, 'Zoë', '', 'https://example.com/', '', '', NULL, ?, NULL, ?, ?, ?,
    1, ?, 0, 2, ?, 'test', NULL, ?, ?)
"""
_ATTEMPT = """
INSERT INTO attempt VALUES (?, ?, 1, 'sales', 'main', '2026-03-01 10:00:00', 'anna', 'carrier', '+442079460100', ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def make(path: Path, revision: str = "0001") -> None:
    """Make it at `path`, by the migrations that made it then and the statements that filled it then."""
    asyncio.run(_migrate(path, "0001"))
    timeline = f'[["intent",{AT},"due 2026-03-02T12:00:00+00:00"],["originate_sent",{AT + 5},""]]'
    living = ("agent_ringing", timeline, *[None] * 7)
    with sqlite3.connect(path) as database:
        for callback, status, reason, decided, verdict in (
            (UNDER_WAY, "in_progress", "", 0, living),
            (DONE, "completed", "connected", 1, ("ended", "[]", "connected", 16, "nobody", 2_500_000, None, "", AT)),
            (ALSO_UNDER_WAY, "in_progress", "", 0, living),
        ):
            number, attempt = "+442079460005", f"A{callback[1:]}"
            database.execute(_CALLBACK, (callback, number, AT, AT, status, reason, decided, attempt, AT, AT))
            database.execute(_ATTEMPT, (attempt, callback, number, AT, AT, AT, *verdict, AT))
        database.execute("INSERT INTO pause VALUES (1, 'everything', '', 'ann', 'lunch', ?, NULL, NULL)", (AT,))
    database.close()
    if revision != "0001":
        asyncio.run(_migrate(path, revision))
        with sqlite3.connect(path) as database:
            database.execute("UPDATE attempt SET pbx_identity = 'a database', place_by = ?", (AT + 80,))
            resolution = (DONE, "completed", "ann", "heard it", 0, AT)
            database.execute("INSERT INTO resolution VALUES (1, ?, ?, ?, ?, ?, ?)", resolution)
        database.close()


def dump(path: Path) -> list[str]:
    """All that is in it, as SQL."""
    with sqlite3.connect(path) as database:
        lines = list(database.iterdump())
    database.close()
    return lines


async def _migrate(path: Path, revision: str) -> None:
    def to_revision(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "dialer.store:migrations")
        command.upgrade(config, revision)

    database = locate(path)
    database.create()
    engine = database.migrator()
    async with engine.begin() as connection:
        await connection.run_sync(to_revision)
    await engine.dispose()
