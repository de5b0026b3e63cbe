"""What the store answers to those who look."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import Row, Select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import Scope, Stop
from dialer.store import queries
from dialer.store.dialect import SqliteFile
from dialer.store.rows import to_attempt, to_callback
from dialer.store.views import CallbackFilter, CallFilter, Decision, Objection, Page, Pause, Resolution, Summary

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]


class Reading:
    """Every method raises `StoreError` when the database cannot be read; each answers by an index."""

    def __init__(self, database: SqliteFile, readers: AsyncEngine) -> None:
        self._database = database
        self._readers = readers

    async def get(self, id_: CallbackId) -> Callback | None:
        """One callback."""
        rows = await self.read(queries.callback_by_id(id_))
        return to_callback(rows[0]) if rows else None

    async def attempts(self, id_: CallbackId) -> list[Attempt]:
        """A callback's attempts, first to last."""
        return [to_attempt(row) for row in await self.read(queries.attempts_of(id_))]

    async def newest_attempt(self) -> AttemptId | None:
        """The attempt that was made last."""
        ((newest,),) = await self.read(queries.NEWEST_ATTEMPT)
        return newest and AttemptId(newest)

    async def resolutions(self, id_: CallbackId) -> list[Resolution]:
        """What people decided on a callback, first to last."""
        return [Resolution(Decision(row[0]), *row[1:]) for row in await self.read(queries.resolutions_of(id_))]

    async def callbacks(
        self,
        which: CallbackFilter = CallbackFilter(),  # noqa: B008  # frozen
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Callback]:
        """Callbacks by due time, earliest first; `limit` is at least 1."""
        rows = await self.read(queries.callbacks(which, limit, cursor))
        return _page(rows, limit, to_callback, "due_at")

    async def calls(
        self,
        which: CallFilter = CallFilter(),  # noqa: B008  # frozen
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Attempt]:
        """The call log: ended attempts, newest end first; `limit` is at least 1."""
        rows = await self.read(queries.calls(which, limit, cursor))
        return _page(rows, limit, to_attempt, "ended_at")

    async def stranded(self, departments: Collection[str]) -> dict[str, int]:
        """How many callbacks wait for each department that is none of these."""
        waiting = {row[0]: row[1] for row in await self.read(queries.WAITING)}
        return {name: count for name, count in sorted(waiting.items()) if name not in departments}

    async def pauses(self) -> list[Pause]:
        """What is paused, by whom, why and since when; the longest first."""
        return [Pause(Stop(Scope(row[0]), row[1]), *row[2:]) for row in await self.read(queries.PAUSES)]

    async def objected(self, number: str) -> bool:
        """Whether a number (E.164) is on the do-not-call list."""
        return bool(await self.read(queries.listed([number])))

    async def objections(self, limit: int = 100, cursor: str | None = None) -> Page[Objection]:
        """The do-not-call list, first to last; `limit` is at least 1."""
        rows = await self.read(queries.objections_after(limit, cursor))
        return _page(rows, limit, lambda row: Objection(*row[:-1]), "since")

    async def summary(self) -> Summary:
        """Counts by status and by outcome."""
        statuses = {row[0]: row[1] for row in await self.read(queries.STATUSES)}
        outcomes = {row[0]: row[1] for row in await self.read(queries.OUTCOMES)}
        return Summary(
            {status: statuses.get(status, 0) for status in Status},
            {outcome: outcomes.get(outcome, 0) for outcome in Outcome},
            open_attempts=outcomes.get(None, 0),
        )

    async def read(self, query: Select[Any]) -> Sequence[AnyRow]:
        """What a statement finds: for the parts of the store that have a module of their own."""
        try:
            async with self._readers.connect() as connection:
                rows: Sequence[AnyRow] = (await connection.execute(query)).all()
        except SQLAlchemyError as error:
            raise self._database.explain(error) from None
        return rows


def _page(rows: Sequence[AnyRow], limit: int, convert: Callable[[AnyRow], T], sorted_by: str) -> Page[T]:
    """The rows as a page; there is one row more than `limit` when there is more to come."""
    cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        cursor = queries.cursor_after(getattr(last, sorted_by), last.id)
    return Page(tuple(convert(row) for row in rows[:limit]), cursor)
