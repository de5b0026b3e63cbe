"""A database as the first release left it: schema 0001, with an attempt under way, one that ended, and a pause."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from dialer.domain.ids import CallbackId
from dialer.store.dialect import locate

UNDER_WAY, DONE = CallbackId("01J00000000000000000000001"), CallbackId("01J00000000000000000000002")
AT = 1_772_452_800_123_457  # 2026-03-02T12:00:00.123457Z

_CALLBACK = """
INSERT INTO callback VALUES (?, 'shop', 'sales', ?, 'Zoë', '', 'https://example.com/', '', '', NULL, ?, NULL, ?, ?, ?,
    1, ?, 0, 2, ?, 'test', NULL, ?, ?)
"""
_ATTEMPT = """
INSERT INTO attempt VALUES (?, ?, 1, 'sales', 'main', '2026-03-01 10:00:00', 'anna', 'carrier', '+442079460100', ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def make(path: Path) -> None:
    """Make it at `path`, by the migration that made it then and the statements that filled it then."""
    asyncio.run(_migrate(path))
    timeline = f'[["intent",{AT},"due 2026-03-02T12:00:00+00:00"],["originate_sent",{AT + 5},""]]'
    with sqlite3.connect(path) as database:
        for callback, status, reason, decided, verdict in (
            (UNDER_WAY, "in_progress", "", 0, ("agent_ringing", timeline, *[None] * 7)),
            (DONE, "completed", "connected", 1, ("ended", "[]", "connected", 16, "nobody", 2_500_000, None, "", AT)),
        ):
            number, attempt = "+442079460005", f"A{callback[1:]}"
            database.execute(_CALLBACK, (callback, number, AT, AT, status, reason, decided, attempt, AT, AT))
            database.execute(_ATTEMPT, (attempt, callback, number, AT, AT, AT, *verdict, AT))
        database.execute("INSERT INTO pause VALUES (1, 'everything', '', 'ann', 'lunch', ?, NULL, NULL)", (AT,))
    database.close()


def dump(path: Path) -> list[str]:
    """All that is in it, as SQL."""
    with sqlite3.connect(path) as database:
        lines = list(database.iterdump())
    database.close()
    return lines


async def _migrate(path: Path) -> None:
    def to_first(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "dialer.store:migrations")
        command.upgrade(config, "0001")

    database = locate(path)
    database.create()
    engine = database.migrator()
    async with engine.begin() as connection:
        await connection.run_sync(to_first)
    await engine.dispose()
