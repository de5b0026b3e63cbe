"""Every point at which the daemon is killed, by name, with the step of the protocol that it tries.

`store.<write>.before|after`: around one durable write; `store.commit.…`: around the commit of a group of them;
`store.<write>.failover.…`: around one that hands a callback on from a trunk that failed to the next.
`ami.<action>[.<family>].before|sent|after`: before an action's bytes go out, after that, and after its answer.
`event.<Event>`: a transition of the state machine. That happens in memory, between the writes: which side of it the
kill falls on cannot be told from outside, and is drawn.
"""

from dataclasses import dataclass
from enum import StrEnum

from dialer.ami.messages import Action
from dialer.domain.attempt import TRANSITIONS


class Setup(StrEnum):
    """What has to be so for a point to be passed."""

    START = "start"
    """A daemon starts."""
    STREAM = "stream"
    """Calls are placed."""
    OPEN = "open"
    """An earlier daemon left attempts open."""
    INTENT = "intent"
    """An earlier daemon left an intent that it never sent."""
    OVERDUE = "overdue"
    """Calls last longer than they may."""
    STUCK = "stuck"
    """Such calls cannot be hung up: the link swallows every Hangup."""
    GHOST = "ghost"
    """The agent's phone is not registered."""
    HANDOVER = "handover"
    """Agents transfer their customers."""
    UNSENT = "unsent"
    """The link is cut between the claim and Originate."""
    REFUSED = "refused"
    """The link spoils Originate, and the PBX refuses it."""
    SWEEP = "sweep"
    """Ended attempts are old enough for their keys to go."""
    SUBMIT = "submit"
    """Requests are taken in, by a process of its own."""
    WITHDRAWN = "withdrawn"
    """Callbacks are cancelled, moved and objected to before their customers are dialled."""
    TOO_LATE = "too_late"
    """The same, once they are."""
    FAILOVER = "failover"
    """A trunk fails before the customer's phone rings; another one takes the call."""
    PUT_AWAY = "put_away"
    """It is too early for one callback that is due, and too late for another."""
    NAMELESS = "nameless"
    """The PBX's database has no identity yet."""


@dataclass(frozen=True)
class Point:
    """A place in the program, the protocol's step that it lies in, and what it takes to get there."""

    name: str
    step: str
    setup: Setup


_INTENT, _SEND, _RELEASE = "1 intent first", "1 Originate, once", "3 revoke, wait, read back, then ask"
_GAP, _IDENTITY, _SWEEP = "4 after a gap, by what is found", "3 the database's identity", "6 tombstones"
_HANG_UP, _END, _LATER = "9 hang up by id", "second barrier: the end", "evidence that comes later"
_ACCEPT, _NOTES, _EVENTS = "acceptance", "progress, written behind", "the state machine"
_WITHDRAWAL, _FAILOVER = "9 revoke, then Redirect: a change of mind", "a new attempt by the next trunk"
_DECISION = "everything is asked again at the moment of dialling"


def _around(name: str, step: str, setup: Setup, *sides: str) -> list[Point]:
    return [Point(f"{name}.{side}", step, setup) for side in sides or ("before", "after")]


_EVENT_SETUPS = {
    "OriginateFailed": Setup.GHOST,
    "NoTrace": Setup.GHOST,
    "AgentGone": Setup.HANDOVER,
    "HandedOver": Setup.HANDOVER,
    "Released": Setup.INTENT,
    "Unsent": Setup.UNSENT,
    "Refused": Setup.REFUSED,
    "Lost": Setup.STUCK,
}
"""Events that an ordinary stream of calls does not bring, or seldom."""

POINTS: tuple[Point, ...] = (
    *_around("store.admit", _ACCEPT, Setup.SUBMIT),
    *_around("store.claim", _INTENT, Setup.STREAM),
    *_around("store.note", _NOTES, Setup.STREAM),
    *_around("store.commit", _INTENT, Setup.STREAM),
    *_around("store.finish", _END, Setup.STREAM),
    *_around("store.amend", _LATER, Setup.STUCK),
    *_around("store.finish.failover", _FAILOVER, Setup.FAILOVER),
    *_around("store.claim.failover", _FAILOVER, Setup.FAILOVER),
    *_around("store.too_late", _WITHDRAWAL, Setup.TOO_LATE),
    *_around("store.defer", _DECISION, Setup.PUT_AWAY),
    *_around("store.close", _DECISION, Setup.PUT_AWAY),
    *_around("ami.Login", _GAP, Setup.START),
    *_around("ami.DBGet.identity", _IDENTITY, Setup.START),
    *_around("ami.DBPut.identity", _IDENTITY, Setup.NAMELESS),
    *_around("ami.Originate", _SEND, Setup.STREAM, "before", "sent", "after"),
    *_around("ami.CoreShowChannels", _GAP, Setup.OPEN),
    *_around("ami.DBGet.mi", _GAP, Setup.OPEN),
    *_around("ami.DBPut.mi-no", _RELEASE, Setup.INTENT),
    *_around("ami.DBGet.mi-no", _RELEASE, Setup.INTENT),
    *_around("ami.Hangup", _HANG_UP, Setup.OVERDUE),
    *_around("ami.Redirect", _WITHDRAWAL, Setup.WITHDRAWN),
    *_around("ami.DBDel", _SWEEP, Setup.SWEEP),
    *(
        Point(f"event.{name}", _EVENTS, _EVENT_SETUPS.get(name, Setup.STREAM))
        for name in dict.fromkeys(event.__name__ for row in TRANSITIONS.values() for event in row)
    ),
)

BY_NAME = {point.name: point for point in POINTS}

_OF_A_PERSON = "a person's order, one transaction of another process: whoever gave it is told whether it was taken"

EXEMPT = {
    "ami.Challenge": "the first half of the login",
    "ami.Filter": "setting up a session: nothing is known yet, nothing is changed",
    "ami.Events": "setting up a session: nothing is known yet, nothing is changed",
    "ami.Getvar": "asks for the dialplan's version, the time, or whether a phone was answered: changes nothing",
    "ami.CoreStatus": "asks for the PBX's start, right before its identity",
    "ami.DeviceStateList": "asks for the phones: no attempt depends on it",
    "ami.Ping": "asks for a sign of life",
    "ami.DBGetTree": "asks for orphans: what follows from it is DBDel",
    "store.add": "a bulk load: no request comes this way",
    "store.cancel": _OF_A_PERSON,
    "store.reschedule": _OF_A_PERSON,
    "store.object_to": _OF_A_PERSON,
    "store.allow_again": _OF_A_PERSON,
    "store.resolve": _OF_A_PERSON,
    "store.resume": _OF_A_PERSON,
    "store.pause": "a person's order as well; a daemon's own, of an agent, is made up for by the next ring missed",
    "store.write": "no call depends on it: what others are told or tell us, killed by `make wires` and `make feeds`",
    "store.customer_called_in": "an answer that nobody was there to hear: the visitor is called back",
}
"""Actions and writes without a point of their own, and why."""

_FAMILIES = {"DBGet", "DBPut"}


def of_action(action: Action) -> str:
    """What an action's points are called, without the side."""
    fields = dict(action.headers)
    if action.name not in _FAMILIES:
        return f"ami.{action.name}"
    return f"ami.{action.name}.{'identity' if fields['Key'] == 'identity' else fields['Family']}"
