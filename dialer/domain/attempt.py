"""One try at a callback, and THE state machine: one transition table, one function that walks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from dialer.domain import events as ev
from dialer.domain.commands import Command, Finish, Look
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord, Outcome, Verdict, classify, verdict


class State(StrEnum):
    """Where an attempt stands. Order of definition is order of life."""

    ORIGINATING = "originating"
    AGENT_RINGING = "agent_ringing"
    AGENT_ANSWERED = "agent_answered"
    CUSTOMER_DIALLING = "customer_dialling"
    CUSTOMER_RINGING = "customer_ringing"
    BRIDGED = "bridged"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an attempt's timeline; `at` is UTC."""

    name: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One agent leg and at most one customer leg.

    `pbx_boot` is the PBX's start as it reported it when the intent was written, `pbx_identity` names the database that
    holds the attempt's journal, `place_by` is the time after which the PBX refuses to begin it ('' and None: written by
    an earlier version). `due_at` is the callback's promise, and `ready_at` the first moment at which everything that
    the attempt needs was there (due, open, agent free).
    """

    id: AttemptId
    callback_id: CallbackId
    number: int
    department: str
    pbx: str
    pbx_boot: str
    agent: str
    trunk: str
    caller_id: str
    dialled: str = field(repr=False)
    due_at: datetime
    ready_at: datetime
    created_at: datetime
    state: State = State.ORIGINATING
    timeline: tuple[Step, ...] = ()
    verdict: Verdict | None = None
    ended_at: datetime | None = None
    pbx_identity: str = ""
    place_by: datetime | None = None


_PROGRESS: tuple[tuple[type[Event], State], ...] = (
    (ev.AgentRinging, State.AGENT_RINGING),
    (ev.AgentAnswered, State.AGENT_ANSWERED),
    (ev.CustomerDialling, State.CUSTOMER_DIALLING),
    (ev.CustomerRinging, State.CUSTOMER_RINGING),
    (ev.Bridged, State.BRIDGED),
)
_ENDS: tuple[type[Event], ...] = (ev.Ended, ev.Lost)
_UNDIALLED = frozenset({State.ORIGINATING, State.AGENT_RINGING, State.AGENT_ANSWERED})
"""States in which the customer was not dialled, as far as we know."""
_DOUBTS: tuple[type[Event], ...] = (ev.OriginateFailed, ev.AgentGone)


def _row(state: State, own: Mapping[type[Event], State]) -> Mapping[type[Event], State]:
    """A living state's row: any later step of progress (events between may be lost), any end, any doubt."""
    order = list(State)
    later = {kind: to for kind, to in _PROGRESS if order.index(to) > order.index(state)}
    ends = (*_ENDS, ev.Released) if state in _UNDIALLED else _ENDS
    return {**later, **dict.fromkeys(ends, State.ENDED), **dict.fromkeys(_DOUBTS, state), **own}


TRANSITIONS: Mapping[State, Mapping[type[Event], State]] = {
    State.ORIGINATING: _row(
        State.ORIGINATING,
        {
            ev.Sent: State.ORIGINATING,
            ev.Unsent: State.ENDED,
            ev.Refused: State.ENDED,
            ev.NoTrace: State.ENDED,
        },
    ),
    State.AGENT_RINGING: _row(State.AGENT_RINGING, {}),
    State.AGENT_ANSWERED: _row(State.AGENT_ANSWERED, {}),
    State.CUSTOMER_DIALLING: _row(State.CUSTOMER_DIALLING, {}),
    State.CUSTOMER_RINGING: _row(State.CUSTOMER_RINGING, {}),
    State.BRIDGED: _row(State.BRIDGED, {ev.HandedOver: State.BRIDGED}),
    State.ENDED: {},
}
"""Every legal transition. An event without an entry is late, doubled or out of order, and is absorbed."""


def advance(attempt: Attempt, event: Event, now: datetime) -> tuple[Attempt, tuple[Command, ...]]:
    """Apply one event at `now` (UTC): the attempt after it, and what to do.

    Never raises on an event that comes late, twice or too early: such an event leaves the attempt as it was.
    """
    target = TRANSITIONS[attempt.state].get(type(event))
    if target is None:
        return attempt, ()
    name, detail = _line(event)
    if target is attempt.state and any(step.name == name for step in attempt.timeline):
        return attempt, ()  # doubled
    timeline = (*attempt.timeline, Step(name, now, detail))
    if target is not State.ENDED:
        return replace(attempt, state=target, timeline=timeline), _doubts(event)
    end = _verdict(event)
    done = replace(attempt, state=target, timeline=timeline, verdict=end, ended_at=_end_time(event, now))
    return done, (Finish(end),)


def amend(attempt: Attempt, record: EndRecord, now: datetime) -> Attempt:
    """An attempt that was in doubt, after the record of its end was found at `now` (UTC)."""
    found = classify(record)
    timeline = (*attempt.timeline, Step("amended", now, _ended(record)))
    return replace(attempt, verdict=found, ended_at=record.ended_at, timeline=timeline)


def _doubts(event: Event) -> tuple[Command, ...]:
    return (Look(_line(event)[0]),) if isinstance(event, _DOUBTS) else ()


def _end_time(event: Event, now: datetime) -> datetime:
    return event.record.ended_at if isinstance(event, ev.Ended) else now


def _verdict(event: Event) -> Verdict:
    match event:
        case ev.Ended(record):
            return classify(record)
        case ev.Unsent(reason):
            return verdict(Outcome.NOT_PLACED, reason)
        case ev.Refused(reason):
            return verdict(Outcome.PBX_FAILURE, reason)
        case ev.NoTrace():
            return verdict(Outcome.AGENT_UNAVAILABLE, "the agent's phone is not registered or not known to the PBX")
        case ev.Released(reason):
            return verdict(Outcome.NOT_PLACED, reason)
        case ev.Lost(reason):
            return verdict(Outcome.IN_DOUBT, reason)
        case _:
            raise AssertionError(f"{type(event).__name__} does not end an attempt: the transition table is wrong")


_LINES: Mapping[type[Event], str] = {
    ev.Sent: "originate_sent",
    ev.Unsent: "originate_unsent",
    ev.Refused: "originate_refused",
    ev.AgentRinging: "agent_ringing",
    ev.AgentAnswered: "agent_answered",
    ev.CustomerDialling: "customer_dialling",
    ev.CustomerRinging: "customer_ringing",
    ev.Bridged: "bridged",
    ev.OriginateFailed: "originate_failed",
    ev.AgentGone: "agent_gone",
    ev.HandedOver: "handed_over",
    ev.NoTrace: "no_trace",
    ev.Released: "released",
    ev.Ended: "ended",
    ev.Lost: "lost",
}


def _line(event: Event) -> tuple[str, str]:
    """An event's name and detail in the timeline. Holds no personal data."""
    match event:
        case ev.Unsent(reason) | ev.Refused(reason) | ev.Released(reason) | ev.Lost(reason):
            detail = reason
        case ev.OriginateFailed(code):
            detail = f"reason {code}"
        case ev.AgentGone(cause):
            detail = f"cause {cause}"
        case ev.Ended(record):
            detail = _ended(record)
        case _:
            detail = ""
    return _LINES[type(event)], detail


def _ended(record: EndRecord) -> str:
    return f"{record.dial_status or record.why or 'no dial'}, cause {record.cause}"
