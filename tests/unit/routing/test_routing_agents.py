"""Who rings next: each rule as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.directory import AgentOrder, Overflow
from dialer.routing.agents import candidates
from tests.unit.routing.house import AGENTS, SALES, directory

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
RING, ROBIN, IDLE = AgentOrder.RING_ORDER, AgentOrder.ROUND_ROBIN, AgentOrder.LONGEST_IDLE
ALL = {"anna", "ben", "chloe"}
HELPED = replace(SALES, overflow=Overflow(timedelta(minutes=5), ("dan", "ben", "eve")))


def ago(**seconds: int) -> dict[str, datetime]:
    return {agent: NOW - timedelta(seconds=count) for agent, count in seconds.items()}


@pytest.mark.parametrize(
    ("rule", "free", "rung", "since", "expected"),
    [
        # Nobody, or only somebody else's agent.
        (RING, set(), {}, {}, ""),
        (ROBIN, set(), {}, {}, ""),
        (IDLE, set(), {}, {}, ""),
        (RING, {"dan"}, {}, {}, ""),
        (ROBIN, {"dan"}, {}, {}, ""),
        (IDLE, {"dan"}, {}, {}, ""),
        # Ring order: always from the top, whoever was rung.
        (RING, ALL, {}, {}, "anna ben chloe"),
        (RING, ALL, ago(anna=1), ago(anna=1, ben=900), "anna ben chloe"),
        (RING, {"chloe", "ben"}, ago(ben=1), {}, "ben chloe"),
        # Round robin: who comes after the last one rung.
        (ROBIN, ALL, {}, {}, "anna ben chloe"),
        (ROBIN, ALL, ago(anna=5), {}, "ben chloe anna"),
        (ROBIN, ALL, ago(anna=5, ben=2), {}, "chloe anna ben"),
        (ROBIN, ALL, ago(anna=5, ben=2, chloe=1), {}, "anna ben chloe"),
        (ROBIN, ALL, ago(anna=1, ben=9, chloe=5), ago(anna=900), "ben chloe anna"),
        # … also when the last one rung is not free, or was of another department.
        (ROBIN, {"anna", "chloe"}, ago(ben=1), {}, "chloe anna"),
        (ROBIN, {"anna", "ben"}, ago(ben=1), {}, "anna ben"),
        (ROBIN, ALL, ago(dan=1, anna=5), {}, "ben chloe anna"),
        # … and of two rung at the same moment the later in the order.
        (ROBIN, ALL, ago(anna=5, ben=5), {}, "chloe anna ben"),
        # Longest idle: whoever has been free the longest.
        (IDLE, ALL, {}, ago(anna=10, ben=30, chloe=20), "ben chloe anna"),
        (IDLE, {"anna", "chloe"}, {}, ago(anna=10, ben=30, chloe=20), "chloe anna"),
        # … who has been free for as long as anybody knows comes first,
        (IDLE, ALL, {}, ago(anna=10, ben=30), "chloe ben anna"),
        # … who was rung in vain is idle still; ties go by the last ring, then by the configured order.
        (IDLE, ALL, ago(ben=1), ago(anna=10, ben=30, chloe=20), "ben chloe anna"),
        (IDLE, ALL, ago(anna=10, ben=30, chloe=20), ago(anna=60, ben=60, chloe=60), "ben chloe anna"),
        (IDLE, ALL, ago(anna=10), ago(anna=60, ben=60, chloe=60), "ben chloe anna"),
        (IDLE, ALL, ago(anna=10, ben=10, chloe=10), {}, "anna ben chloe"),
    ],
)
def test_the_order_to_ring(
    rule: AgentOrder, free: set[str], rung: dict[str, datetime], since: dict[str, datetime], expected: str
) -> None:
    found = candidates(replace(SALES, order=rule), directory(), free, rung, since, overflow=False)
    assert [agent.id for agent in found] == expected.split()


@pytest.mark.parametrize(
    ("rule", "overflow", "free", "rung", "since", "expected"),
    [
        (RING, False, ALL | {"dan", "eve"}, {}, {}, "anna ben chloe"),
        (RING, True, ALL | {"dan", "eve"}, {}, {}, "anna ben chloe dan eve"),
        (RING, True, {"dan", "eve", "finn"}, {}, {}, "dan eve"),
        # Those who help out come behind everybody of the department, by the same rule among themselves.
        (ROBIN, True, {"chloe", "dan", "eve"}, ago(chloe=1, dan=5), {}, "chloe eve dan"),
        (IDLE, True, {"anna", "dan", "eve"}, {}, ago(anna=1, dan=20, eve=900), "anna eve dan"),
        # Somebody of both is rung once, as one of the department.
        (RING, True, {"ben", "dan"}, {}, {}, "ben dan"),
    ],
)
def test_who_helps_out_rings_behind_the_departments_own(
    rule: AgentOrder,
    overflow: bool,  # noqa: FBT001  # a parameter
    free: set[str],
    rung: dict[str, datetime],
    since: dict[str, datetime],
    expected: str,
) -> None:
    found = candidates(replace(HELPED, order=rule), directory(), free, rung, since, overflow=overflow)
    assert [agent.id for agent in found] == expected.split()


def test_without_anybody_to_help_out_overflow_changes_nothing() -> None:
    assert candidates(SALES, directory(), {"anna", "dan"}, {}, {}, overflow=True) == [AGENTS["anna"]]


@given(free=st.sets(st.sampled_from(sorted(AGENTS))), rule=st.sampled_from(AgentOrder), overflow=st.booleans())
def test_everybody_free_is_named_once_and_nobody_else(free: set[str], rule: AgentOrder, *, overflow: bool) -> None:
    department = replace(HELPED, order=rule)
    rung = {agent: NOW - timedelta(seconds=len(agent)) for agent in free}
    found = [agent.id for agent in candidates(department, directory(), free, rung, rung, overflow=overflow)]
    assert len(found) == len(set(found))
    assert set(found) == free & (ALL | {"dan", "eve"} if overflow else ALL)


def test_in_turn_everybody_is_rung_equally_often() -> None:
    rung: dict[str, datetime] = {}
    turns = []
    for second in range(9):
        first = candidates(replace(SALES, order=ROBIN), directory(), ALL, rung, {}, overflow=False)[0]
        rung[first.id] = NOW + timedelta(seconds=second)
        turns.append(first.id)
    assert turns == ["anna", "ben", "chloe"] * 3
