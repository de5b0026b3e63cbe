"""What waits for a daemon when its life begins, and how all phones behave in it, so that its points are passed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from tests.chaos import stream
from tests.chaos.points import Setup
from tests.lab import Behaviour, Customer, Lab

WAITING = 7
"""Callbacks at the beginning of a life."""

_OVERDUE = timedelta(minutes=1)
_ODD = 0.2
"""The share of ordinary lives with callbacks that are not to be rung."""

_DEPARTMENTS = {Setup.GHOST: "ghosts", Setup.HANDOVER: "desk"}
_WILLING = frozenset(_DEPARTMENTS) | {
    *(Setup.OVERDUE, Setup.STUCK, Setup.WITHDRAWN, Setup.TOO_LATE, Setup.FAILOVER, Setup.PUT_AWAY),
}
"""Setups whose agents take every call."""


class Feed:
    """One house's phones and numbers. `spared` are its callbacks that must not be rung, whatever comes."""

    def __init__(self, lab: Lab, staff: stream.Staff, numbers: Iterator[str], random: Random) -> None:
        self._lab = lab
        self._staff = staff
        self._numbers = numbers
        self._random = random
        self.spared: set[CallbackId] = set()

    def callbacks(self, setup: Setup, waiting: int) -> list[Callback]:
        """New callbacks that suit the life, beside so many that wait already; scripts all phones for it."""
        for name in self._staff.sellers:
            self._lab.agent(name, self._agent(setup))
        for name in self._staff.desk:
            self._lab.agent(name, stream.handing_over(self._staff.other))
        count = max(3 if setup in _WILLING else 1, WAITING - waiting)
        numbers = [self.number(setup) for _ in range(count)]
        made = [stream.callback(number, _DEPARTMENTS.get(setup, "sales")) for number in numbers]
        if setup is Setup.PUT_AWAY or (setup is Setup.STREAM and self._random.random() < _ODD):
            made += self._not_to_be_rung()
        return made

    def number(self, setup: Setup) -> str:
        """A number that nobody had yet, and whose phone is scripted."""
        number = next(self._numbers)
        behaviour = self._customer(setup)
        # The second trunk often gets through where the first has no line.
        gets_through = behaviour is stream.NO_LINE and (setup is Setup.FAILOVER or self._random.random() < 0.7)
        self.script(number, behaviour, self._answers() if gets_through else behaviour)
        return number

    def script(self, number: str, *behaviours: Behaviour) -> None:
        """Say how a customer's phone behaves, by each trunk."""
        for spelling, behaviour in zip(stream.spellings(number), behaviours, strict=True):
            self._lab.customer(spelling, behaviour)

    def everybody_takes_part(self, waiting: Sequence[Callback]) -> None:
        """Every agent accepts, and every customer who still waits answers: so that the house comes to rest."""
        for name in (*self._staff.sellers, *self._staff.desk):
            self._lab.agent(name, stream.willing_agent())
        for each in waiting:
            self.script(each.visitor.phone, self._answers(), self._answers())

    def _not_to_be_rung(self) -> list[Callback]:
        """One whose visitor is asleep, and one whose time has run out; both due before everybody else's."""
        due = datetime.now(UTC) - _OVERDUE
        early = stream.callback(self.number(Setup.PUT_AWAY), stream.NIGHT, due - _OVERDUE)
        late = replace(stream.callback(self.number(Setup.PUT_AWAY), "sales", due), expires_at=due)
        self.spared |= {early.id, late.id}
        return [early, late]

    def _agent(self, setup: Setup) -> Behaviour:
        if setup is Setup.WITHDRAWN:
            return stream.slow_agent(self._random)
        return stream.willing_agent() if setup in _WILLING else stream.any_agent(self._random)

    def _customer(self, setup: Setup) -> Behaviour:
        match setup:
            case Setup.OVERDUE:
                return Customer.answer(talk_ms=stream.PATIENT)
            case Setup.STUCK:
                return Customer.answer(talk_ms=18000)  # until after the daemon has given up on them
            case Setup.HANDOVER:
                return Customer.answer(talk_ms=8000)
            case Setup.TOO_LATE:
                return Customer.answer(talk_ms=6000)  # a change of mind has to find them talking
            case Setup.FAILOVER:
                return stream.NO_LINE
            case _:
                return stream.any_customer(self._random)

    def _answers(self) -> Behaviour:
        return Customer.answer(talk_ms=self._random.randint(200, 2500))
