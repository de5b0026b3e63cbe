"""The near future in memory: each department's earliest scheduled callbacks. The store stays the queue."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True)
class Due:
    """What is due by department, earliest first, and when the next callback will be (UTC; None: none in sight)."""

    waiting: dict[str, Sequence[Callback]]
    next_at: datetime | None


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

    async def due(self, departments: Iterable[str], now: datetime) -> Due:
        """What is due at `now` (UTC) in these departments, but for what was taken. Raises `StoreError`."""
        waiting: dict[str, Sequence[Callback]] = {}
        later: list[datetime] = []
        for department in departments:
            page = self._pages.get(department)
            if page is None or (not page.waiting and not page.whole):
                page = await self._read(department, now)
            count = bisect_right(page.waiting, now, key=lambda callback: callback.due_at)
            if count:
                waiting[department] = page.waiting[:count]
            if count < len(page.waiting):
                later.append(page.waiting[count].due_at)
        return Due(waiting, min(later, default=None))

    @property
    def ran_out(self) -> bool:
        """True when a page is used up and the store may hold more."""
        return any(not page.waiting and not page.whole for page in self._pages.values())

    def take(self, callback: Callback) -> None:
        """Something was decided on a callback that was due; it is to be settled once the store has it."""
        self._taken.add(callback.id)
        page = self._pages.get(callback.department)
        if page is not None:
            place = next((place for place, one in enumerate(page.waiting) if one.id == callback.id), None)
            if place is not None:
                del page.waiting[place]

    def settle(self, callback: CallbackId) -> None:
        """The store has what was decided on a taken callback: later pages tell the truth about it."""
        self._taken.discard(callback)

    async def _read(self, department: str, now: datetime) -> _Page:
        edition = self._edition
        # While a claim is under way the store still shows its callback as scheduled: read past those.
        limit = _PAGE + len(self._taken)
        found = await self._store.upcoming(department, now + _AHEAD, limit)
        page = _Page([callback for callback in found if callback.id not in self._taken], len(found) < limit)
        if edition == self._edition:
            self._pages[department] = page
        return page
