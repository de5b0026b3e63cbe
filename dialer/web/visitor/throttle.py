"""How often somebody may ask: an allowance that refills, of which a link that is not ours takes far more."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ASKING = 1.0
"""What a request costs."""

GUESSING = 20.0
"""What a link that is not ours costs on top of it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `most` at once, refilled by `per_second`, kept of the last `askers`."""

    most: float = 120.0
    per_second: float = 2.0
    askers: int = 10_000


MOVES = Allowance(most=10, per_second=1 / 600)
"""How often one callback may be moved: each time, its visitor is sent a message."""


class Throttle:
    """Counts what each asker, by a word of their own, has used up. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], allowance: Allowance = Allowance()) -> None:  # frozen
        self._clock = clock
        self._allowance = allowance
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, asker: str) -> bool:
        """Whether one more request of theirs is answered; it costs what asking costs, if so."""
        if self._available(asker) < ASKING:
            return False
        self.charge(asker, ASKING)
        return True

    def charge(self, asker: str, cost: float) -> None:
        """Take so much from somebody, at the most all that they have."""
        self._left[asker] = max(self._available(asker) - cost, 0.0), self._clock()
        self._left.move_to_end(asker)
        if len(self._left) > self._allowance.askers:
            self._left.popitem(last=False)

    def _available(self, asker: str) -> float:
        left, since = self._left.get(asker, (self._allowance.most, 0.0))
        return min(left + (self._clock() - since) * self._allowance.per_second, self._allowance.most)
