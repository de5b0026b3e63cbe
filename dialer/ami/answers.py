"""What is read out of the answers to our actions. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from dialer.ami.codec import Message
from dialer.ami.messages import Reply
from dialer.domain.ids import AttemptId, attempt_of, channel_id
from dialer.engine.ports import DeviceState


def boot(status: Message) -> str:
    """The PBX's start from the answer to `CoreStatus`, in its own local time; '' when it does not say."""
    return f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}".strip()


def stored(reply: Reply) -> str | None:
    """The value in the answer to a question for a key of AstDB; None when it holds none, against the protocol."""
    return next((event.get("Val") for event in reply.events if event.event == "DBGetResponse"), None)


def listed(reply: Reply) -> frozenset[AttemptId]:
    """The attempts whose keys are in the answer to a question for `keys`."""
    entries = (event.get("Key") for event in reply.events if event.event == "DBGetTreeResponse")
    found = (attempt_of(key.rpartition("/")[2]) for key in entries)
    return frozenset(attempt for attempt in found if attempt is not None)


def linked(channels: Iterable[Message], attempt: AttemptId) -> list[str]:
    """The Uniqueids of the channels that are linked to an attempt's agent leg, among `CoreShowChannel` events."""
    own = channel_id(attempt)
    legs = (channel.get("Uniqueid") for channel in channels if channel.get("Linkedid") == own)
    return [leg for leg in legs if leg != own]


@dataclass(frozen=True, slots=True)
class Living:
    """The attempts with a living agent leg, and those with another living channel that belongs to them."""

    agents: frozenset[AttemptId]
    customers: frozenset[AttemptId]


def living(channels: Iterable[Message]) -> Living:
    """Read `CoreShowChannel` events. The agent leg bears the attempt's id, the customer leg is linked to it."""
    agents: set[AttemptId] = set()
    customers: set[AttemptId] = set()
    for channel in channels:
        own = attempt_of(channel.get("Uniqueid"))
        linked = attempt_of(channel.get("Linkedid"))
        if own is not None:
            agents.add(own)
        elif linked is not None:
            customers.add(linked)
    return Living(frozenset(agents), frozenset(customers))


@dataclass(frozen=True, slots=True)
class Device:
    """One device's state, as an event or a list tells it."""

    name: str
    state: DeviceState


def device(message: Message) -> Device:
    """Read a `DeviceStateChange`; a state that we do not know is `UNKNOWN`."""
    state = message.get("State")
    return Device(message.get("Device"), DeviceState(state) if state in set(DeviceState) else DeviceState.UNKNOWN)
