"""What is told of a change: one JSON event, the same bytes in every redelivery."""

import json
from datetime import UTC, datetime
from typing import Any

from dialer.notify.outbox import Change


def event_type(change: Change) -> str:
    """`callback.accepted` for the first change of a callback, else `callback.` and its status."""
    return "callback.accepted" if change.previous is None else f"callback.{change.status}"


def event_data(change: Change) -> dict[str, Any]:
    """A change as JSON has it. Times are UTC, with their zone."""
    return {
        "id": change.callback,
        "external_id": change.external_id,
        "site": change.site,
        "department": change.department,
        "version": change.version,
        "status": change.status.value,
        "previous": change.previous and change.previous.value,
        "reason": change.reason,
        "requested_at": instant(change.requested_at),
        "wanted_at": _maybe(change.wanted_at),
        "wanted_until": _maybe(change.wanted_until),
        "due_at": instant(change.due_at),
        "expires_at": _maybe(change.expires_at),
        "attempts": change.attempts,
        "customer_attempts": change.customer_attempts,
        "attempt": change.attempt,
        "outcome": change.outcome and change.outcome.value,
        "at": instant(change.at),
    }


def event_body(change: Change) -> str:
    """The event: `type`, `timestamp` and `data`."""
    event = {"type": event_type(change), "timestamp": instant(change.at), "data": event_data(change)}
    return json.dumps(event, separators=(",", ":"))


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, always with its microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
