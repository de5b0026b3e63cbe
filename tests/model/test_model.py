"""The once-only protocol holds wherever one fault strikes, and each of its safeguards is needed."""

import pytest

from dialer.domain import events
from dialer.engine.reconcile import Verdictless
from tests.model.__main__ import SMALL
from tests.model.rules import Guard, Rules
from tests.model.safeguards import REMOVALS, Removal, in_place, taken_away
from tests.model.search import explore

MEANINGS = {
    events.AgentAnswered,
    events.CustomerDialling,
    events.Bridged,
    events.HandedOver,
    events.Ended,
    events.NoTrace,
    events.Released,
    events.Lost,
}
"""Every event that `judge` returns."""

UNUSUAL = [removal for removal in REMOVALS if not removal.is_usual]


def test_with_one_fault_everything_holds_and_every_decision_is_reached() -> None:
    result = explore(Rules(SMALL))
    assert result.found is None
    assert result.meanings == {event.__name__ for event in MEANINGS} | {each.name for each in Verdictless}
    assert result.states > 100_000


def test_every_safeguard_is_taken_away_once() -> None:
    assert [removal.guard for removal in REMOVALS] == sorted(Guard, key=[each.guard for each in REMOVALS].index)


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.guard.name.lower())
def test_without_a_safeguard_something_goes_wrong(removal: Removal) -> None:
    found = taken_away(removal).found
    assert found is not None
    assert found.steps


@pytest.mark.parametrize("removal", UNUSUAL, ids=lambda removal: removal.guard.name.lower())
def test_with_it_in_the_same_surroundings_nothing_does(removal: Removal) -> None:
    assert in_place(removal).found is None
