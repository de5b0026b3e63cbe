"""People who change their minds while daemons live and die, and what they are told."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic

from dialer import poke
from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.directory import Directory
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.intake import changes
from dialer.intake.changes import Answer, Waiting
from dialer.store.store import SqlStore
from tests.chaos.bounds import Wish

BEGUN_WITHIN = 15.0  # seconds
LOOK = 0.1
_KINDS = (WishKind.CANCEL, WishKind.MOVE, WishKind.OBJECTION)
_WAITING = Waiting(patience=30.0)
"""Until the next daemon or the one after that has answered."""


@dataclass(frozen=True)
class Minds:
    """Which share of people change their minds, between two moments in seconds after the attempt began."""

    share: float
    first: float
    last: float


class Askers:
    """Those of one house, by its own store. `told` grows by what each was told about their callback."""

    def __init__(self, store: SqlStore, directory: Directory, socket: Path, random: Random) -> None:
        self._store = store
        self._directory = directory
        self._socket = socket
        self._random = random
        self._asked: set[CallbackId] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self.told: dict[CallbackId, Wish] = {}

    def begin(self, callbacks: Iterable[Callback], minds: Minds) -> None:
        """Let some of these people change their minds while they are called, each once."""
        for each in callbacks:
            if each.id not in self._asked and self._random.random() < minds.share:
                self._asked.add(each.id)
                kind, after = self._random.choice(_KINDS), self._random.uniform(minds.first, minds.last)
                ahead = timedelta(seconds=self._random.uniform(3, 8))
                self._asking.add(asyncio.create_task(self._change_mind(each, kind, after, ahead)))

    async def cancel(self, callback: Callback) -> None:
        """Have a callback cancelled now."""
        await self._ask(callback, WishKind.CANCEL, timedelta(0))

    async def end(self) -> None:
        """Wait until everybody was answered."""
        await asyncio.gather(*self._asking)

    async def _change_mind(self, callback: Callback, kind: WishKind, after: float, ahead: timedelta) -> None:
        deadline = monotonic() + BEGUN_WITHIN
        while monotonic() < deadline:
            found = await self._store.get(callback.id)
            if found is None or found.status is not Status.SCHEDULED:
                break
            await asyncio.sleep(LOOK)
        await asyncio.sleep(after)  # the race itself: a moment of the attempt's life
        await self._ask(callback, kind, ahead)

    async def _ask(self, callback: Callback, kind: WishKind, ahead: timedelta) -> None:
        noted: list[datetime] = []

        def wake() -> None:
            """Called once the wish is on disk."""
            noted.append(datetime.now(UTC))
            poke.poke(self._socket)

        now = datetime.now(UTC)
        due_at = now + ahead if kind is WishKind.MOVE else None
        try:
            answer = await self._answer(callback, kind, wake, due_at, now)
        except IllegalState:
            return  # it was over by then, and nobody was promised anything
        self.told[callback.id] = Wish(kind, noted[0], datetime.now(UTC), answer, due_at)

    async def _answer(
        self,
        callback: Callback,
        kind: WishKind,
        wake: Callable[[], None],
        due_at: datetime | None,
        now: datetime,
    ) -> Answer:
        store, id_ = self._store, callback.id
        if due_at is not None:
            wish = due_at.isoformat(), ""
            return (await changes.move(store, wake, self._directory, id_, wish, now, _WAITING)).answer
        if kind is WishKind.CANCEL:
            return (await changes.cancel(store, wake, id_, "changed my mind", _WAITING)).answer
        silenced = await changes.object_to(store, wake, callback.visitor.phone, "chaos", "asked us to", _WAITING)
        if id_ in silenced.rejected:
            return Answer.DONE
        return next((each.answer for each in silenced.under_way if each.callback.id == id_), Answer.TOO_LATE)
