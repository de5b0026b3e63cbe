"""What the page tells a visitor of their callback, and what it lets them do: no more than they know already."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from dialer.domain.callback import Callback, Status, WishKind
from dialer.web.visitor.texts import Notice, Stands

_DIGITS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class View:
    """How it stands; `at`: when we call (UTC), where that is worth telling; what may still be done about it."""

    stands: Stands
    at: datetime | None
    digits: str
    may_move: bool
    may_cancel: bool
    may_object: bool


def view(callback: Callback, now: datetime, *, objected: bool) -> View:
    """The callback as it is at `now` (UTC). `objected`: its number is on the do-not-call list."""
    stands = _stands(callback, now, objected=objected)
    return View(
        stands=stands,
        at=callback.due_at if stands in {Stands.PLANNED, Stands.AGAIN} else None,
        digits=callback.visitor.phone[-_DIGITS_SHOWN:],
        may_move=not objected and stands in _MOVABLE,
        may_cancel=stands in _CANCELLABLE,
        may_object=not objected,
    )


_CANCELLABLE = frozenset({Stands.PLANNED, Stands.AGAIN, Stands.SOON, Stands.CALLING, Stands.MOVING, Stands.LATE})
_MOVABLE = _CANCELLABLE - {Stands.LATE}


def fits(notice: Notice, callback: Callback, *, objected: bool) -> bool:
    """Whether what a visitor was told still holds: an address that was kept may be opened much later."""
    match notice:
        case Notice.MOVED:
            return callback.status in {Status.SCHEDULED, Status.IN_PROGRESS}
        case Notice.CANCELLED:
            return callback.status is Status.CANCELLED
        case Notice.OBJECTED | Notice.OBJECTED_LATE:
            return objected
        case Notice.UNDECIDED:
            return callback.wish is not None
        case Notice.TOO_LATE | Notice.CHANGED | Notice.GONE | Notice.NONE_CHOSEN | Notice.TOO_OLD:
            return True
        case _:
            assert_never(notice)


def _stands(callback: Callback, now: datetime, *, objected: bool) -> Stands:
    match callback.status:
        case Status.SCHEDULED:
            stands = _planned(callback, now)
        case Status.IN_PROGRESS:
            stands = _calling(callback)
        case Status.NEEDS_REVIEW:
            stands = Stands.REVIEWED
        case Status.COMPLETED:
            stands = Stands.CALLED
        case Status.FAILED:
            stands = Stands.NOT_REACHED
        case Status.CANCELLED:
            stands = Stands.CANCELLED
        case Status.EXPIRED:
            stands = Stands.EXPIRED
        case Status.REJECTED:
            stands = Stands.OBJECTED if objected else Stands.REJECTED
        case _:
            assert_never(callback.status)
    return stands


def _planned(callback: Callback, now: datetime) -> Stands:
    if callback.due_at <= now:
        return Stands.SOON
    return Stands.AGAIN if callback.customer_attempts else Stands.PLANNED


def _calling(callback: Callback) -> Stands:
    wish = callback.wish
    if wish is None or wish.kind is WishKind.CALLED_IN:
        return Stands.CALLING
    if wish.late:
        return Stands.LATE
    return Stands.MOVING if wish.kind is WishKind.MOVE else Stands.STOPPING
