"""Virtual time: what happens when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

_Event = tuple[datetime, int, Callable[..., object], tuple[Any, ...]]


class Timeline:
    """Events in the order of their moments (UTC), those of one moment in the order of their making."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._events: list[_Event] = []
        self._order = count()

    def at(self, moment: datetime, action: Callable[..., object], *args: Any) -> None:
        """Call `action` at a moment; at once, but not now, where that has passed."""
        heappush(self._events, (max(moment, self.now), next(self._order), action, args))

    def after(self, seconds: float, action: Callable[..., object], *args: Any) -> None:
        """Call `action` so much later."""
        heappush(self._events, (self.now + timedelta(seconds=seconds), next(self._order), action, args))

    @property
    def next_at(self) -> datetime:
        """When the next event is."""
        return self._events[0][0]

    def step(self) -> None:
        """Go to the next event's moment, and let everything happen that happens then."""
        moment = self.now = self.next_at
        while self._events and self._events[0][0] == moment:
            _, _, action, args = heappop(self._events)
            action(*args)
