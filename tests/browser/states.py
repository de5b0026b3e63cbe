"""Every way in which a callback can stand when its visitor opens the page."""

from collections.abc import Mapping
from datetime import timedelta

from dialer.domain.callback import Status, Wish, WishKind
from dialer.web.visitor.texts import Stands
from tests.unit.intake.places import NOW


def _wish(kind: WishKind, *, late: bool = False) -> Wish:
    return Wish(kind, "said so", late=late)


STATES: Mapping[Stands, Mapping[str, object]] = {
    Stands.PLANNED: {},
    Stands.AGAIN: {"customer_attempts": 1},
    Stands.SOON: {"due_at": NOW - timedelta(minutes=1)},
    Stands.CALLING: {"status": Status.IN_PROGRESS},
    Stands.STOPPING: {"status": Status.IN_PROGRESS, "wish": _wish(WishKind.CANCEL)},
    Stands.MOVING: {"status": Status.IN_PROGRESS, "wish": _wish(WishKind.MOVE)},
    Stands.LATE: {"status": Status.IN_PROGRESS, "wish": _wish(WishKind.CANCEL, late=True)},
    Stands.REVIEWED: {"status": Status.NEEDS_REVIEW},
    Stands.CALLED: {"status": Status.COMPLETED},
    Stands.NOT_REACHED: {"status": Status.FAILED},
    Stands.CANCELLED: {"status": Status.CANCELLED},
    Stands.EXPIRED: {"status": Status.EXPIRED},
    Stands.OBJECTED: {"status": Status.REJECTED, "reason": "objection"},
    Stands.REJECTED: {"status": Status.REJECTED, "reason": "number_denied"},
}
"""What a callback is like that stands so; for `OBJECTED` its number is on the do-not-call list besides."""
