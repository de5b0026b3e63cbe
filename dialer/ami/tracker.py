"""Manager events → what happened to which attempt. Stateless: an attempt's id is in every event of its channels.

The agent leg's Uniqueid is the attempt's channel id; the customer leg has another Uniqueid and that id as its
Linkedid. Events may come late, doubled or in another order: the state machine absorbs that, not this module.
"""

from collections.abc import Callable, Mapping

from dialer.ami import journal, messages
from dialer.ami.codec import Message
from dialer.domain import events as ev
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId, attempt_of

END_EVENT = "MiEnd"
"""The dialplan's own event: it carries the very text that it has just written to the journal."""

Seen = tuple[AttemptId, Event]


def track(message: Message) -> Seen | None:
    """The attempt and the event that a message tells of, or None when it tells nothing of a call of ours."""
    reader = _READERS.get(message.event)
    return reader(message) if reader else None


def _dial_begin(message: Message) -> Seen | None:
    attempt, agent = _dialled(message)
    # The agent's own DialBegin says only that Originate was taken up.
    return None if attempt is None or agent else (attempt, ev.CustomerDialling())


def _dial_state(message: Message) -> Seen | None:
    attempt, agent = _dialled(message)
    if attempt is None or message.get("DialStatus") != "RINGING":
        return None
    return attempt, ev.AgentRinging() if agent else ev.CustomerRinging()


def _dial_end(message: Message) -> Seen | None:
    attempt, agent = _dialled(message)
    # A customer's answer shows as the bridge; every other end comes with its cause in the journal's record.
    return (attempt, ev.AgentAnswered()) if attempt and agent and message.get("DialStatus") == "ANSWER" else None


def _dialled(message: Message) -> tuple[AttemptId | None, bool]:
    """Whose leg is dialled, and whether it is the agent's."""
    own = attempt_of(message.get("DestUniqueid"))
    return own or attempt_of(message.get("DestLinkedid")), own is not None


def _bridge_enter(message: Message) -> Seen | None:
    attempt = attempt_of(message.get("Uniqueid"))
    return (attempt, ev.Bridged()) if attempt else None


def _hangup(message: Message) -> Seen | None:
    # The agent's alone: what ended the customer's leg comes with its cause in the journal's record.
    attempt = attempt_of(message.get("Uniqueid"))
    return (attempt, ev.AgentGone(_number(message.get("Cause")))) if attempt else None


def _originate_response(message: Message) -> Seen | None:
    # By ActionID alone: a refused twin bears the Uniqueid of the call that lives.
    attempt = messages.about(message.action_id)
    if attempt is None:
        return None
    if message.response == "Success":
        return attempt, ev.AgentAnswered()
    return attempt, ev.OriginateFailed(_number(message.get("Reason")))


def _user_event(message: Message) -> Seen | None:
    attempt = attempt_of(message.get("Attempt"))
    if attempt is None or message.get("UserEvent") != END_EVENT:
        return None
    record = journal.parse_end(message.get("Record"))
    # An end that cannot be read is left to the journal: the leg's Hangup makes the engine look there.
    return (attempt, ev.Ended(record)) if record else None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else 0


_DIGITS = 4

_READERS: Mapping[str, Callable[[Message], Seen | None]] = {
    "DialBegin": _dial_begin,
    "DialState": _dial_state,
    "DialEnd": _dial_end,
    "BridgeEnter": _bridge_enter,
    "Hangup": _hangup,
    "OriginateResponse": _originate_response,
    "UserEvent": _user_event,
}

TRACKED = frozenset(_READERS)
"""The names of the events that are read here."""
