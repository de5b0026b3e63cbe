"""What must hold: in every state, and in the end."""

from tests.model.pbx import NEVER_RUNG
from tests.model.state import IN_DOUBT, INTENT, OPEN, World

HONEST = "honest end"
INTENT_FIRST = "intent first"
DOUBT = "in doubt only for a cause"
NO_END = "everything ends"

PROPERTIES = {
    "rung once": "an attempt rings the customer at most once",
    "one leg at a time": "two customer legs are never alive at once",
    "next only when the last cannot": "an attempt never rings the customer once the next attempt has begun",
    "no silence": "the customer is rung only after an agent accepted, and while that agent's leg lives",
    HONEST: "a stored outcome is what happened, or in_doubt",
    "honest journal": "a recorded end that is still to be read never denies that the customer was rung",
    INTENT_FIRST: "an Originate is on its way only when its intent is durable",
    DOUBT: "in_doubt only after Asterisk was killed, its disk full, its database wiped or a channel not to be hung up",
    NO_END: "from every state, without another fault, every attempt comes to its outcome and the callback to its end",
}

_RUNG_UNANSWERED = frozenset(
    {"customer_busy", "customer_no_answer", "customer_declined", "customer_unreachable", "trunk_failure"}
)


def broken(world: World) -> str:
    """The property that this state breaks, or ''."""
    for attempt in world.tries:
        row = attempt.row
        if attempt.rung and attempt.broken:
            return attempt.broken
        if row in {"", INTENT}:
            if attempt.sent or attempt.late or attempt.queued or attempt.leg:
                return INTENT_FIRST
        elif row != OPEN and not _honest(row, rung=attempt.rung > 0, answered=attempt.answered):
            return HONEST
        if row == IN_DOUBT and not world.excused:
            return DOUBT
    return ""


def _honest(outcome: str, *, rung: bool, answered: bool) -> bool:
    if outcome in NEVER_RUNG:
        return not rung
    if outcome == "connected":
        return answered
    if outcome in _RUNG_UNANSWERED:
        return rung and not answered
    return outcome != "abandoned_by_agent" or not answered


def at_rest(world: World) -> bool:
    """Every attempt has its outcome, and the callback its end: final, waiting for a person, or (the model has only two
    attempts) waiting for a third."""
    used = bool(world.tries[1].row)
    settled = all(attempt.row not in {INTENT, OPEN} for attempt in world.tries)
    return settled and not world.daemon.verdict and (world.status not in {"scheduled", "in_progress"} or used)
