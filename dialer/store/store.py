"""The store as the engine, the command line and intake see it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Verdict
from dialer.domain.stop import Scope, Stop
from dialer.engine.ports import Begun, Claim, Usage
from dialer.intake.admission import AdmissionRule, Double
from dialer.scheduling.retry import NextStep
from dialer.store import queries
from dialer.store.admission import Admit
from dialer.store.claims import PutAway, Take
from dialer.store.decisions import CalledIn, Cancel, Reschedule, Resolve, TooLate
from dialer.store.dialect import SqliteFile, locate
from dialer.store.objections import Allow, Object
from dialer.store.operations import Add, Amend, End, Operation
from dialer.store.pauses import Hold, Release
from dialer.store.reading import AnyRow, Reading
from dialer.store.rows import ATTEMPT_COLUMNS, to_attempt, to_callback
from dialer.store.schema import check_of, current_of, upgrade_of
from dialer.store.views import Decision, Objected, Pause
from dialer.store.writer import Pace, Writer

R = TypeVar("R")

_SLICE = 1_000


def utc_now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


class SqlStore(Reading):
    """Callbacks, attempts, pauses and objections in one database; the engine's `EngineStore` and more.

    Every method raises `StoreError` when the database cannot do it. What returns from a change is durable.
    """

    def __init__(self, database: SqliteFile, readers: AsyncEngine, writer: Writer) -> None:
        super().__init__(database, readers)
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

    async def write(self, operation: Operation[R]) -> R:
        """Carry out one change, durable on return: for the parts of the store that have a module of their own."""
        return await self._writer.submit(operation)

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """While inside, call `listener` after each commit that may have changed a callback. It must not wait or
        raise."""
        self._writer.listeners.append(listener)
        try:
            yield
        finally:
            self._writer.listeners.remove(listener)

    # --- the engine's part ---

    async def upcoming(
        self, department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()
    ) -> list[Callback]:
        """Scheduled callbacks of a department due at or before `until`, earliest first; of numbers (E.164) that begin
        with one of these (none: of all)."""
        return [to_callback(row) for row in await self.read(queries.upcoming(department, until, limit, numbers))]

    async def claim(self, claim: Claim) -> bool:
        """Write the intent; False when somebody else changed the callback first, when its agent has another attempt
        without an end, or when its number is on the do-not-call list: then the callback is rejected."""
        return await self._writer.submit(Take(claim))

    def note(self, attempt: Attempt) -> None:
        """Remember an attempt's progress, written behind."""
        self._writer.note(attempt)

    async def finish(self, attempt: Attempt, step: NextStep) -> None:
        """Write the ended attempt and its callback's next step; a step that would schedule it again, or give it
        up because its time ran out, gives way to what was wished meanwhile. The first end of an attempt stands: a
        second one changes nothing. Raises `IllegalState` for an attempt that has no end or was never claimed."""
        verdict = _end_of(attempt)
        self._writer.forget_note(attempt.id)
        await self._writer.submit(End(attempt, verdict, step))

    async def open_attempts(self) -> list[tuple[Attempt, Callback]]:
        """Every attempt without an end, with its callback."""
        return _with_callbacks(await self.read(queries.OPEN_ATTEMPTS))

    async def ended_attempts(self, pbx: str, after: AttemptId, until: AttemptId, limit: int) -> list[AttemptId]:
        """The ids between the two, in their order, of attempts on a PBX that have an end; at most `limit`."""
        return [row.id for row in await self.read(queries.ended_attempts(pbx, after, until, limit))]

    async def doubtful(self, since: datetime) -> list[tuple[Attempt, Callback]]:
        """Every attempt made since then that is in doubt and whose callback still waits for a person, with it."""
        return _with_callbacks(await self.read(queries.doubtful(since)))

    async def amend(self, attempt: Attempt, step: NextStep) -> None:
        """Write the end that was found of an attempt in doubt, and its callback's next step unless a person has decided
        that meanwhile. Changes nothing of an attempt that is not, or no longer, in doubt. Raises `IllegalState` for one
        that has no end."""
        await self._writer.submit(Amend(attempt, _end_of(attempt), step))

    async def stops(self) -> frozenset[Stop]:
        """What is paused."""
        return frozenset(Stop(Scope(row[0]), row[1]) for row in await self.read(queries.STOPS))

    async def defer(self, callback: Callback, due_at: datetime, reason: str) -> bool:
        """Make a scheduled callback due at another time; False when somebody else changed it first."""
        return await self._writer.submit(PutAway(callback, Status.SCHEDULED, due_at, reason))

    async def close(self, callback: Callback, status: Status, reason: str) -> bool:
        """End a scheduled callback; False when somebody else changed it first."""
        return await self._writer.submit(PutAway(callback, status, callback.due_at, reason))

    async def expired(self, now: datetime, limit: int) -> list[Callback]:
        """Scheduled callbacks whose promise was to be given up at or before `now`, the longest ago first."""
        return [to_callback(row) for row in await self.read(queries.expired(now, limit))]

    async def wishes(self) -> list[Callback]:
        """Callbacks in progress of which somebody wants something else, unless that is known to be too late."""
        return [to_callback(row) for row in await self.read(queries.WISHES)]

    async def too_late(self, callback: CallbackId) -> None:
        """Note that a wish came too late for the attempt under way."""
        await self._writer.submit(TooLate(callback))

    async def customer_called_in(self, number: str, departments: Sequence[str]) -> list[Callback]:
        """Cancel these departments' scheduled callbacks to a number that got through to us, and wish the same of those
        in progress, unless they are to end already; returns them all."""
        return await self._writer.submit(CalledIn(number, tuple(departments)))

    async def last_rings(self, since: datetime) -> dict[str, datetime]:
        """Of each number that was rung since then, or may have been, the last end."""
        return {row[0]: row[1] for row in await self.read(queries.rings(since))}

    async def usage(self, departments: Sequence[str], since: datetime) -> Usage:
        """What these departments have used up since then: attempts made, and the talk of those that ended."""
        ((attempts, talk),) = await self.read(queries.usage(departments, since))
        return Usage(attempts, timedelta(microseconds=talk))

    async def last_begun(self, departments: Sequence[str], since: datetime) -> list[Begun]:
        """The last attempt of each of these departments by each trunk since then, ended or not."""
        return [Begun(*row) for row in await self.read(queries.begun(departments, since))]

    # --- what requests and people do ---

    async def add(self, callbacks: Sequence[Callback], source: str = "") -> None:
        """Store new callbacks that came from `source`.

        A thousand at a time, so that no claim waits behind a bulk load: after an error, earlier thousands are stored.
        """
        for start in range(0, len(callbacks), _SLICE):
            await self._writer.submit(Add(tuple(callbacks[start : start + _SLICE]), source))

    async def admit(
        self, callbacks: Sequence[Callback], rule: AdmissionRule, source: str = ""
    ) -> list[Callback | Double | RequestRefused]:
        """Store the callbacks that an open one does not promise already and that the rule lets in; one answer each, in
        their order. As in `add`, a thousand at a time."""
        answers: list[Callback | Double | RequestRefused] = []
        for start in range(0, len(callbacks), _SLICE):
            its = await self._writer.submit(Admit(tuple(callbacks[start : start + _SLICE]), rule, source))
            answers.extend(its)
        return answers

    async def cancel(self, id_: CallbackId, reason: str) -> Callback:
        """End a scheduled callback; of one in progress, wish it, for what comes after its attempt. The callback after
        that tells which it was. Raises `IllegalState`, with its status, when it is neither."""
        return await self._writer.submit(Cancel(id_, reason))

    async def reschedule(
        self,
        id_: CallbackId,
        due_at: datetime,
        expires_at: datetime | None,
        wanted_at: datetime | None,
        wanted_until: datetime | None = None,
    ) -> Callback:
        """Make a scheduled callback due at another time, with that time's promise and what the visitor wants now; as
        `cancel` for one in progress, but that raises when it is being cancelled."""
        return await self._writer.submit(Reschedule(id_, due_at, expires_at, wanted_at, wanted_until))

    async def object_to(self, number: str, who: str, why: str) -> Objected:
        """Put a number (E.164) on the do-not-call list, reject what waits for it, and wish that of what is in
        progress. An objection of the same `who` that is in force stays as it is; others' stand beside it."""
        return await self._writer.submit(Object(number, who, why))

    async def allow_again(self, number: str, who: str) -> bool:
        """Take a number (E.164) off the list, whoever put it there; False when it was not there."""
        return await self._writer.submit(Allow(number, who))

    async def resolve(
        self, callback: Callback, decision: Decision, who: str, why: str, *, forced: bool = False
    ) -> Callback:
        """Decide on a callback that waits for a person; recorded with who and why. A retry is due at once, or when
        somebody wished meanwhile.

        Raises `IllegalState`, with its status, when it does not wait any more, or is not as `callback` says: somebody
        else was faster. A retry is refused when somebody wished an end, and for a number on the do-not-call list.
        """
        return await self._writer.submit(Resolve(callback, decision, who, why, forced))

    async def pause(self, stop: Stop, who: str, why: str) -> Pause:
        """Pause something; the pause in force, an earlier one if there is one."""
        return await self._writer.submit(Hold(stop, who, why))

    async def resume(self, stop: Stop, who: str) -> bool:
        """Lift a pause; False when there was none."""
        return await self._writer.submit(Release(stop, who))


def _end_of(attempt: Attempt) -> Verdict:
    if attempt.verdict is None or attempt.ended_at is None:
        raise IllegalState("this attempt has not ended", where=attempt.id)
    return attempt.verdict


def _with_callbacks(rows: Sequence[AnyRow]) -> list[tuple[Attempt, Callback]]:
    own = len(ATTEMPT_COLUMNS)
    return [(to_attempt(row[:own]), to_callback(row[own:])) for row in rows]


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
