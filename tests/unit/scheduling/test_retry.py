"""The next step after an attempt, outcome by outcome."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.directory import Interval, OpeningHours, RetryRule
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.scheduling.hours import is_open
from dialer.scheduling.retry import NextStep, plan

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in London
DUE = NOW - timedelta(minutes=1)
LONDON = ZoneInfo("Europe/London")
OFFICE = OpeningHours(LONDON, (*[(Interval(time(9), time(17)),)] * 5, (), ()))
NEVER = OpeningHours(LONDON, ((),) * 7)

MINUTE = timedelta(minutes=1)
RETRYABLE = [outcome for outcome in Outcome if outcome not in {Outcome.CONNECTED, Outcome.IN_DOUBT}]
RULE = RetryRule(
    delays=dict.fromkeys(RETRYABLE, (MINUTE, 5 * MINUTE, 60 * MINUTE)),
    max_customer_attempts=4,
    max_agent_rings=6,
)

CUSTOMERS = [
    Outcome.CUSTOMER_BUSY,
    Outcome.CUSTOMER_NO_ANSWER,
    Outcome.CUSTOMER_DECLINED,
    Outcome.CUSTOMER_UNREACHABLE,
    Outcome.ABANDONED_BY_AGENT,
]
AGENTS = [
    Outcome.AGENT_BUSY,
    Outcome.AGENT_NO_ANSWER,
    Outcome.AGENT_DECLINED,
    Outcome.AGENT_UNAVAILABLE,
    Outcome.PBX_FAILURE,
]


def callback(customer_attempts: int = 0, agent_rings: int = 0) -> Callback:
    return Callback(
        id=CallbackId("01HZXW0000000000000000000C"),
        site="shop",
        department="sales",
        visitor=Visitor(phone="+441614960001"),
        requested_at=DUE,
        wanted_at=None,
        due_at=DUE,
        status=Status.IN_PROGRESS,
        customer_attempts=customer_attempts,
        agent_rings=agent_rings,
    )


def step(outcome: Outcome, rule: RetryRule = RULE, customer_attempts: int = 0, agent_rings: int = 0) -> NextStep:
    return plan(callback(customer_attempts, agent_rings), outcome, rule, OFFICE, NOW)


def test_a_connection_completes_the_callback() -> None:
    assert step(Outcome.CONNECTED) == NextStep(Status.COMPLETED, DUE, "connected", 1, 0)


def test_a_doubt_goes_to_a_person_and_changes_no_count() -> None:
    assert step(Outcome.IN_DOUBT, customer_attempts=2, agent_rings=1) == NextStep(
        Status.NEEDS_REVIEW, DUE, "in_doubt", 2, 1
    )


@pytest.mark.parametrize("outcome", CUSTOMERS)
@pytest.mark.parametrize(("before", "delay"), [(0, MINUTE), (1, 5 * MINUTE), (2, 60 * MINUTE)])
def test_the_customers_ladder(outcome: Outcome, before: int, delay: timedelta) -> None:
    assert step(outcome, customer_attempts=before, agent_rings=3) == NextStep(
        Status.SCHEDULED, NOW + delay, f"again after {outcome}", before + 1, 0
    )


@pytest.mark.parametrize("outcome", AGENTS)
@pytest.mark.parametrize(("before", "delay"), [(0, MINUTE), (1, 5 * MINUTE), (2, 60 * MINUTE), (4, 60 * MINUTE)])
def test_the_agents_ladder_uses_up_no_customer_attempt_and_its_last_step_repeats(
    outcome: Outcome, before: int, delay: timedelta
) -> None:
    assert step(outcome, customer_attempts=2, agent_rings=before) == NextStep(
        Status.SCHEDULED, NOW + delay, f"again after {outcome}", 2, before + 1
    )


@pytest.mark.parametrize("outcome", [Outcome.NOT_PLACED, Outcome.CANCELLED])
def test_what_rang_nobody_costs_nothing(outcome: Outcome) -> None:
    after = step(outcome, customer_attempts=2, agent_rings=1)
    assert (after.status, after.customer_attempts, after.agent_rings) == (Status.SCHEDULED, 2, 1)


@pytest.mark.parametrize("outcome", CUSTOMERS)
def test_the_cap_on_customer_attempts(outcome: Outcome) -> None:
    assert step(outcome, customer_attempts=3) == NextStep(Status.FAILED, DUE, f"{outcome}: 4 attempts were made", 4, 0)


@pytest.mark.parametrize("outcome", AGENTS)
def test_the_cap_on_agent_rings(outcome: Outcome) -> None:
    assert step(outcome, agent_rings=5) == NextStep(
        Status.FAILED, DUE, f"{outcome}: agents were rung 6 times in vain", 0, 6
    )


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_an_outcome_without_a_ladder_is_not_tried_again(outcome: Outcome) -> None:
    after = step(outcome, replace(RULE, delays={}))
    assert (after.status, after.reason) == (Status.FAILED, f"{outcome}: not tried again")


def test_a_retry_after_hours_waits_for_the_next_opening() -> None:
    late = datetime(2030, 5, 17, 15, 58, tzinfo=UTC)  # a Friday, two minutes before closing
    after = plan(callback(customer_attempts=1), Outcome.CUSTOMER_BUSY, RULE, OFFICE, late)
    assert after.due_at == datetime(2030, 5, 20, 8, 0, tzinfo=UTC)


def test_a_department_that_never_opens_gives_up() -> None:
    after = plan(callback(), Outcome.CUSTOMER_BUSY, RULE, NEVER, NOW)
    assert after == NextStep(Status.FAILED, DUE, "again after customer_busy, but never opens", 1, 0)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=200))
def test_any_run_of_outcomes_keeps_the_caps_and_the_hours(story: list[Outcome]) -> None:
    current, now = callback(), NOW
    for outcome in story:
        after = plan(current, outcome, RULE, OFFICE, now)
        assert after.customer_attempts >= current.customer_attempts
        assert after.customer_attempts <= RULE.max_customer_attempts
        assert after.agent_rings <= RULE.max_agent_rings
        if after.status is not Status.SCHEDULED:
            assert after.due_at == current.due_at
            return
        assert after.due_at > now
        assert is_open(OFFICE, after.due_at)
        now = after.due_at
        current = replace(current, customer_attempts=after.customer_attempts, agent_rings=after.agent_rings, due_at=now)
