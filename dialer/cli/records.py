"""Callbacks and attempts as flat records: what `--json` and `--csv` hold, and tables choose from.

The words are the product's; times are aware datetimes, durations seconds. Only `whole_callback` holds a name.
"""

from datetime import datetime, timedelta

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Wish
from dialer.store.views import Objection, Pause, Resolution

Record = dict[str, object]

_SENT = "originate_sent"


def callback_record(callback: Callback) -> Record:
    """A callback without anything that names a person but the number, which operations need."""
    return {
        "id": callback.id,
        "status": callback.status,
        "site": callback.site,
        "department": callback.department,
        "phone": callback.visitor.phone,
        "requested_at": callback.requested_at,
        "wanted_at": callback.wanted_at,
        "wanted_until": callback.wanted_until,
        "due_at": callback.due_at,
        "expires_at": callback.expires_at,
        "attempts": callback.attempts,
        "reason": callback.reason,
    }


def whole_callback(callback: Callback) -> Record:
    """Everything that is known of a callback itself."""
    visitor = callback.visitor
    consent = visitor.consent
    return {
        **callback_record(callback),
        "customer_attempts": callback.customer_attempts,
        "agent_rings": callback.agent_rings,
        "day": callback.day and callback.day.isoformat(),
        "day_attempts": callback.day_attempts,
        "prefer_agent": callback.prefer_agent,
        "failed_trunks": callback.failed_trunks,
        "wish": callback.wish and _wish_record(callback.wish),
        "version": callback.version,
        "name": visitor.name,
        "email": visitor.email,
        "sms": visitor.sms,
        "page": visitor.page,
        "message": visitor.message,
        "session": visitor.session,
        "origin": callback.origin,
        "consent": consent and {"wording": consent.wording, "given_at": consent.given_at, "page": consent.page},
    }


def _wish_record(wish: Wish) -> Record:
    return {
        "kind": wish.kind,
        "reason": wish.reason,
        "due_at": wish.due_at,
        "expires_at": wish.expires_at,
        "late": wish.late,
    }


CALL_FIELDS = (
    *("id", "callback_id", "attempt", "department", "number", "caller_id", "started_at", "ended_at"),
    *("pbx", "trunk", "agent", "outcome", "cause", "blame", "talk_seconds", "hung_up_by", "detail"),
    *("due_at", "lateness_seconds"),
)
"""The keys of a `call_record`, in its order."""


def call_record(attempt: Attempt) -> Record:
    """One line of the call log. `lateness_seconds` is Originate sent less due; None when it was never sent."""
    end = attempt.verdict
    late = lateness(attempt)
    return {
        "id": attempt.id,
        "callback_id": attempt.callback_id,
        "attempt": attempt.number,
        "department": attempt.department,
        "number": attempt.dialled,
        "caller_id": attempt.caller_id,
        "started_at": attempt.created_at,
        "ended_at": attempt.ended_at,
        "pbx": attempt.pbx,
        "trunk": attempt.trunk,
        "agent": attempt.agent,
        "outcome": end and end.outcome,
        "cause": end and end.cause,
        "blame": end and end.blame,
        "talk_seconds": end and end.talk.total_seconds(),
        "hung_up_by": end and end.hung_up_by,
        "detail": end and end.detail,
        "due_at": attempt.due_at,
        "lateness_seconds": late and late.total_seconds(),
    }


def whole_attempt(attempt: Attempt) -> Record:
    """A line of the call log with how the attempt came about, and its timeline."""
    return {
        **call_record(attempt),
        "state": attempt.state,
        "ready_at": attempt.ready_at,
        "pbx_boot": attempt.pbx_boot,
        "pbx_identity": attempt.pbx_identity,
        "place_by": attempt.place_by,
        "timeline": [{"step": step.name, "at": step.at, "detail": step.detail} for step in attempt.timeline],
    }


def resolution_record(made: Resolution) -> Record:
    """What a person decided."""
    return {
        "decision": made.decision,
        "who": made.who,
        "why": made.why,
        "forced": made.forced,
        "decided_at": made.decided_at,
    }


def pause_record(pause: Pause) -> Record:
    """What is paused, and who did it."""
    return {
        "scope": pause.stop.scope,
        "key": pause.stop.key,
        "who": pause.who,
        "why": pause.why,
        "since": pause.since,
    }


def objection_record(objection: Objection) -> Record:
    """A number that is never called."""
    return {"number": objection.number, "who": objection.who, "why": objection.why, "since": objection.since}


def sent_at(attempt: Attempt) -> datetime | None:
    """When Originate was sent; None when it was not."""
    return next((step.at for step in attempt.timeline if step.name == _SENT), None)


def lateness(attempt: Attempt) -> timedelta | None:
    """Originate sent less due."""
    sent = sent_at(attempt)
    return None if sent is None else sent - attempt.due_at
