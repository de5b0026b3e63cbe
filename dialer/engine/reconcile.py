"""What an attempt's traces on the PBX mean: a pure decision from what was found."""

from collections.abc import Mapping
from enum import Enum, auto

from dialer.domain.attempt import Attempt, State
from dialer.domain.events import (
    AgentAnswered,
    Bridged,
    CustomerDialling,
    Ended,
    Event,
    HandedOver,
    Lost,
    NoTrace,
    Released,
)
from dialer.domain.outcome import EndRecord
from dialer.engine.ports import Traces, Unfinished


class Knowledge(Enum):
    """What we know besides the traces, which decides what finding nothing proves."""

    WATCHED = auto()
    """Every event since Originate was ours to see, and a failure was reported."""
    GAP = auto()
    """Events may have been missed, or Originate itself may still be under way."""
    BARRED = auto()
    """The PBX refuses the attempt from now on: it was revoked, durably, or its time had passed, before its traces were
    asked for."""


class Verdictless(Enum):
    """What can be said when the traces are not an event."""

    LIVES = auto()
    """The attempt goes on as we know it."""
    UNPROVEN = auto()
    """Nothing was found, and it may still begin: revoke it, then look again."""


_PROGRESS: Mapping[str, Event] = {
    "agent_answered": AgentAnswered(),
    "customer_dialled": CustomerDialling(),
    "answered": Bridged(),
    "agent_left": Bridged(),
}
"""The journal's words for where a living attempt stands."""

_JOURNALLED = frozenset({State.AGENT_ANSWERED, State.CUSTOMER_DIALLING, State.CUSTOMER_RINGING, State.BRIDGED})
"""States whose attempt has a journal entry for certain, as long as Asterisk did not restart."""

_CUSTOMER_DIALLED = _JOURNALLED - {State.AGENT_ANSWERED}


def judge(attempt: Attempt, traces: Traces, knowledge: Knowledge, boot: str) -> Event | Verdictless:
    """What the traces stand for; `boot` is the PBX's present start.

    The hang-up handlers run before a channel leaves the list, and the list is asked before the journal: a call that is
    not listed and has no recorded end was cut off.
    """
    match traces.journal:
        case EndRecord():
            return Ended(traces.journal)
        case Unfinished(step) if traces.agent_alive or traces.customer_alive:
            return _living(attempt, traces, knowledge, step)
        case Unfinished(step):
            return Lost(f"cut off after {step}: no end was recorded")
        case None if traces.agent_alive or traces.customer_alive:
            return Verdictless.LIVES
        case _:
            return _nothing(attempt, traces, knowledge, boot)


def _living(attempt: Attempt, traces: Traces, knowledge: Knowledge, step: str) -> Event | Verdictless:
    if attempt.state is State.BRIDGED and not traces.agent_alive and knowledge is Knowledge.WATCHED:
        return HandedOver()
    return _PROGRESS.get(step, Verdictless.LIVES)


def _nothing(attempt: Attempt, traces: Traces, knowledge: Knowledge, boot: str) -> Event | Verdictless:
    """No channel and no entry."""
    if attempt.pbx_identity and attempt.pbx_identity != traces.identity:
        return Lost("the PBX's database was wiped or replaced, and its journal with it")
    restarted = attempt.pbx_boot != boot
    if attempt.state in _CUSTOMER_DIALLED or (attempt.state in _JOURNALLED and not restarted):
        return Lost("its journal entry is gone")
    if restarted:
        # The customer's leg waits until the entry of the agent's answer has outlived AstDB's flush: no entry after a
        # restart means that the customer was never dialled.
        return Released("Asterisk was restarted before the customer was dialled")
    if knowledge is Knowledge.BARRED:
        return Released("it never began, and never will")
    if knowledge is Knowledge.WATCHED and attempt.state is State.ORIGINATING:
        return NoTrace()
    return Verdictless.UNPROVEN
