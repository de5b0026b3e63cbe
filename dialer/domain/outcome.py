"""How attempts end: the closed list of outcomes, and the one place that derives them from what the PBX recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never


class Outcome(StrEnum):
    """How an attempt ended. The list is closed: adding one makes the type checker name every place that forgot it."""

    CONNECTED = "connected"
    CUSTOMER_BUSY = "customer_busy"
    CUSTOMER_NO_ANSWER = "customer_no_answer"
    CUSTOMER_DECLINED = "customer_declined"
    CUSTOMER_UNREACHABLE = "customer_unreachable"
    AGENT_BUSY = "agent_busy"
    AGENT_NO_ANSWER = "agent_no_answer"
    AGENT_DECLINED = "agent_declined"
    AGENT_UNAVAILABLE = "agent_unavailable"
    ABANDONED_BY_AGENT = "abandoned_by_agent"
    TRUNK_FAILURE = "trunk_failure"
    PBX_FAILURE = "pbx_failure"
    NOT_PLACED = "not_placed"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"


class Blame(StrEnum):
    """Whose side an end lies on."""

    NOBODY = "nobody"
    CUSTOMER = "customer"
    AGENT = "agent"
    CARRIER = "carrier"
    US = "us"
    UNKNOWN = "unknown"


class Party(StrEnum):
    """Who hung up first, once both were talking."""

    AGENT = "agent"
    CUSTOMER = "customer"


class JournalStep(StrEnum):
    """How far the dialplan had come when the attempt ended."""

    AGENT_RINGING = ""
    AGENT_ANSWERED = "agent_answered"
    CUSTOMER_DIALLED = "customer_dialled"


@dataclass(frozen=True, slots=True)
class EndRecord:
    """What the dialplan's hang-up handlers recorded of an attempt's end.

    `why` is the dialplan's own reason ('' when a leg simply hung up), `dial_status` Asterisk's DIALSTATUS of the
    customer leg, `cause` the Q.850 cause of the leg that decided the end (0: none was given). `rang`: the customer's
    phone rang or sent early media (None: the dialplan does not say). `sip` is the last SIP status heard of the
    customer's leg (0: it was answered, nothing came, or the dialplan does not say).
    """

    ended_at: datetime
    step: JournalStep
    answered_at: datetime | None
    why: str
    dial_status: str
    cause: int
    hung_up_by: Party | None
    rang: bool | None = None
    sip: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An attempt's outcome with its cause (Q.850 where the PBX gave one), blame, talk time and who hung up. `rang`: as
    in the record."""

    outcome: Outcome
    cause: int | None
    blame: Blame
    talk: timedelta = timedelta(0)
    hung_up_by: Party | None = None
    detail: str = ""
    rang: bool | None = None


# Q.850 causes of an agent leg that never answered, as measured with chan_pjsip: 486 → 17, 603 → 21, Originate's
# time-out → 19 (0 on some releases), 302, of a phone that forwards its calls and rings nobody → 23, or 0.
_AGENT_CAUSES = {
    0: Outcome.AGENT_NO_ANSWER,
    16: Outcome.AGENT_NO_ANSWER,
    17: Outcome.AGENT_BUSY,
    18: Outcome.AGENT_NO_ANSWER,
    19: Outcome.AGENT_NO_ANSWER,
    21: Outcome.AGENT_DECLINED,
    23: Outcome.AGENT_NO_ANSWER,
    26: Outcome.CANCELLED,
}

# Causes that speak for the called number itself. Everything else is the carrier's: so is 27, chan_pjsip's word for a
# bad gateway (502).
_CUSTOMER_CAUSES = {
    1: Outcome.CUSTOMER_UNREACHABLE,
    17: Outcome.CUSTOMER_BUSY,
    18: Outcome.CUSTOMER_NO_ANSWER,
    19: Outcome.CUSTOMER_NO_ANSWER,
    20: Outcome.CUSTOMER_UNREACHABLE,
    21: Outcome.CUSTOMER_DECLINED,
    22: Outcome.CUSTOMER_UNREACHABLE,
    28: Outcome.CUSTOMER_UNREACHABLE,
}


def blame_of(outcome: Outcome) -> Blame:
    """The side that an outcome is counted against."""
    match outcome:
        case Outcome.CONNECTED | Outcome.CANCELLED:
            return Blame.NOBODY
        case (
            Outcome.CUSTOMER_BUSY
            | Outcome.CUSTOMER_NO_ANSWER
            | Outcome.CUSTOMER_DECLINED
            | Outcome.CUSTOMER_UNREACHABLE
        ):
            return Blame.CUSTOMER
        case (
            Outcome.AGENT_BUSY
            | Outcome.AGENT_NO_ANSWER
            | Outcome.AGENT_DECLINED
            | Outcome.AGENT_UNAVAILABLE
            | Outcome.ABANDONED_BY_AGENT
        ):
            return Blame.AGENT
        case Outcome.TRUNK_FAILURE:
            return Blame.CARRIER
        case Outcome.PBX_FAILURE | Outcome.NOT_PLACED:
            return Blame.US
        case Outcome.IN_DOUBT:
            return Blame.UNKNOWN
        case _:
            assert_never(outcome)


