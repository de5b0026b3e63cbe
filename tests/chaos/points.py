"""Every point at which the daemon is killed, by name, with the step of the protocol that it tries.

`store.<write>.before|after`: around one durable write; `store.commit.…`: around the commit of a group of them.
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
    *_around("store.add", _ACCEPT, Setup.SUBMIT),
    *_around("store.claim", _INTENT, Setup.STREAM),
    *_around("store.note", _NOTES, Setup.STREAM),
    *_around("store.commit", _INTENT, Setup.STREAM),
    *_around("store.finish", _END, Setup.STREAM),
    *_around("store.amend", _LATER, Setup.STUCK),
    *_around("ami.Login", _GAP, Setup.START),
    *_around("ami.DBGet.identity", _IDENTITY, Setup.START),
    *_around("ami.DBPut.identity", _IDENTITY, Setup.NAMELESS),
    *_around("ami.Originate", _SEND, Setup.STREAM, "before", "sent", "after"),
    *_around("ami.CoreShowChannels", _GAP, Setup.OPEN),
    *_around("ami.DBGet.mi", _GAP, Setup.OPEN),
    *_around("ami.DBPut.mi-no", _RELEASE, Setup.INTENT),
    *_around("ami.DBGet.mi-no", _RELEASE, Setup.INTENT),
    *_around("ami.Hangup", _HANG_UP, Setup.OVERDUE),
    *_around("ami.DBDel", _SWEEP, Setup.SWEEP),
    *(
        Point(f"event.{name}", _EVENTS, _EVENT_SETUPS.get(name, Setup.STREAM))
        for name in dict.fromkeys(event.__name__ for row in TRANSITIONS.values() for event in row)
    ),
)

BY_NAME = {point.name: point for point in POINTS}

EXEMPT = {
    "ami.Challenge": "the first half of the login",
    "ami.Filter": "setting up a session: nothing is known yet, nothing is changed",
    "ami.Events": "setting up a session: nothing is known yet, nothing is changed",
    "ami.Getvar": "asks for the dialplan's version or the time: changes nothing",
    "ami.CoreStatus": "asks for the PBX's start, right before its identity",
    "ami.DeviceStateList": "asks for the phones: no attempt depends on it",
    "ami.Ping": "asks for a sign of life",
    "ami.DBGetTree": "asks for orphans: what follows from it is DBDel",
}
"""Actions without a point of their own, and why."""

_FAMILIES = {"DBGet", "DBPut"}


def of_action(action: Action) -> str:
    """What an action's points are called, without the side."""
    fields = dict(action.headers)
    if action.name not in _FAMILIES:
        return f"ami.{action.name}"
    return f"ami.{action.name}.{'identity' if fields['Key'] == 'identity' else fields['Family']}"
