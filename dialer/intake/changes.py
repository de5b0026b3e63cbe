"""What somebody wants of a live callback: to cancel it, to move it, or not to be called any more; and who won where an
attempt was under way.

The store notes what is wanted of a callback whose attempt runs, and the daemon that runs it answers there: by the
attempt's end, or by a note that its customer was being dialled already.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Protocol

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.ids import CallbackId
from dialer.intake.allowance import Allowance, UsageStore
from dialer.intake.moments import window
from dialer.intake.promises import promised


class Objected(Protocol):
    """What an objection found: waiting callbacks that it rejected, and those with an attempt under way."""

    @property
    def rejected(self) -> Sequence[CallbackId]: ...

    @property
    def in_progress(self) -> Sequence[CallbackId]: ...


class ChangingStore(UsageStore, Protocol):
    """The part of the store that takes changes. Raises `StoreError` when nothing was written, `IllegalState` for a
    callback that is not there or can no longer be changed so."""

    async def get(self, id_: CallbackId) -> Callback | None:
        """One callback."""

    async def cancel(self, id_: CallbackId, reason: str) -> Callback:
        """End a callback that is scheduled; note the wish on one in progress."""

    async def reschedule(
        self,
        id_: CallbackId,
        due_at: datetime,
        expires_at: datetime | None,
        wanted_at: datetime | None,
        wanted_until: datetime | None,
    ) -> Callback:
        """Make a callback that is scheduled due at another time; note the wish on one in progress."""

    async def object_to(self, number: str, who: str, why: str) -> Objected:
        """Put a number (E.164) on the do-not-call list, reject what waits for it, and note the wish on the rest."""


class Answer(StrEnum):
    """Who won. `done`: it is as was wanted. `too_late`: the attempt came first; its customer is being called, or it has
    ended otherwise. `undecided`: no daemon answered; the wish is noted and holds as soon as one runs."""

    DONE = "done"
    TOO_LATE = "too_late"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a wish, and the callback as it was seen last. Too late with the callback still in progress, the
    wish holds for what comes after the attempt."""

    answer: Answer
    callback: Callback


@dataclass(frozen=True, slots=True)
class Silenced:
    """What an objection did: waiting callbacks that it rejected, and what became of those with an attempt under way."""

    rejected: Sequence[CallbackId]
    under_way: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a daemon's answer is waited for, and how long between two looks for it, in seconds of `clock`."""

    patience: float = 8.0
    between: float = 0.1
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = monotonic


async def cancel(
    store: ChangingStore, wake: Callable[[], object], id_: CallbackId, reason: str, waiting: Waiting
) -> Change:
    """Have a callback cancelled; returns when that is decided. `wake` wakes the daemon. Raises `IllegalState` where it
    can no longer be."""
    changed = await store.cancel(id_, reason)
    wake()
    return await _answered(store, changed, Status.CANCELLED, waiting, waiting.clock())


async def move(
    store: ChangingStore,
    wake: Callable[[], object],
    directory: Directory,
    id_: CallbackId,
    wish: tuple[str, str],
    now: datetime,
    waiting: Waiting,
) -> Change:
    """Have a callback moved to the time, or the window, that `wish` names as a request's `at` and `until` ('': none)
    do; otherwise as `cancel`. Raises `RequestRefused` as submission does."""
    callback = await _get(store, id_)
    department = directory.departments.get(callback.department)
    if department is None:
        what = f"its department {callback.department} is not in the configuration"
        raise IllegalState(what, where=id_, remedy="add the department again, or cancel the callback")
    wanted = window(*wish, directory.sites[department.site].zone, now)
    promise = promised(directory, department, callback.visitor.phone, wanted, now)
    allowed = await Allowance(store, directory, now).check(replace(callback, due_at=promise.due_at))
    if isinstance(allowed, RequestRefused):
        raise allowed
    changed = await store.reschedule(id_, promise.due_at, promise.expires_at, *wanted)
    wake()
    return await _answered(store, changed, Status.SCHEDULED, waiting, waiting.clock())


async def object_to(
    store: ChangingStore, wake: Callable[[], object], number: str, who: str, why: str, waiting: Waiting
) -> Silenced:
    """Have a number (E.164) never called again; returns when that is decided for every attempt under way."""
    found = await store.object_to(number, who, why)
    wake()
    since = waiting.clock()
    under_way = [
        await _answered(store, await _get(store, id_), Status.REJECTED, waiting, since) for id_ in found.in_progress
    ]
    return Silenced(found.rejected, under_way)


async def _answered(store: ChangingStore, seen: Callback, wanted: Status, waiting: Waiting, since: float) -> Change:
    """Look until an attempt under way has ended, or came first; `wanted` is what becomes of the callback if it did
    not."""
    while seen.status is Status.IN_PROGRESS and seen.wish is not None and not seen.wish.late:
        if waiting.clock() - since >= waiting.patience:
            return Change(Answer.UNDECIDED, seen)
        await waiting.sleep(waiting.between)
        seen = await _get(store, seen.id)
    # Moved to this moment, it may be in progress again.
    again = wanted is Status.SCHEDULED and seen.status is Status.IN_PROGRESS and seen.wish is None
    return Change(Answer.DONE if again or seen.status is wanted else Answer.TOO_LATE, seen)


async def _get(store: ChangingStore, id_: CallbackId) -> Callback:
    found = await store.get(id_)
    if found is None:
        raise IllegalState("there is no such callback", where=id_)
    return found
