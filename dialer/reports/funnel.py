"""The way of the widget's visitors: seen, opened, submitted, requested, connected."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from dialer.domain.widget import EventKind
from dialer.reports.groups import Key
from dialer.reports.rows import Visit
from dialer.reports.spread import share


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many sessions came how far, each counted once a day; a rate is a stage's share of the one before it, None
    where that is empty. `requests` and `connected` are of the sessions that submitted."""

    group: str
    impressions: int
    opens: int
    submits: int
    requests: int
    connected: int
    open_rate: float | None
    submit_rate: float | None
    request_rate: float | None
    connected_rate: float | None


class FunnelSums:
    """Of the widget's events."""

    def __init__(self) -> None:
        self._kinds: Counter[EventKind] = Counter()
        self._requests = 0
        self._connected = 0

    def add(self, visit: Visit) -> None:
        """Count one more."""
        self._kinds[visit.kind] += 1
        self._requests += visit.requested
        self._connected += visit.connected

    def figures(self, key: Key) -> Iterable[Funnel]:
        """One row."""
        seen = [*(self._kinds[kind] for kind in EventKind), self._requests, self._connected]
        rates = [share(later, before) for before, later in pairwise(seen)]
        (group,) = key
        yield Funnel(group, *seen, *rates)
