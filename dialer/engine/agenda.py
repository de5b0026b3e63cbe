"""The near future in memory: each department's earliest scheduled callbacks. The store stays the queue."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from dialer.engine.ports import EngineStore

_PAGE = 200
"""Callbacks read ahead per department: enough to dial for seconds without a read, small enough to keep at hand."""

_PAST = 2_000
"""Callbacks that a page reaches past, at most, because they were passed over."""

_AHEAD = timedelta(hours=1)
"""How far ahead a page reaches. Pages are read anew by every poke and by the poll floor, long before that."""


@dataclass(slots=True)
class _Page:
    waiting: list[Callback]
    whole: bool
    """True when nothing else is due within the page's reach."""
    reach: datetime
    numbers: tuple[str, ...]
    """How the numbers begin that it reaches (none: as they like)."""
    most: int
    """Callbacks that it may hold."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due by department, earliest first, and when the next callback will be (UTC; None: none in sight)."""

    waiting: dict[str, Sequence[Callback]]
    next_at: datetime | None
    refused: frozenset[str] = frozenset()
    """Agents to whom the store refused a callback that is still as it was: it was not the callback's change."""


class Agenda:
    """Read-ahead of due callbacks. A stale entry does no harm: the claim's compare-and-set finds it out."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._pages: dict[str, _Page] = {}
        self._taken: set[CallbackId] = set()
        self._passed: Mapping[str, int] = {}
        self._refused: dict[str, list[tuple[Callback, str]]] = {}
        """By department, claims that were refused, with their agents, until the callbacks are read again."""
        self._to_blame: set[str] = set()
        self._edition = 0
        self._reading = ""
        self._arrived: list[Callback] = []
        """What was taken in for the department that is being read, while it is read."""

    def invalidate(self) -> None:
        """Something changed in the store: read again before the next use."""
        self._edition += 1
        self._pages.clear()

    async def due(self, departments: Mapping[str, tuple[str, ...]], now: datetime) -> Due:
        """What is due at `now` (UTC) in these departments, but for what was taken. Of each department the beginnings of
        the numbers that can be called (none: as they like): what cannot is left out, lest thousands that wait for a
        trunk keep those back who are behind them. Raises `StoreError`."""
        waiting: dict[str, Sequence[Callback]] = {}
        later: list[datetime] = []
        for department, numbers in departments.items():
            page = self._pages.get(department)
            if page is None or self._used_up(department, page) or not _covers(page.numbers, numbers):
                page = await self._read(department, numbers, now)
            count = bisect_right(page.waiting, now, key=lambda callback: callback.due_at)
            if count:
                waiting[department] = page.waiting[:count]
            if count < len(page.waiting):
                later.append(page.waiting[count].due_at)
        to_blame, self._to_blame = frozenset(self._to_blame), set()
        return Due(waiting, min(later, default=None), to_blame)

    def take_in(self, new: Callback) -> bool:
        """A callback was stored just now; True when there may be something to do for it before the next reading. Its
        department's page need not be read again for it: it goes in where the page would have it, or is left to the
        next page where this one does not reach."""
        if new.department == self._reading:
            self._arrived.append(new)
            return True
        page = self._pages.get(new.department)
        if page is None:
            return True
        return new.id not in self._taken and _put(page, new)

    @property
    def ran_out(self) -> bool:
        """True when a page is used up and the store may hold more."""
        return any(self._used_up(department, page) for department, page in self._pages.items())

    def _used_up(self, department: str, page: _Page) -> bool:
        return not page.whole and len(page.waiting) <= self._passed.get(department, 0)

    def pass_over(self, counts: Mapping[str, int]) -> None:
        """So many of each department's due callbacks were looked at and left as they are: pages reach past them."""
        self._passed = {department: min(count, _PAST) for department, count in counts.items()}

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

    def refuse(self, callback: Callback, agent: str) -> None:
        """The store refused to give a taken callback to this agent: when it is read again, it shows why."""
        self._refused.setdefault(callback.department, []).append((callback, agent))

    async def _read(self, department: str, numbers: tuple[str, ...], now: datetime) -> _Page:
        edition = self._edition
        # While a claim is under way the store still shows its callback as scheduled: read past those, also past those
        # whose claim is decided while we read. What was passed over last time will hardly be rung this time.
        taken = frozenset(self._taken)
        limit = _PAGE + len(taken) + self._passed.get(department, 0)
        refused = self._refused.pop(department, [])
        reach = now + _AHEAD
        self._reading = department
        try:
            found = await self._store.upcoming(department, reach, limit, numbers)
        finally:
            arrived, self._arrived, self._reading = self._arrived, [], ""
        if refused:
            as_they_are = {(callback.id, callback.version) for callback in found}
            self._to_blame |= {agent for callback, agent in refused if (callback.id, callback.version) in as_they_are}
        waiting = [one for one in found if one.id not in taken]
        page = _Page(waiting, len(found) < limit, reach, numbers, limit)
        for new in arrived:
            _put(page, new)
        if edition == self._edition:
            self._pages[department] = page
        return page


def _covers(read: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether what was read holds all numbers that are wanted."""
    return not read or (bool(wanted) and all(prefix.startswith(read) for prefix in wanted))


def _put(page: _Page, new: Callback) -> bool:
    """Put a new callback where it belongs; False where the page does not reach, or holds it already."""
    place = bisect_left(page.waiting, _order(new), key=_order)
    if new.due_at > page.reach or (place == len(page.waiting) and not page.whole):
        return False
    if place < len(page.waiting) and page.waiting[place].id == new.id:
        return False
    page.waiting.insert(place, new)
    if len(page.waiting) > page.most:
        # A flood must not be held in memory: what is due last is read again when its turn comes.
        page.waiting.pop()
        page.whole = False
    return True


def _order(one: Callback) -> tuple[datetime, CallbackId]:
    """As the store has them."""
    return one.due_at, one.id
