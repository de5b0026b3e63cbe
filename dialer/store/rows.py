"""Between rows and the domain. Rows are read by position, in the order of the column lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dialer.domain.attempt import Attempt, State
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.outcome import Blame, Outcome, Party, Verdict
from dialer.store.tables import attempt, callback

# A callback's and an attempt's fields that are columns of the same name, kept as they are.
_VISITOR = ("phone", "name", "email", "page", "message", "session", "consent")
_CALLBACK = (
    *("id", "site", "department", "requested_at", "wanted_at", "due_at"),
    *("reason", "attempts", "customer_attempts", "agent_rings", "version"),
)
_ATTEMPT = (
    *("id", "callback_id", "number", "department", "pbx", "pbx_boot", "agent", "trunk", "caller_id", "dialled"),
    *("due_at", "ready_at", "created_at", "timeline", "ended_at", "pbx_identity", "place_by"),
)
_VERDICT = ("outcome", "cause", "blame", "talk_us", "hung_up_by", "detail")

CALLBACK_COLUMNS = tuple(callback.c[name] for name in (*_CALLBACK, *_VISITOR, "status"))
ATTEMPT_COLUMNS = tuple(attempt.c[name] for name in (*_ATTEMPT, *_VERDICT, "state"))


def to_callback(row: Sequence[Any]) -> Callback:
    """A callback from `CALLBACK_COLUMNS`."""
    own = len(_CALLBACK)
    visitor = Visitor(**dict(zip(_VISITOR, row[own:-1], strict=True)))
    return Callback(visitor=visitor, status=Status(row[-1]), **dict(zip(_CALLBACK, row[:own], strict=True)))


def callback_values(new: Callback, source: str, now: datetime) -> dict[str, Any]:
    """A new callback's whole row."""
    return {
        **{name: getattr(new, name) for name in _CALLBACK},
        **{name: getattr(new.visitor, name) for name in _VISITOR},
        "status": new.status.value,
        "source": source,
        "created_at": now,
        "updated_at": now,
    }


def to_attempt(row: Sequence[Any]) -> Attempt:
    """An attempt from `ATTEMPT_COLUMNS`."""
    own = len(_ATTEMPT)
    verdict = _to_verdict(*row[own:-1])
    return Attempt(verdict=verdict, state=State(row[-1]), **dict(zip(_ATTEMPT, row[:own], strict=True)))


def attempt_values(new: Attempt, now: datetime) -> dict[str, Any]:
    """A new attempt's whole row, but for its verdict."""
    return {**{name: getattr(new, name) for name in _ATTEMPT}, **progress_values(new, now)}


def progress_values(living: Attempt, now: datetime) -> dict[str, Any]:
    """The part of an attempt's row that changes while it lives."""
    return {"state": living.state.value, "timeline": living.timeline, "updated_at": now}


def end_values(ended: Attempt, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """The part of an attempt's row that its end writes."""
    return {
        **progress_values(ended, now),
        "outcome": verdict.outcome.value,
        "cause": verdict.cause,
        "blame": verdict.blame.value,
        "talk_us": verdict.talk // timedelta(microseconds=1),
        "hung_up_by": verdict.hung_up_by and verdict.hung_up_by.value,
        "detail": verdict.detail,
        "ended_at": ended.ended_at,
    }


def _to_verdict(
    outcome: str | None, cause: int | None, blame: str | None, talk_us: int, hung_up_by: str | None, detail: str
) -> Verdict | None:
    if outcome is None or blame is None:
        return None
    party = Party(hung_up_by) if hung_up_by else None
    return Verdict(Outcome(outcome), cause, Blame(blame), timedelta(microseconds=talk_us), party, detail)
