"""A PBX's stand-in for tests of the engine's loop; `tests/contract/test_pbx.py` holds it to what a real one does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dialer.domain.ids import AttemptId
from dialer.engine.ports import Order, Traces, Unfinished
from tests.unit.engine.floor import NOON


@dataclass
class Switch:
    """What was ordered has reached its customer by the time it is asked, and rings there; `hears` is told each order.
    What the loop's tests never ask is left out."""

    name: str
    hears: Callable[[Order], None]
    clock: datetime = NOON
    boot: str = "boot"
    identity: str = "identity"
    _given: set[AttemptId] = field(default_factory=set)

    async def originate(self, order: Order) -> None:
        self._given.add(order.attempt)
        self.hears(order)

    async def revoke(self, attempts: Sequence[AttemptId]) -> frozenset[AttemptId]:
        return frozenset(attempts)

    async def traces(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Traces]:
        return {attempt: self._traces_of(attempt) for attempt in attempts}

    def _traces_of(self, attempt: AttemptId) -> Traces:
        alive = attempt in self._given
        return Traces(alive, alive, Unfinished("customer_dialled") if alive else None, self.identity)
