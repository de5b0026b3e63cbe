"""What sending a message comes to, whichever way it goes; and who is asked before it goes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum

from dialer.domain.errors import DialerError

Leaving = Callable[[], Awaitable[bool]]
"""Asked when all is ready, before the first byte goes from which the message may arrive: it notes that durably, and
says whether the message may leave."""


class Security(StrEnum):
    """How the link is encrypted: after STARTTLS, from its beginning, or not at all (for a server on this host)."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class NotSent(DialerError):
    """The message surely did not arrive, and `what` says why: nothing personal, no secret.

    `final`: trying again is pointless; `down`: this way takes nothing at present, this message or another;
    `retry_after` is what the other side asked for.
    """

    def __init__(
        self,
        why: str,
        *,
        final: bool = False,
        down: bool = False,
        retry_after: timedelta | None = None,
        remedy: str = "",
    ) -> None:
        self.final = final
        self.down = down
        self.retry_after = retry_after
        super().__init__(why, remedy=remedy)


class MaybeSent(DialerError):
    """The message may or may not have arrived: never sent again."""
