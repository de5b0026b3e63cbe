"""Where the open callbacks of a picture of the store lie: by id, by what they promise, by number, and in the order in
which they are due or given up."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush

from dialer.domain.callback import OPEN, Callback, Status
from dialer.domain.ids import CallbackId

PAGE = 200
"""As many of a department's callbacks as the engine looks at together."""

_Place = tuple[datetime, CallbackId, Callback]
_Promise = tuple[str, str, str]

_LAST = CallbackId("~")
"""Behind all ids."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What of a department is due, and when more will be."""

    due: list[Callback]
    next_at: datetime | None


class Shelf:
    """`changed` is told of each callback that is new or changed."""

    def __init__(self, departments: Iterable[str], changed: Callable[[Callback], None]) -> None:
        self.open: dict[CallbackId, Callback] = {}
        self.final: Counter[str] = Counter()
        """How many have each final status."""
        self._changed = changed
        self._scheduled: dict[str, list[_Place]] = {department: [] for department in departments}
        self._pages = dict.fromkeys(self._scheduled, _Page([], None))
        self._changed_in: set[str] = set()
        self._waiting: dict[str, list[Callback]] = {}
        self._next_in: dict[str, datetime] = {}
        self._next_at: datetime | None = None
        self._promises: dict[_Promise, CallbackId] = {}
        self._numbers: defaultdict[str, set[CallbackId]] = defaultdict(set)
        self._expiring: list[tuple[datetime, CallbackId]] = []

    def put(self, new: Callback) -> Callback:
        """A callback is new, or as it is from now on."""
        old = self.open.get(new.id)
        self._changed_in.add(new.department)
        if old is None:
            self._promises[_promise(new)] = new.id
            self._numbers[new.visitor.phone].add(new.id)
        elif old.status is Status.SCHEDULED:
            queue = self._scheduled[old.department]
            del queue[bisect_left(queue, (old.due_at, old.id, old))]
        if new.status in OPEN:
            self.open[new.id] = new
        else:
            self._take_away(new)
        if new.status is Status.SCHEDULED:
            insort(self._scheduled[new.department], (new.due_at, new.id, new))
            if new.expires_at is not None and (old is None or old.expires_at != new.expires_at):
                heappush(self._expiring, (new.expires_at, new.id))
        self._changed(new)
        return new

    def _take_away(self, done: Callback) -> None:
        del self.open[done.id]
        del self._promises[_promise(done)]
        of_number = self._numbers[done.visitor.phone]
        of_number.discard(done.id)
        if not of_number:
            del self._numbers[done.visitor.phone]
        self.final[done.status.value] += 1

    def same_promise(self, new: Callback) -> Callback | None:
        """The open callback that promises what this one asks for."""
        id_ = self._promises.get(_promise(new))
        return None if id_ is None else self.open[id_]

    def of_number(self, number: str) -> list[Callback]:
        """The open callbacks of a number, the earliest first."""
        return [self.open[id_] for id_ in sorted(self._numbers.get(number, ()))]

    def due(self, now: datetime) -> tuple[dict[str, list[Callback]], datetime | None]:
        """What is due, a page of each department, and when the next callback will be."""
        if self._changed_in or (self._next_at is not None and self._next_at <= now):
            for department in self._scheduled:
                page = self._pages[department]
                if department in self._changed_in or (page.next_at is not None and page.next_at <= now):
                    self._turn_over(department, self._read(department, now))
            self._changed_in.clear()
            self._next_at = min(self._next_in.values(), default=None)
        return self._waiting, self._next_at

    def _turn_over(self, department: str, page: _Page) -> None:
        self._pages[department] = page
        self._waiting.pop(department, None)
        if page.due:
            self._waiting[department] = page.due
        self._next_in.pop(department, None)
        if page.next_at is not None:
            self._next_in[department] = page.next_at

    def _read(self, department: str, now: datetime) -> _Page:
        queue = self._scheduled[department]
        count = bisect_right(queue, (now, _LAST))
        due = [callback for _, _, callback in queue[: min(count, PAGE)]]
        return _Page(due, queue[count][0] if count < len(queue) else None)

    def expired(self, now: datetime) -> Iterator[Callback]:
        """Scheduled callbacks whose promise is to be given up."""
        while self._expiring and self._expiring[0][0] <= now:
            _, id_ = heappop(self._expiring)
            found = self.open.get(id_)
            if found is None or found.expires_at is None or found.expires_at > now:
                continue
            if found.status is Status.SCHEDULED:
                yield found


def _promise(of: Callback) -> _Promise:
    return of.visitor.phone, of.site, of.department