def may_have_rung(verdict: Verdict) -> bool:
    """Whether the customer's phone rang or may have rung."""
    match verdict.outcome:
        case Outcome.IN_DOUBT | Outcome.CONNECTED | Outcome.ABANDONED_BY_AGENT:
            return True
        case Outcome.TRUNK_FAILURE:
            return verdict.rang is not False
        case _:
            return verdict.blame is Blame.CUSTOMER


def verdict(outcome: Outcome, detail: str = "", cause: int | None = None) -> Verdict:
    """A verdict without talk time, for ends that no record describes."""
    return Verdict(outcome, cause, blame_of(outcome), detail=detail)


def classify(record: EndRecord) -> Verdict:
    """Derive the verdict from the dialplan's record: by cause first, because DIALSTATUS alone misreads a declined
    call and a wrong number as "no answer"."""
    outcome = _outcome(record)
    talk = timedelta(0)
    if outcome is Outcome.CONNECTED and record.answered_at is not None:
        # A PBX clock that steps back must not give a negative talk time.
        talk = max(talk, record.ended_at - record.answered_at)
    detail = record.why or (f"sip_{record.sip}" if record.sip else "")
    return Verdict(outcome, record.cause, blame_of(outcome), talk, record.hung_up_by, detail, record.rang)


def _outcome(record: EndRecord) -> Outcome:
    # By Dial's word alone, the customer had hung up again before the dialplan could note the answer. Nobody talked, but
    # they were reached: whoever answered is not rung again by itself.
    if record.answered_at is not None or record.dial_status == "ANSWER":
        return Outcome.CONNECTED
    match record.step:
        case JournalStep.AGENT_RINGING:
            return _not_answered(record)
        case JournalStep.AGENT_ANSWERED:
            return _not_accepted(record.why)
        case JournalStep.CUSTOMER_DIALLED if _turned_away(record):
            return Outcome.TRUNK_FAILURE
        case JournalStep.CUSTOMER_DIALLED:
            return _customer_outcome(record)
        case _:
            assert_never(record.step)


def _not_answered(record: EndRecord) -> Outcome:
    match record.why:
        case "":
            return _AGENT_CAUSES.get(record.cause, Outcome.AGENT_UNAVAILABLE)
        case "picked_up":
            # By a colleague, who has no part in the attempt: as often as it happens, the agent is not there.
            return Outcome.AGENT_NO_ANSWER
        case _:
            return _refused(record.why)


def _not_accepted(why: str) -> Outcome:
    match why:
        case "" | "agent_declined":
            return Outcome.AGENT_DECLINED
        case "agent_silent":
            # The phone was answered and no key came: a voicemail, or nobody at the desk.
            return Outcome.AGENT_NO_ANSWER
        case _:
            return _refused(why)


_ON_OUR_ORDER = frozenset({"refused_again", "refused_revoked", "refused_closed"})


def _refused(why: str) -> Outcome:
    """The dialplan refused to go on: on our own order, or because the PBX is not set up or not sound."""
    return Outcome.CANCELLED if why in _ON_OUR_ORDER else Outcome.PBX_FAILURE


def _customer_outcome(record: EndRecord) -> Outcome:
    match record.dial_status:
        case "" if record.why:
            return _refused(record.why)
        case "" | "CANCEL":
            return Outcome.ABANDONED_BY_AGENT
        case "BUSY":
            return Outcome.CUSTOMER_BUSY
        case "NOANSWER" if record.cause not in _CUSTOMER_CAUSES:
            return Outcome.CUSTOMER_NO_ANSWER
        case "CHANUNAVAIL" if record.cause == _NORMAL_CLEARING:
            # Asterisk that is stopping gracefully cannot place the leg and says so with a normal cause.
            return Outcome.PBX_FAILURE
        case _:
            return _UNWANTED.get(record.sip) or _CUSTOMER_CAUSES.get(record.cause, Outcome.TRUNK_FAILURE)


_NORMAL_CLEARING = 16

# The called person wants no such call (RFC 8197): chan_pjsip has no cause for it.
_UNWANTED = {607: Outcome.CUSTOMER_DECLINED}

# Statuses that chan_pjsip gives a person's cause, and that mean our credentials, our credit or our caller ID (21), or a
# loop among the carriers (19).
_BARRED = frozenset({401, 403, 407, 483})


def _turned_away(record: EndRecord) -> bool:
    """Whether the carrier took no call of ours, or sent us elsewhere, before a phone rang. The cause does not tell: it
    is that of a person who declines, whose phone may say 403, too, or who does not answer; and Dial, which does not
    follow a redirection, calls it busy, before it has heard of the 302 as a rule. Who is busy has the cause 17."""
    redirected = record.dial_status == "BUSY" and record.cause == _NORMAL_CLEARING
    return record.rang is False and (redirected or record.sip in _BARRED)
