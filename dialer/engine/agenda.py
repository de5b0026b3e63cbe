"""The near future in memory: each department's earliest scheduled callbacks. The store stays the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from dialer.engine.ports import EngineStore

_PAGE = 200
"""Callbacks read ahead per department: enough to dial for seconds without a read, small enough to keep at hand."""

_AHEAD = timedelta(hours=1)
"""How far ahead a page reaches. Pages are read anew by every poke and by the poll floor, long before that."""


@dataclass(slots=True)
class _Page:
    waiting: list[Callback]
    whole: bool
    """True when nothing else is due within the page's reach."""


class Agenda:
    """Read-ahead of due callbacks. A stale entry does no harm: the claim's compare-and-set finds it out."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._pages: dict[str, _Page] = {}
        self._taken: set[CallbackId] = set()
        self._edition = 0

    def invalidate(self) -> None:
        """Something changed in the store: read again before the next use."""
        self._edition += 1
        self._pages.clear()

    async def first(self, department: str, now: datetime) -> datetime | None:
        """When the department's earliest waiting callback is due (UTC); None when none is in sight."""
        page = await self._page(department, now)
        return page.waiting[0].due_at if page.waiting else None

    async def take(self, department: str, now: datetime, count: int) -> list[Callback]:
        """Remove and return at most `count` callbacks that are due, earliest first. Each is to be settled later."""
        page = await self._page(department, now)
        due = 0
        while due < min(count, len(page.waiting)) and page.waiting[due].due_at <= now:
            due += 1
        taken, page.waiting = page.waiting[:due], page.waiting[due:]
        self._taken.update(callback.id for callback in taken)
        return taken

    def settle(self, callback: CallbackId) -> None:
        """A taken callback's claim was decided by the store: later pages tell the truth about it."""
        self._taken.discard(callback)

    async def _page(self, department: str, now: datetime) -> _Page:
        page = self._pages.get(department)
        if page is None or (not page.waiting and not page.whole):
            edition = self._edition
            # While a claim is under way the store still shows its callback as scheduled: read past those.
            limit = _PAGE + len(self._taken)
            found = await self._store.upcoming(department, now + _AHEAD, limit)
            page = _Page([callback for callback in found if callback.id not in self._taken], len(found) < limit)
            if edition == self._edition:
                self._pages[department] = page
        return page
