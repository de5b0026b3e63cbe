"""How long an attempt may stay in one state before somebody looks: nothing waits for ever."""

from datetime import timedelta
from typing import assert_never

from dialer.domain.attempt import State
from dialer.domain.directory import Department

_ANSWER_OF_THE_PBX = timedelta(seconds=15)
"""For what the PBX does on its own: taking an Originate up, telling its end, playing an announcement."""

_WHISPER = timedelta(seconds=60)
"""The longest whisper with its wait for a key."""


def patience(state: State, department: Department) -> timedelta:
    """How long an attempt of this department may stay in `state` without an event."""
    match state:
        case State.ORIGINATING | State.AGENT_RINGING:
            return timedelta(seconds=department.agent_ring) + _ANSWER_OF_THE_PBX
        case State.AGENT_ANSWERED:
            return _WHISPER + _ANSWER_OF_THE_PBX
        case State.CUSTOMER_DIALLING | State.CUSTOMER_RINGING:
            return timedelta(seconds=department.customer_ring) + _ANSWER_OF_THE_PBX
        case State.BRIDGED:
            return timedelta(seconds=department.max_call) + _ANSWER_OF_THE_PBX
        case State.ENDED:
            return timedelta.max
        case _:
            assert_never(state)
