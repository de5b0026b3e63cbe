"""Between rows and the domain. Rows are read by position, in the order of the column lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dialer.domain.attempt import Attempt, State
from dialer.domain.callback import Callback, Status, Visitor, Wish, WishKind
from dialer.domain.outcome import Blame, Outcome, Party, Verdict
from dialer.store.tables import attempt, callback

# A callback's and an attempt's fields that are columns of the same name, kept as they are.
_VISITOR = ("phone", "name", "email", "page", "message", "session", "consent", "sms")
_CALLBACK = (
    *("id", "site", "department", "requested_at", "wanted_at", "due_at"),
    *("reason", "attempts", "customer_attempts", "agent_rings", "version"),
    *("wanted_until", "expires_at", "day", "day_attempts", "prefer_agent", "failed_trunks", "origin"),
)
# In the order of a `Wish`'s fields.
_WISH = ("wish_kind", "wish_reason", "wish_due_at", "wish_expires_at", "wish_late")
_ATTEMPT = (
    *("id", "callback_id", "number", "department", "pbx", "pbx_boot", "agent", "trunk", "caller_id", "dialled"),
    *("due_at", "ready_at", "created_at", "timeline", "ended_at", "pbx_identity", "place_by"),
)
_VERDICT = ("outcome", "cause", "blame", "talk_us", "hung_up_by", "detail", "rang")

CALLBACK_COLUMNS = tuple(callback.c[name] for name in (*_CALLBACK, *_VISITOR, *_WISH, "status"))
ATTEMPT_COLUMNS = tuple(attempt.c[name] for name in (*_ATTEMPT, *_VERDICT, "state"))


def to_callback(row: Sequence[Any]) -> Callback:
    """A callback from `CALLBACK_COLUMNS`."""
    own, wish = len(_CALLBACK), len(_CALLBACK) + len(_VISITOR)
    return Callback(
        visitor=Visitor(**dict(zip(_VISITOR, row[own:wish], strict=True))),
        wish=_to_wish(*row[wish:-1]),
        status=Status(row[-1]),
        **dict(zip(_CALLBACK, row[:own], strict=True)),
    )


def callback_values(new: Callback, source: str, now: datetime) -> dict[str, Any]:
    """A new callback's whole row."""
    return {
        **{name: getattr(new, name) for name in _CALLBACK},
        **{name: getattr(new.visitor, name) for name in _VISITOR},
        **wish_values(new.wish),
        "status": new.status.value,
        "source": source,
        "created_at": now,
        "updated_at": now,
    }


def wish_values(wish: Wish | None) -> dict[str, Any]:
    """The part of a callback's row that holds a wish, or none."""
    if wish is None:
        return {**dict.fromkeys(_WISH), "wish_late": False}
    return dict(zip(_WISH, (wish.kind.value, wish.reason, wish.due_at, wish.expires_at, wish.late), strict=True))


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
        "rang": verdict.rang,
        "ended_at": ended.ended_at,
    }


def _to_wish(
    kind: str | None,
    reason: str,
    due_at: datetime | None,
    expires_at: datetime | None,
    late: bool,  # noqa: FBT001  # a row's
) -> Wish | None:
    return None if kind is None else Wish(WishKind(kind), reason, due_at, expires_at, late)


def _to_verdict(outcome: str | None, cause: int | None, blame: str | None, talk_us: int, *rest: Any) -> Verdict | None:
    if outcome is None or blame is None:
        return None
    hung_up_by, detail, rang = rest
    party = Party(hung_up_by) if hung_up_by else None
    return Verdict(Outcome(outcome), cause, Blame(blame), timedelta(microseconds=talk_us), party, detail, rang)
