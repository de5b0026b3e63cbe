"""Callbacks and attempts for the store's tests, whole in every field."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dialer.domain.attempt import Attempt, State, Step
from dialer.domain.callback import Callback, Consent, Status, Visitor
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Blame, Outcome, Party, Verdict
from dialer.engine.ports import Claim
from dialer.intake.admission import Seen
from dialer.scheduling.retry import NextStep

NOON = datetime(2026, 3, 2, 12, 0, 0, 123457, UTC)
SECOND = timedelta(seconds=1)
PHONE = "+442079460123"
OTHER = "+441614960123"
NAME = "Zoë “Ω” \N{ARABIC LETTER SHEEN} \N{TELEPHONE RECEIVER}"


def callback(
    number: int, *, department: str = "sales", due_at: datetime = NOON, phone: str = PHONE, session: str = "s-1"
) -> Callback:
    """A scheduled callback; its id sorts by its number."""
    consent = Consent("Yes, call me", NOON - SECOND, "https://example.com/?a=1")
    page, message = "https://example.com/?q=1", "Line one\nline two"
    visitor = Visitor(phone, NAME, "zoe@example.com", page, message, session, consent)
    return Callback(CallbackId(f"C{number:025}"), "example", department, visitor, NOON - SECOND, None, due_at)


def attempt_at(of: Callback, *, twin: str = "A") -> Attempt:
    """The next attempt at a callback, by an agent of its own; `twin` tells apart two that compete for one turn."""
    number = of.attempts + 1
    return Attempt(
        id=AttemptId(f"{twin}{of.id[-20:]}{number:05}"),
        callback_id=of.id,
        number=number,
        department=of.department,
        pbx="pbx1",
        pbx_boot="2026-03-01T10:00:00",
        agent=f"agent{int(of.id[1:])}",
        trunk="carrier",
        caller_id="+442079460000",
        dialled=of.visitor.phone,
        due_at=of.due_at,
        ready_at=of.due_at + timedelta(microseconds=7),
        created_at=NOON,
        pbx_identity="01KJPCZ0V8Z9W6D7V0H2M1N4QK",
        place_by=NOON + 80 * SECOND,
    )


def claim_of(of: Callback, *, twin: str = "A") -> Claim:
    """A claim of a callback as it stands."""
    return Claim(of, attempt_at(of, twin=twin))


def claim_by(agent: str, of: Callback) -> Claim:
    """A claim of a callback for this agent."""
    return Claim(of, replace(attempt_at(of), agent=agent))


def progressed(attempt: Attempt, *steps: str) -> Attempt:
    """The attempt after these steps, a microsecond apart."""
    start = len(attempt.timeline)
    new = [Step(name, NOON + timedelta(microseconds=start + place), "é") for place, name in enumerate(steps)]
    return replace(attempt, state=State.AGENT_RINGING, timeline=(*attempt.timeline, *new))


def ended(attempt: Attempt, outcome: Outcome = Outcome.CONNECTED, at: datetime = NOON) -> Attempt:
    """The attempt at its end."""
    talk = timedelta(seconds=61, microseconds=5)
    verdict = Verdict(outcome, 16, Blame.NOBODY, talk, Party.CUSTOMER, "why", rang=True)
    last = Step("ended", at, "ANSWER, cause 16")
    return replace(attempt, state=State.ENDED, timeline=(*attempt.timeline, last), verdict=verdict, ended_at=at)


def amended(doubt: Attempt, outcome: Outcome = Outcome.CONNECTED) -> Attempt:
    """An attempt in doubt after the record of its end was found: it had ended a minute earlier."""
    found = Verdict(outcome, 16, Blame.NOBODY, timedelta(seconds=35, microseconds=2), Party.AGENT)
    line = Step("amended", NOON, "ANSWER, cause 16")
    return replace(doubt, timeline=(*doubt.timeline, line), verdict=found, ended_at=NOON - 60 * SECOND)


class Door:
    """The door's rule, as far as most tests need one: who objected stays out."""

    horizon = timedelta(0)

    def __call__(self, new: Callback, seen: Seen) -> RequestRefused | None:
        return RequestRefused("number_objected", "phone", "objected") if seen.objected else None


COMPLETED = NextStep(Status.COMPLETED, NOON, "connected", customer_attempts=1, agent_rings=0)
AGAIN = NextStep(
    Status.SCHEDULED,
    NOON + 60 * SECOND,
    "busy",
    customer_attempts=1,
    agent_rings=2,
    expires_at=NOON + 3600 * SECOND,
    day=date(2026, 3, 2),
    day_attempts=1,
    prefer_agent="agent7",
    failed_trunks=("carrier", "other-carrier"),
)
REVIEW = NextStep(Status.NEEDS_REVIEW, NOON, "in_doubt", customer_attempts=0, agent_rings=0)
