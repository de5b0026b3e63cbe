"""Who won where a change and an attempt under way met, in words."""

from dialer.domain.callback import Status
from dialer.domain.errors import IllegalState
from dialer.intake.changes import Answer, Change


def unmet(change: Change) -> str:
    """Why what was wanted is not so, in words; '' when it is."""
    callback = change.callback
    if change.answer is Answer.DONE:
        return ""
    if change.answer is Answer.UNDECIDED:
        return "undecided: no daemon answered; it is noted, and holds as soon as one runs"
    if callback.status is Status.IN_PROGRESS:
        return "too late: the customer is being called; it holds for what comes after this call"
    return f"too late: by now it is {callback.status}: {callback.reason}"


def insist(change: Change) -> None:
    """Raise `IllegalState` unless it is as was wanted."""
    if told := unmet(change):
        id_ = change.callback.id
        raise IllegalState(told, where=id_, remedy=f"see: dialer callbacks show {id_}")
