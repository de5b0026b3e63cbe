"""The one module that knows which database this is: engines, locks, files and what its errors mean.

SQLite in a file today. PostgreSQL will be a second class with the same methods, chosen by `locate`.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dialer.domain.errors import StoreError
from dialer.store import driver
from dialer.store.ownership import owned

_FILE_MODE = 0o640
_READERS = 3

# At DEBUG the driver logs every statement with its parameters, and those are people.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite database in a file; `busy_timeout` is how long, in seconds, a writer waits for another process."""

    path: Path
    busy_timeout: float

    def exists(self) -> bool:
        """Whether there is a database, upgraded or not."""
        return self.path.exists()

    def inode(self) -> tuple[int, int] | None:
        """Which file bears the database's name now; None when there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def gone(self) -> StoreError:
        """What to say when the name does not lead to the open file any more: SQLite itself would go on writing to a
        file that nobody will ever find."""
        what = "the database was moved, deleted or replaced while it is open"
        return StoreError(what, where=str(self.path), remedy="put it back, or stop the daemon and restore a backup")

    def create(self) -> None:
        """Make the empty file, readable by owner and group only. Raises `StoreError` when that cannot be done."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
            self.path.chmod(_FILE_MODE)  # whatever the umask
        except FileExistsError:
            return
        except OSError as error:
            what = f"the database cannot be created: {error.strerror}"
            remedy = "create the folder and give it to the daemon's user, or name another one"
            raise StoreError(what, where=str(self.path), remedy=remedy) from None

    def check_writable(self) -> None:
        """Raise `StoreError` unless this process may write to it, as far as its user's rights tell."""
        # The folder, too: SQLite makes its journal there.
        if not all(os.access(place, os.W_OK) for place in (self.path, self.path.parent)):
            raise StoreError(_READ_ONLY, where=str(self.path), remedy=_GIVE)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the one daemon on this database while in the context. Raises `StoreBusy`, `StoreError`."""
        with owned(self.path.with_name(self.path.name + ".lock")):
            yield

    def writer(self) -> AsyncEngine:
        """An engine whose transactions take the write lock with their first change."""
        # The driver itself then begins with BEGIN IMMEDIATE, at no extra trip to its thread.
        return self._engine(
            ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
            {"isolation_level": "IMMEDIATE", "async_creator_fn": driver.connect},
            pool_size=1,
        )

    def readers(self) -> AsyncEngine:
        """An engine for many short reads beside the writer; it cannot write."""
        return self._engine(
            ("query_only=ON",),
            {"isolation_level": None},
            pool_size=_READERS,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )

    def migrator(self) -> AsyncEngine:
        """An engine whose transactions hold changes to the schema, too: all of a migration or nothing."""
        engine = self._engine(("journal_mode=WAL", "synchronous=FULL"), {"isolation_level": None}, poolclass=NullPool)
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def is_fault(self, error: Exception) -> bool:
        """Whether the database itself failed (full, locked, gone), whatever was being written."""
        return isinstance(error, OperationalError)

    def explain(self, error: Exception) -> StoreError:
        """What went wrong in plain words. Holds nothing of what was written."""
        what, remedy = _meaning(error)
        explained = StoreError(what, where=str(self.path), remedy=remedy)
        if not isinstance(error, SQLAlchemyError | ValueError | OverflowError):
            explained.__cause__ = error  # a fault in our own code: its traceback tells where
        return explained

    def _engine(self, pragmas: tuple[str, ...], connect_args: dict[str, Any], **options: Any) -> AsyncEngine:
        # Never makes a file: a database that is gone must not come back empty.
        url = URL.create(
            "sqlite+aiosqlite", database=f"file:{quote(str(self.path))}", query={"mode": "rw", "uri": "true"}
        )
        engine = create_async_engine(
            url,
            connect_args={"timeout": self.busy_timeout, **connect_args},
            hide_parameters=True,
            pool_reset_on_return=None,
            **options,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            with closing(connection.cursor()) as cursor:
                for pragma in pragmas:
                    cursor.execute(f"PRAGMA {pragma}")

        return engine


def locate(where: str | Path, busy_timeout: float = 5.0) -> SqliteFile:
    """The database at a path or an `sqlite:///` URL. Raises `StoreError` for any other."""
    if isinstance(where, Path) or "://" not in where:
        return SqliteFile(Path(where), busy_timeout)
    try:
        url = make_url(where)
    except ArgumentError:
        url = URL.create("unreadable")
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        what = "this kind of database is not supported"  # the URL itself may hold a password
        raise StoreError(what, where="database", remedy="name a file, or sqlite:///path/to/file")
    return SqliteFile(Path(url.database), busy_timeout)


_READ_ONLY, _GIVE = "the database is read-only", "give the file and its folder to the daemon's user"

# By SQLite's own names of its result codes, the first that the name begins with.
_MEANINGS = (
    ("SQLITE_FULL", "the disk is full", "free some space; the daemon goes on by itself"),
    ("SQLITE_IOERR", "the disk refused to be read or written", "check free space, quotas and the disk's health"),
    ("SQLITE_BUSY", "another process keeps the database locked", "find it with: fuser -v <database>"),
    ("SQLITE_LOCKED", "another process keeps the database locked", "find it with: fuser -v <database>"),
    ("SQLITE_READONLY", _READ_ONLY, _GIVE),
    ("SQLITE_CANTOPEN", "the database cannot be opened", "check that folder and file belong to the daemon's user"),
    ("SQLITE_CORRUPT", "the database file is damaged", "stop, keep the file, and restore the last backup"),
    ("SQLITE_NOTADB", "the file is not a database", "name another file, or restore the last backup"),
)


def _meaning(error: Exception) -> tuple[str, str]:
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    for code, what, remedy in _MEANINGS:
        if name.startswith(code):
            return what, remedy
    if isinstance(error, IntegrityError):
        return "the database's rules forbid this change: an id that exists already, or one that does not exist", ""
    if isinstance(error, OperationalError):
        return f"the database failed ({name or 'no code'})", "see whether its schema is current: dialer db upgrade"
    if isinstance(error, StatementError | ValueError | OverflowError):
        return "a value cannot be stored: not Unicode, an instant without its zone, or a number too large", ""
    return f"the database failed ({type(error).__name__})", ""
