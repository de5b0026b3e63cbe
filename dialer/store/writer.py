"""The one writer: what is asked for together becomes durable together, in one transaction.

A trip to the driver's thread and a flush cost far more than a row: so operations that arrive within a few
milliseconds share their statements and their commit. An operation that breaks the transaction fails alone; the rest
is written without it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from dialer.domain.attempt import Attempt
from dialer.domain.errors import StoreError
from dialer.domain.ids import AttemptId
from dialer.store.dialect import SqliteFile
from dialer.store.operations import End, Note, Operation

R = TypeVar("R")

_MAX_GROUP = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a write waits for company, in seconds; one whose time has come takes all that wait along.

    `ends` is longer because nobody waits for an end as a visitor waits for a call, and the PBX's journal holds it
    meanwhile. `notes` is the most that a crash may take of an attempt's progress.
    """

    changes: float = 0.004
    ends: float = 0.04
    notes: float = 0.25


@dataclass(frozen=True, slots=True)
class _Waiting:
    operation: Operation[Any]
    done: asyncio.Future[Any]


class Writer:
    """Writes what is submitted, in groups, while `run` runs."""

    def __init__(self, database: SqliteFile, now: Callable[[], datetime], pace: Pace) -> None:
        self._database = database
        self._now = now
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._notes: dict[AttemptId, Attempt] = {}
        self._notes_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._file = database.inode()
        self.listeners: list[Callable[[], None]] = []
        """Called after each commit that may have changed a callback; they neither wait nor raise."""

    async def submit(self, operation: Operation[R]) -> R:
        """Write one operation; durable on return. Its writing survives the caller's cancellation.

        Raises `StoreError` when it was not written, `IllegalState` when the store's state does not allow it.
        """
        if self._closing:
            raise self._closed()
        done: asyncio.Future[R] = self._loop.create_future()
        self._queue.append(_Waiting(operation, done))
        self._write_by(self._loop.time() + (self._pace.ends if isinstance(operation, End) else self._pace.changes))
        return await asyncio.shield(done)

    def note(self, attempt: Attempt) -> None:
        """Write an attempt's latest progress soon, without waiting; tried again while the database fails."""
        if not self._notes:
            self._notes_due = self._loop.time() + self._pace.notes
            self._write_by(self._notes_due)
        self._notes[attempt.id] = attempt

    def forget_note(self, attempt: AttemptId) -> None:
        """Drop an attempt's unwritten progress, because its end is about to be written."""
        self._notes.pop(attempt, None)

    def close(self) -> None:
        """Let `run` write what was submitted and return."""
        self._closing = True
        self._wake.set()

    async def run(self, connection: AsyncConnection) -> None:
        """Write through this connection, which is the writer's alone, until closed."""
        try:
            while self._queue or not self._closing:
                await self._wake.wait()
                self._wake.clear()
                await self._write_group(connection)
            self._notes_due = 0.0
            await self._write_group(connection)
        finally:
            self._abandon()

    def _write_by(self, when: float) -> None:
        """Wake the writer at this loop time at the latest."""
        if self._timer is None or when < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    async def _write_group(self, connection: AsyncConnection) -> None:
        group = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP))]
        if self._queue:
            self._wake.set()
        notes = self._take_notes()
        operations = [*(waiting.operation for waiting in group), *(Note(attempt) for attempt in notes)]
        results = await self._write(connection, operations)
        for waiting, result in zip(group, results, strict=False):
            if isinstance(result, Exception):
                waiting.done.set_exception(result)
            else:
                waiting.done.set_result(result)
        for attempt, result in zip(notes, results[len(group) :], strict=True):
            if isinstance(result, Exception) and attempt.id not in self._notes:
                self.note(attempt)

    def _take_notes(self) -> list[Attempt]:
        """The notes, once their time has come: until then later ones of the same attempt replace them for nothing."""
        if not self._notes:
            return []
        if self._loop.time() < self._notes_due:
            self._write_by(self._notes_due)
            return []
        notes, self._notes = list(self._notes.values()), {}
        return notes

    async def _write(self, connection: AsyncConnection, operations: Sequence[Operation[Any]]) -> list[Any]:
        """Each operation's result or error, in order; never raises."""
        if not operations:
            return []
        if self._database.inode() != self._file:
            return [self._database.gone() for _ in operations]
        try:
            results = await connection.run_sync(_transact, operations, self._now())
        except Exception as error:  # noqa: BLE001  # whatever one group meets must not end the writer
            if len(operations) == 1 or self._database.is_fault(error):
                return [self._database.explain(error) for _ in operations]
            # One of them broke the transaction: each for itself, so that the others do not fail with it.
            return [(await self._write(connection, [operation]))[0] for operation in operations]
        if not all(operation.quiet for operation in operations):
            for heard in self.listeners:
                heard()
        return results

    def _abandon(self) -> None:
        """Nobody will write any more: nobody must wait for it."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        for waiting in self._queue:
            waiting.done.set_exception(self._closed())
        self._queue.clear()

    def _closed(self) -> StoreError:
        return StoreError("the store is closed", where=str(self._database.path))


def _transact(connection: Connection, operations: Sequence[Operation[Any]], now: datetime) -> list[Any]:
    """Write all in one transaction, each kind in one go; results in the order of the operations."""
    kinds: dict[type[Operation[Any]], list[int]] = {}
    for place, operation in enumerate(operations):
        kinds.setdefault(type(operation), []).append(place)
    results: list[Any] = [None] * len(operations)
    with connection.begin():
        for kind, places in kinds.items():
            written = kind.write(connection, [operations[place] for place in places], now)
            for place, result in zip(places, written, strict=True):
                results[place] = result
    return results
