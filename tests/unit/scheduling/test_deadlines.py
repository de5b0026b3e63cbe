"""How long an attempt may stay in each state."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from dialer.domain.attempt import State
from dialer.scheduling.deadlines import patience
from dialer.settings.models import DepartmentSettings
from tests.unit.scheduling.samples import DEPARTMENT

OTHERWISE = {"name": "Sales", "agents": ["anna"], "hours": {"mon": ["09:00-17:00"]}}


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (State.ORIGINATING, 35),
        (State.AGENT_RINGING, 35),
        (State.AGENT_ANSWERED, 75),
        (State.CUSTOMER_DIALLING, 40),
        (State.CUSTOMER_RINGING, 40),
        (State.BRIDGED, 3615),
    ],
)
def test_patience_covers_what_the_dialplan_may_take(state: State, seconds: int) -> None:
    assert patience(state, DEPARTMENT) == timedelta(seconds=seconds)


def test_an_ended_attempt_is_never_overdue() -> None:
    assert patience(State.ENDED, DEPARTMENT) == timedelta.max


def test_patience_follows_the_department() -> None:
    slow = replace(DEPARTMENT, agent_ring=60, customer_ring=120, max_call=60)
    assert [patience(state, slow).total_seconds() for state in State if state is not State.ENDED] == [
        75,
        75,
        75,
        135,
        135,
        75,
    ]


def test_a_department_that_is_no_longer_configured_could_have_been_as_slow_as_any() -> None:
    """By the settings of the slowest."""
    slowest = {"agent_ring": 120, "customer_ring": 120, "max_call": 86_400}
    with pytest.raises(ValidationError, match="3 validation errors"):
        DepartmentSettings.model_validate({**OTHERWISE, **{name: value + 1 for name, value in slowest.items()}})
    given = DepartmentSettings.model_validate({**OTHERWISE, **slowest})
    known = replace(DEPARTMENT, agent_ring=given.agent_ring, customer_ring=given.customer_ring, max_call=given.max_call)
    assert [patience(state, None) for state in State] == [patience(state, known) for state in State]
