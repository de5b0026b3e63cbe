"""Breadth-first search through every reachable state, so that the first counter-example is a shortest one."""

import sys
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.model import daemon, decisions, faults, pbx, person
from tests.model.properties import NO_END, at_rest, broken
from tests.model.rules import Rules
from tests.model.state import World, canonical

_TELL_EVERY = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """A property that does not hold, and the steps that show it."""

    property: str
    steps: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """What an exploration saw. `meanings`: everything that `judge` answered in it."""

    states: int
    transitions: int
    found: Found | None
    seconds: float
    meanings: frozenset[str] = field(default_factory=frozenset)


def successors(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Every step that may come next, faults excepted."""
    yield from daemon.moves(world, rules)
    for index, attempt in enumerate(world.tries):
        if attempt.row != "over":
            yield from pbx.moves(world, index, rules)
    yield from pbx.flush(world)
    yield from person.moves(world, rules)
    yield from faults.mends(world)


class _Search:
    def __init__(self, rules: Rules, wanted: frozenset[str] | None) -> None:
        self._rules = rules
        self._wanted = wanted
        first = World(faults=rules.faults)
        self._numbers: dict[World, int] = {first: 0}
        self._worlds = [first]
        self._parents = array("l", [-1])
        self._parts: dict[object, object] = {}
        self._begun = time.process_time()
        # The steps that are no faults, as pairs of states: those lead to an end, or a state has none.
        self._from, self._to = array("l"), array("l")
        self.transitions = 0

    def run(self) -> Found | None:
        place = 0
        while place < len(self._worlds):
            world = self._worlds[place]
            for _, after in successors(world, self._rules):
                number = self._visit(after, place)
                self._from.append(place)
                self._to.append(number)
                if number < 0:
                    return self._found
            for _, after in faults.moves(world, self._rules):
                if self._visit(after, place) < 0:
                    return self._found
            place += 1
            if place % _TELL_EVERY == 0:
                self._tell(place)
        return None if self._wanted is not None and NO_END not in self._wanted else self._stranded()

    def _visit(self, world: World, parent: int) -> int:
        """The state's number; -1 when it breaks a property."""
        self.transitions += 1
        world = canonical(world)
        number = self._numbers.get(world)
        if number is not None:
            return number
        number = len(self._worlds)
        share = self._parts.setdefault
        world = world._replace(
            tries=share(world.tries, world.tries),  # type: ignore[arg-type]  # the same kind of part
            daemon=share(world.daemon, world.daemon),  # type: ignore[arg-type]  # as above
        )
        self._numbers[world] = number
        self._worlds.append(world)
        self._parents.append(parent)
        wrong = broken(world)
        if wrong and (self._wanted is None or wrong in self._wanted):
            self._found = Found(wrong, self._steps_to(number))
            return -1
        return number

    def _stranded(self) -> Found | None:
        """A state from which no end can be reached without another fault."""
        count = len(self._worlds)
        before: list[array[int] | None] = [None] * count
        for source, target in zip(self._from, self._to, strict=True):
            sources = before[target]
            if sources is None:
                before[target] = array("l", [source])
            else:
                sources.append(source)
        ends = [number for number, world in enumerate(self._worlds) if at_rest(world)]
        good = bytearray(count)
        for number in ends:
            good[number] = 1
        while ends:
            for source in before[ends.pop()] or ():
                if not good[source]:
                    good[source] = 1
                    ends.append(source)
        lost = good.find(0)
        return None if lost < 0 else Found(NO_END, self._steps_to(lost))

    def _steps_to(self, number: int) -> tuple[str, ...]:
        """The labels on the way to a state, found by taking the same steps again."""
        path = [number]
        while self._parents[path[-1]] >= 0:
            path.append(self._parents[path[-1]])
        path.reverse()
        return tuple(self._label(before, after) for before, after in pairwise(path))

    def _label(self, before: int, after: int) -> str:
        world = self._worlds[before]
        every = (*successors(world, self._rules), *faults.moves(world, self._rules))
        return next(label for label, next_ in every if canonical(next_) == self._worlds[after])

    def _tell(self, place: int) -> None:
        took = time.process_time() - self._begun
        print(f"  {len(self._worlds):,} states, {place:,} expanded, {took:.0f} s", file=sys.stderr, flush=True)


def explore(rules: Rules, wanted: frozenset[str] | None = None) -> Result:
    """Explore everything under these rules until a property (one of `wanted`; None: any) is found broken."""
    decisions.forget()
    begun = time.process_time()
    search = _Search(rules, wanted)
    found = search.run()
    took = time.process_time() - begun
    return Result(len(search._worlds), search.transitions, found, took, frozenset(decisions.reached))
