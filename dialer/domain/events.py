"""What happened to an attempt: the events that drive its state machine, from the PBX or from our own side."""

from dataclasses import dataclass

from dialer.domain.outcome import EndRecord


@dataclass(frozen=True, slots=True)
class Sent:
    """Originate was written to the link."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Originate provably never reached the PBX."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The PBX answered Originate itself with an error: no channel was made."""

    reason: str


@dataclass(frozen=True, slots=True)
class AgentRinging:
    """The agent's phone rings."""


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """The agent picked up; the whisper plays."""


@dataclass(frozen=True, slots=True)
class CustomerDialling:
    """The agent accepted, and the customer leg was started."""


@dataclass(frozen=True, slots=True)
class CustomerRinging:
    """The customer's phone rings."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """Agent and customer talk."""


@dataclass(frozen=True, slots=True)
class OriginateFailed:
    """The PBX reported that the originated call failed. Alone it settles nothing: a refused twin says the same."""

    reason: int


@dataclass(frozen=True, slots=True)
class AgentGone:
    """The agent's leg is gone. The record of the end may not have come yet, or may not be due: after a transfer the
    customer talks on."""

    cause: int


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The agent's leg is gone and the customer lives on: the agent transferred or parked the call."""


@dataclass(frozen=True, slots=True)
class NoTrace:
    """After a reported failure the PBX had neither a channel nor a journal entry: the agent's phone never rang."""


@dataclass(frozen=True, slots=True)
class Released:
    """It can be shown that the customer was never dialled and never will be by this attempt."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The dialplan recorded the end, told live or read from the journal."""

    record: EndRecord


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody saw the end and no record of it can be found."""

    reason: str


Event = (
    Sent
    | Unsent
    | Refused
    | AgentRinging
    | AgentAnswered
    | CustomerDialling
    | CustomerRinging
    | Bridged
    | OriginateFailed
    | AgentGone
    | HandedOver
    | NoTrace
    | Released
    | Ended
    | Lost
)
