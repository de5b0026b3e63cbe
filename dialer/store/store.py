"""The store as the engine, the command line and intake see it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Row, Select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome, Verdict
from dialer.engine.ports import Claim
from dialer.scheduling.retry import NextStep
from dialer.store import queries
from dialer.store.decisions import Cancel, Hold, Release, Reschedule, Resolve
from dialer.store.dialect import SqliteFile, locate
from dialer.store.operations import Add, Amend, End, Take
from dialer.store.rows import ATTEMPT_COLUMNS, to_attempt, to_callback
from dialer.store.schema import check_of, current_of, upgrade_of
from dialer.store.views import CallbackFilter, CallFilter, Decision, Page, Pause, Resolution, Summary
from dialer.store.writer import Pace, Writer

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]

_SLICE = 1_000


def utc_now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


class SqlStore:
    """Callbacks, attempts and pauses in one database; the engine's `EngineStore` and more.

    Every method raises `StoreError` when the database cannot do it. What returns from a change is durable.
    """

    def __init__(self, database: SqliteFile, readers: AsyncEngine, writer: Writer) -> None:
        self._database = database
        self._readers = readers
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        where: str | Path,
        *,
        exclusive: bool = False,
        now: Callable[[], datetime] = utc_now,
        busy_timeout: float = 5.0,
        pace: Pace = Pace(),  # noqa: B008  # frozen
    ) -> AsyncIterator[Self]:
        """Open the store at a path or URL; whatever was submitted is written before it closes.

        `exclusive` is the daemon's way: one at a time (`StoreBusy`), and it makes a new store where there is none.
        Others need a store that exists. `busy_timeout` is in seconds. Raises `StoreError`, `SchemaOutdated`.
        """
        database = locate(where, busy_timeout)
        with database.owned() if exclusive else nullcontext():
            if exclusive and await current_of(database) is None:
                await upgrade_of(database)
            await check_of(database)
            if exclusive:
                database.check_writable()
            readers = database.readers()
            try:
                async with _connected(database) as connection:
                    writer = Writer(database, now, pace)
                    running = asyncio.create_task(writer.run(connection), name="store writer")
                    try:
                        yield cls(database, readers, writer)
                    finally:
                        writer.close()
                        await asyncio.wait((running,))
            finally:
                await readers.dispose()

    # --- the engine's part ---

    async def upcoming(self, department: str, until: datetime, limit: int) -> list[Callback]:
        """Scheduled callbacks of a department due at or before `until`, earliest first."""
        return [to_callback(row) for row in await self._read(queries.upcoming(department, until, limit))]

    async def claim(self, claim: Claim) -> bool:
        """Write the intent; False when somebody else changed the callback first."""
        return await self._writer.submit(Take(claim))

    def note(self, attempt: Attempt) -> None:
        """Remember an attempt's progress, written behind."""
        self._writer.note(attempt)

    async def finish(self, attempt: Attempt, step: NextStep) -> None:
        """Write the ended attempt and its callback's next step. The first end of an attempt stands: a second one
        changes nothing. Raises `IllegalState` for an attempt that has no end or was never claimed."""
        verdict = _end_of(attempt)
        self._writer.forget_note(attempt.id)
        await self._writer.submit(End(attempt, verdict, step))

    async def open_attempts(self) -> list[tuple[Attempt, Callback]]:
        """Every attempt without an end, with its callback."""
        return _with_callbacks(await self._read(queries.OPEN_ATTEMPTS))

    async def ended_attempts(self, pbx: str, after: AttemptId, until: AttemptId, limit: int) -> list[AttemptId]:
        """The ids between the two, in their order, of attempts on a PBX that have an end; at most `limit`."""
        return [row.id for row in await self._read(queries.ended_attempts(pbx, after, until, limit))]

    async def doubtful(self, since: datetime) -> list[tuple[Attempt, Callback]]:
        """Every attempt made since then that is in doubt and whose callback still waits for a person, with it."""
        return _with_callbacks(await self._read(queries.doubtful(since)))

    async def amend(self, attempt: Attempt, step: NextStep) -> None:
        """Write the end that was found of an attempt in doubt, and its callback's next step unless a person has decided
        that meanwhile. Changes nothing of an attempt that is not, or no longer, in doubt. Raises `IllegalState` for one
        that has no end."""
        await self._writer.submit(Amend(attempt, _end_of(attempt), step))

    async def paused(self) -> bool:
        """True while everything is paused."""
        return await self.pause_in_force() is not None

    # --- what requests and people do ---

    async def add(self, callbacks: Sequence[Callback], source: str = "") -> None:
        """Store new callbacks that came from `source`.

        A thousand at a time, so that no claim waits behind a bulk load: after an error, earlier thousands are stored.
        """
        for start in range(0, len(callbacks), _SLICE):
            await self._writer.submit(Add(tuple(callbacks[start : start + _SLICE]), source))

    async def cancel(self, id_: CallbackId, reason: str) -> Callback:
        """End a scheduled callback. Raises `IllegalState`, with its status, when it is not scheduled any more."""
        return await self._writer.submit(Cancel(id_, reason))

    async def reschedule(self, id_: CallbackId, due_at: datetime) -> Callback:
        """Make a scheduled callback due at another time; raises as `cancel`."""
        return await self._writer.submit(Reschedule(id_, due_at))

    async def resolve(
        self, callback: Callback, decision: Decision, who: str, why: str, *, forced: bool = False
    ) -> Callback:
        """Decide on a callback that waits for a person; recorded with who and why. Raises `IllegalState`, with its
        status, when it does not wait any more, or is not as `callback` says: somebody else was faster."""
        return await self._writer.submit(Resolve(callback, decision, who, why, forced))

    async def pause(self, who: str, why: str) -> Pause:
        """Pause everything; the pause in force, an earlier one if there is one."""
        return await self._writer.submit(Hold(who, why))

    async def resume(self, who: str) -> bool:
        """Lift the pause; False when there was none."""
        return await self._writer.submit(Release(who))

    # --- what people look at ---

    async def get(self, id_: CallbackId) -> Callback | None:
        """One callback."""
        rows = await self._read(queries.callback_by_id(id_))
        return to_callback(rows[0]) if rows else None

    async def attempts(self, id_: CallbackId) -> list[Attempt]:
        """A callback's attempts, first to last."""
        return [to_attempt(row) for row in await self._read(queries.attempts_of(id_))]

    async def resolutions(self, id_: CallbackId) -> list[Resolution]:
        """What people decided on a callback, first to last."""
        return [Resolution(Decision(row[0]), *row[1:]) for row in await self._read(queries.resolutions_of(id_))]

    async def callbacks(
        self,
        which: CallbackFilter = CallbackFilter(),  # noqa: B008  # frozen
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Callback]:
        """Callbacks by due time, earliest first; `limit` is at least 1."""
        rows = await self._read(queries.callbacks(which, limit, cursor))
        return _page(rows, limit, to_callback, "due_at")

    async def calls(
        self,
        which: CallFilter = CallFilter(),  # noqa: B008  # frozen
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Attempt]:
        """The call log: ended attempts, newest end first; `limit` is at least 1."""
        rows = await self._read(queries.calls(which, limit, cursor))
        return _page(rows, limit, to_attempt, "ended_at")

    async def pause_in_force(self) -> Pause | None:
        """Who paused everything, why and since when."""
        rows = await self._read(queries.PAUSE)
        return Pause(*rows[0]) if rows else None

    async def summary(self) -> Summary:
        """Counts by status and by outcome."""
        statuses = {row[0]: row[1] for row in await self._read(queries.STATUSES)}
        outcomes = {row[0]: row[1] for row in await self._read(queries.OUTCOMES)}
        return Summary(
            {status: statuses.get(status, 0) for status in Status},
            {outcome: outcomes.get(outcome, 0) for outcome in Outcome},
            open_attempts=outcomes.get(None, 0),
        )

    async def _read(self, query: Select[Any]) -> Sequence[AnyRow]:
        try:
            async with self._readers.connect() as connection:
                rows: Sequence[AnyRow] = (await connection.execute(query)).all()
        except SQLAlchemyError as error:
            raise self._database.explain(error) from None
        return rows


def _end_of(attempt: Attempt) -> Verdict:
    if attempt.verdict is None or attempt.ended_at is None:
        raise IllegalState("this attempt has not ended", where=attempt.id)
    return attempt.verdict


def _with_callbacks(rows: Sequence[AnyRow]) -> list[tuple[Attempt, Callback]]:
    own = len(ATTEMPT_COLUMNS)
    return [(to_attempt(row[:own]), to_callback(row[own:])) for row in rows]


def _page(rows: Sequence[AnyRow], limit: int, convert: Callable[[AnyRow], T], sorted_by: str) -> Page[T]:
    """The rows as a page; there is one row more than `limit` when there is more to come."""
    cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        cursor = queries.cursor_after(getattr(last, sorted_by), last.id)
    return Page(tuple(convert(row) for row in rows[:limit]), cursor)


@asynccontextmanager
async def _connected(database: SqliteFile) -> AsyncIterator[AsyncConnection]:
    """The writer's own connection."""
    engine = database.writer()
    try:
        connection = engine.connect()
        try:
            await connection.start()
        except SQLAlchemyError as error:
            raise database.explain(error) from None
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await engine.dispose()
