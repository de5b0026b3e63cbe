"""How long an attempt may stay in one state before somebody looks: nothing waits for ever."""

from datetime import timedelta
from typing import assert_never

from dialer.domain.attempt import State
from dialer.domain.directory import Department

_ANSWER_OF_THE_PBX = timedelta(seconds=15)
"""For what the PBX does on its own: taking an Originate up, telling its end, playing an announcement."""

_WHISPER = timedelta(seconds=60)
"""The longest whisper with its wait for a key."""


_LONGEST_RING = 120
_LONGEST_CALL = 86_400
"""Seconds, as long as any department may set them."""


def patience(state: State, department: Department | None) -> timedelta:
    """How long an attempt of this department may stay in `state` without an event. None: one that the configuration
    lost while the call was up, of which only the bounds are known."""
    agent_ring = customer_ring = _LONGEST_RING
    max_call = _LONGEST_CALL
    if department is not None:
        agent_ring, customer_ring, max_call = department.agent_ring, department.customer_ring, department.max_call
    match state:
        case State.ORIGINATING | State.AGENT_RINGING:
            return timedelta(seconds=agent_ring) + _ANSWER_OF_THE_PBX
        case State.AGENT_ANSWERED:
            return _WHISPER + _ANSWER_OF_THE_PBX
        case State.CUSTOMER_DIALLING | State.CUSTOMER_RINGING:
            return timedelta(seconds=customer_ring) + _ANSWER_OF_THE_PBX
        case State.BRIDGED:
            return timedelta(seconds=max_call) + _ANSWER_OF_THE_PBX
        case State.ENDED:
            return timedelta.max
        case _:
            assert_never(state)
