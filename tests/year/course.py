"""The course of one call, drawn when its Originate arrives: what the agent and the customer will do, and the record
that the dialplan will leave of its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from dialer.domain.outcome import EndRecord, JournalStep, Outcome, Party, Verdict, classify, verdict
from dialer.engine.ports import Order


@dataclass(frozen=True, slots=True)
class Course:
    """`dials_at`: when the customer's leg begins (None: it never does), `answered_at` when they pick up; `rings`:
    whether their phone is heard at all. `told`: what the PBX makes known of the end."""

    ends_at: datetime
    told: Verdict
    dials_at: datetime | None = None
    answered_at: datetime | None = None
    rings: bool = False


@dataclass(frozen=True, slots=True)
class Mood:
    """`away`: nobody is at the agent's phone; `failing`: the share of its calls that the trunk fails."""

    away: bool
    failing: float


def drawn(random: Random, order: Order, mood: Mood, now: datetime) -> Course:
    """One course for an Originate that arrives at `now`."""
    return _without_a_ring(random, now) or _of_the_agent(random, order, mood, now) or _on(random, order, mood, now)


def revoked(now: datetime) -> Course:
    """It was kept from its customer."""
    return _after(now, 0, JournalStep.AGENT_ANSWERED, "refused_revoked", 16)


def _on(random: Random, order: Order, mood: Mood, now: datetime) -> Course:
    """The agent takes the call, and the dialplan goes on to the customer, unless it is too late for that by then."""
    dials_at = now + timedelta(seconds=random.uniform(1, order.agent_ring - 2) + random.uniform(1.3, 5))
    if order.ring_until is not None and order.ring_until <= dials_at:
        return _after(dials_at, 0, JournalStep.AGENT_ANSWERED, "refused_closed", 16)
    return _of_the_customer(random, order, mood, dials_at)


def _without_a_ring(random: Random, now: datetime) -> Course | None:
    dice = random.random()
    if dice > 0.004:
        return None
    return Course(now + timedelta(seconds=0.3), verdict(Outcome.PBX_FAILURE if dice > 0.002 else Outcome.NOT_PLACED))


def _of_the_agent(random: Random, order: Order, mood: Mood, now: datetime) -> Course | None:
    """None: they take the call."""
    rings_out = order.agent_ring, JournalStep.AGENT_RINGING, "", 19
    if mood.away:
        return _after(now, *rings_out)
    dice = random.random()
    for share, end in (
        (0.03, rings_out),
        (0.05, (0.2, JournalStep.AGENT_RINGING, "", 17)),
        (0.065, (random.uniform(1, 9), JournalStep.AGENT_RINGING, "", 21)),
        (0.07, (0.1, JournalStep.AGENT_RINGING, "", 20)),
        (0.075, (14, JournalStep.AGENT_ANSWERED, "agent_silent", 16)),
        (0.08, (6, JournalStep.AGENT_ANSWERED, "agent_declined", 16)),
    ):
        if dice < share:
            return _after(now, *end)
    return None


def _of_the_customer(random: Random, order: Order, mood: Mood, dials_at: datetime) -> Course:
    if random.random() < mood.failing:
        rings = random.random() < 0.1
        told = random.choice((True, None)) if rings else random.choice((False, False, False, None))
        return _customer(dials_at, random.uniform(0.1, 4), "CONGESTION", random.choice((34, 38, 41)), told, rings=rings)
    dice, after = random.random(), random.uniform(1, order.customer_ring - 1)
    for share, length, status, cause, rings in (
        (0.06, 0.1 * after, "BUSY", 17, False),
        (0.18, float(order.customer_ring), "NOANSWER", 16, True),
        (0.21, after, "NOANSWER", 21, True),
        (0.23, 1.0, "CHANUNAVAIL", 1, False),
        (0.25, after, "CANCEL", 16, True),
    ):
        if dice < share:
            return _customer(dials_at, length, status, cause, rings, rings=rings)
    talk = min(random.expovariate(1 / 150), order.max_call)
    answered_at = dials_at + timedelta(seconds=after)
    return _customer(dials_at, after + talk, "ANSWER", 16, True, answered_at=answered_at)


def _customer(
    dials_at: datetime,
    length: float,
    status: str,
    cause: int,
    told: bool | None,  # noqa: FBT001  # of three values
    *,
    rings: bool = True,
    answered_at: datetime | None = None,
) -> Course:
    """`told`: whether the dialplan says that the phone rang."""
    ends_at = dials_at + timedelta(seconds=length)
    by = Party.CUSTOMER if answered_at else None
    record = EndRecord(ends_at, JournalStep.CUSTOMER_DIALLED, answered_at, "", status, cause, by, told)
    return Course(ends_at, classify(record), dials_at, answered_at, rings)


def _after(now: datetime, seconds: float, step: JournalStep, why: str, cause: int) -> Course:
    at = now + timedelta(seconds=seconds)
    return Course(at, classify(EndRecord(at, step, None, why, "", cause, None)))
