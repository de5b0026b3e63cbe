"""How often somebody may ask: counted exactly, within any stretch of the limit's length."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

from dialer.intake.limits import Limit

_MOST = 10_000
"""Askers who are remembered; the one who has not asked for longest is forgotten first."""


class Pacer:
    """Counts what each asker asks. `clock` gives seconds that only grow."""

    def __init__(self, limit: Limit, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._asked: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def wait(self, asker: Hashable) -> float:
        """Count one more if that keeps the limit, and return 0; else seconds until it would."""
        now = self._clock()
        times = self._asked.setdefault(asker, deque())
        self._asked.move_to_end(asker)
        within = self._limit.within.total_seconds()
        while times and times[0] <= now - within:
            times.popleft()
        if len(times) >= self._limit.count:
            return times[0] + within - now
        times.append(now)
        if len(self._asked) > _MOST:
            self._asked.popitem(last=False)
        return 0.0
