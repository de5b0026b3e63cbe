"""The PBX's clock: asked now and then, and carried on in between by a clock of ours that nobody sets."""

import re
import time
from datetime import UTC, datetime, timedelta

from dialer.ami import messages
from dialer.ami.session import Session
from dialer.domain.errors import ProtocolViolation

_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


class PbxClock:
    """Ours until it was asked."""

    def __init__(self) -> None:
        self._set(datetime.now(UTC))

    @property
    def now(self) -> datetime:
        """What the PBX's clock shows (UTC), to the second, unless it was set since it was asked."""
        return self._told + timedelta(seconds=time.monotonic() - self._told_at)

    async def ask(self, session: Session) -> datetime:
        """Ask the PBX. Raises a `PbxError`."""
        value = (await session.ask(messages.clock())).response.get("Value")
        if _SECONDS.fullmatch(value) is None:
            raise ProtocolViolation("the PBX was asked for the time and did not tell it")
        self._set(datetime.fromtimestamp(int(value), UTC))
        return self._told

    def _set(self, told: datetime) -> None:
        self._told, self._told_at = told, time.monotonic()
