"""aiosqlite with fewer trips to its thread, for the writer.

SQLAlchemy makes a cursor, executes and closes it: three trips, of which only the middle one touches the file, and a
trip costs more than the row. Here the other two stay in the event loop. That is safe because the sqlite3 module is
serialized (`sqlite3.threadsafety` 3), and never waits because the writer has one statement in flight at a time.
"""

import sqlite3
from typing import Any

import aiosqlite


class _Cursor(aiosqlite.Cursor):
    async def close(self) -> None:
        self._cursor.close()


class _Connection(aiosqlite.Connection):
    def cursor(self) -> _Cursor:  # type: ignore[override]  # awaited at once by its only user, through __aenter__
        return _Cursor(self, self._conn.cursor())


def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """As `aiosqlite.connect`; `options` are those of `sqlite3.connect`, with `check_same_thread` false."""
    connection = _Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does with its own: a crash must not hang the exit
    return connection
