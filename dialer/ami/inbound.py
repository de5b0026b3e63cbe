"""Calls that come in by a trunk, as the states of their channels tell of them. No I/O.

An incoming call's channel becomes `Up` in the dialplan context in which it is answered. A leg that was dialled bears
its trunk's context as well, but is linked to whoever dialled it.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.ami.codec import Message

_UP = "6"
_NUMBER = re.compile(r"\+?[0-9]{1,20}", re.ASCII)
_REMEMBERED = 256
"""Channels that were told last: no more of them can come a second time within any event's reach."""


@dataclass(frozen=True, slots=True)
class CalledIn:
    """A call that came in and was answered. `number` is the caller's, as the trunk presented it."""

    trunk: str
    number: str = field(repr=False)


class Inbound:
    """Reads `Newstate` events; `contexts` says whose trunk's calls are answered in which dialplan context."""

    def __init__(self, contexts: Mapping[str, str]) -> None:
        self._trunks = dict(contexts)
        self._told: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def contexts(self) -> frozenset[str]:
        """The contexts to listen to."""
        return frozenset(self._trunks)

    def read(self, message: Message) -> CalledIn | None:
        """The call that a message tells of, once per channel; None when it tells of none, or of one whose number was
        withheld or is none."""
        trunk = self._trunks.get(message.get("Context"))
        channel = message.get("Uniqueid")
        if trunk is None or message.get("ChannelState") != _UP or channel in self._told:
            return None
        number = message.get("CallerIDNum")
        if message.get("Linkedid") != channel or _NUMBER.fullmatch(number) is None:
            return None
        self._told.append(channel)
        return CalledIn(trunk, number)
