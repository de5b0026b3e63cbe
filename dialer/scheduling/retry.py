"""The next step of a callback after an attempt: done, again at a time, a person's review, or given up."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import OpeningHours, RetryRule
from dialer.domain.outcome import Blame, Outcome, blame_of
from dialer.scheduling.hours import next_opening


@dataclass(frozen=True, slots=True)
class NextStep:
    """What becomes of the callback: its status and why, when it is due (UTC), and its two counters."""

    status: Status
    due_at: datetime
    reason: str
    customer_attempts: int
    agent_rings: int


def plan(callback: Callback, outcome: Outcome, rule: RetryRule, hours: OpeningHours, now: datetime) -> NextStep:
    """Decide after `outcome` at `now` (UTC). An agent-side outcome never uses up a customer attempt."""
    customer_attempts, agent_rings = _count(callback, outcome)
    status, reason = _status(outcome, rule, customer_attempts, agent_rings)
    if status is not Status.SCHEDULED:
        return NextStep(status, callback.due_at, reason, customer_attempts, agent_rings)
    ladder = rule.delays[outcome]
    tries = agent_rings if _is_in_vain(outcome) else customer_attempts
    again = next_opening(hours, now + ladder[min(max(tries, 1), len(ladder)) - 1])
    if again is None:
        return NextStep(Status.FAILED, callback.due_at, f"{reason}, but never opens", customer_attempts, agent_rings)
    return NextStep(status, again, reason, customer_attempts, agent_rings)


def _is_in_vain(outcome: Outcome) -> bool:
    """An agent was rung, and the customer's side decided nothing: the agent's, the carrier's or our failure."""
    return blame_of(outcome) in {Blame.AGENT, Blame.CARRIER, Blame.US} and outcome is not Outcome.ABANDONED_BY_AGENT


def _count(callback: Callback, outcome: Outcome) -> tuple[int, int]:
    if outcome in {Outcome.NOT_PLACED, Outcome.CANCELLED, Outcome.IN_DOUBT}:
        return callback.customer_attempts, callback.agent_rings
    if _is_in_vain(outcome):
        return callback.customer_attempts, callback.agent_rings + 1
    return callback.customer_attempts + 1, 0


def _status(outcome: Outcome, rule: RetryRule, customer_attempts: int, agent_rings: int) -> tuple[Status, str]:
    match outcome:
        case Outcome.CONNECTED:
            return Status.COMPLETED, "connected"
        case Outcome.IN_DOUBT:
            return Status.NEEDS_REVIEW, "in_doubt"
        case (
            Outcome.CUSTOMER_BUSY
            | Outcome.CUSTOMER_NO_ANSWER
            | Outcome.CUSTOMER_DECLINED
            | Outcome.CUSTOMER_UNREACHABLE
            | Outcome.AGENT_BUSY
            | Outcome.AGENT_NO_ANSWER
            | Outcome.AGENT_DECLINED
            | Outcome.AGENT_UNAVAILABLE
            | Outcome.ABANDONED_BY_AGENT
            | Outcome.TRUNK_FAILURE
            | Outcome.PBX_FAILURE
            | Outcome.NOT_PLACED
            | Outcome.CANCELLED
        ):
            return _again(outcome, rule, customer_attempts, agent_rings)
        case _:
            assert_never(outcome)


def _again(outcome: Outcome, rule: RetryRule, customer_attempts: int, agent_rings: int) -> tuple[Status, str]:
    if outcome not in rule.delays:
        return Status.FAILED, f"{outcome}: not tried again"
    if customer_attempts >= rule.max_customer_attempts:
        return Status.FAILED, f"{outcome}: {customer_attempts} attempts were made"
    if agent_rings >= rule.max_agent_rings:
        return Status.FAILED, f"{outcome}: agents were rung {agent_rings} times in vain"
    return Status.SCHEDULED, f"again after {outcome}"
