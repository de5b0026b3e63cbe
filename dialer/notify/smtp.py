"""The way out by SMTP: one message, one connection, and a clear word of what became of it.

Until DATA nothing can have arrived, and a refusal is a refusal; from DATA on only the server's answer tells (RFC 5321,
4.2.5 and 6.1).
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from aiosmtplib.email import parse_address

from dialer.http.trust import trusting
from dialer.notify.sending import Leaving, MaybeSent, NotSent, Security

_PERMANENT = 500
_GOOD = 2
_GOODBYE = 2.0
"""Seconds for the server's own goodbye."""

_FITTING = "security and port belong together: mostly starttls and 587, or tls and 465"

_SYNTAX = frozenset({500, 501, 502, 503, 504})
"""What a server says to a command that it does not understand: its fault or ours, not the recipient's."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `hello` is the name that we give; without `username` we do not log in. `within`: seconds
    until a message must be ready to go, and again for the server's word on it."""

    host: str
    port: int
    security: Security
    hello: str
    username: str = ""
    secret: str = field(default="", repr=False)
    ca_file: Path | None = None
    within: float = 30.0


class Mailer:
    """Hands messages in. Raises `ConfigurationError` for a CA file that cannot be used."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._trust = trusting(server.ca_file) if server.security is not Security.NONE else None

    async def send(self, sender: str, recipient: str, message: bytes, leaving: Leaving) -> bool:
        """Hand one message in; whether it was, or `leaving` said no. Raises `NotSent`, `MaybeSent`."""
        if not _is_exact(sender):
            raise NotSent("the sender is not one plain address", down=True)
        if not _is_exact(recipient):
            raise NotSent("the recipient is not one plain address", final=True)
        client = self._client()
        try:
            async with self._prepared():
                await client.connect()
                await client.mail(sender)
                await client.rcpt(recipient)
            if not await leaving():
                return False
            await self._data(client, message)
        finally:
            await _quit(client)
        return True

    async def log_in(self) -> None:
        """Connect, encrypt and log in as for a message, and leave before there is one. Raises `NotSent`."""
        client = self._client()
        try:
            async with self._prepared():
                await client.connect()
                await client.noop()
        finally:
            await _quit(client)

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.secret or None,
            local_hostname=server.hello,
            timeout=server.within,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=self._trust,
        )

    @contextlib.asynccontextmanager
    async def _prepared(self) -> AsyncIterator[None]:
        """Come in time to where only the message is missing; what fails before that did not send it."""
        try:
            async with asyncio.timeout(self._server.within):
                yield
        except SMTPRecipientRefused as error:
            final = error.code >= _PERMANENT and error.code not in _SYNTAX
            raise NotSent(f"the server refuses the recipient ({error.code})", final=final) from None
        except SMTPSenderRefused as error:
            raise NotSent(f"the server refuses the sender ({error.code})", down=True) from None
        except SMTPAuthenticationError as error:
            remedy = "compare username and secret with the server's"
            raise NotSent(f"the server refuses our user or secret ({error.code})", down=True, remedy=remedy) from None
        except SMTPResponseException as error:
            raise NotSent(f"the server is not ready ({error.code})", down=True, remedy="see its log") from None
        except (SMTPException, OSError, ValueError) as error:
            why, remedy = _why(error)
            raise NotSent(why, down=True, remedy=remedy) from None

    async def _data(self, client: SMTP, message: bytes) -> None:
        try:
            await client.data(message)
        except SMTPDataError as error:
            if error.code // 100 == _GOOD:
                return
            final = error.code >= _PERMANENT
            raise NotSent(f"the server refuses the message ({error.code})", final=final) from None
        except (SMTPException, OSError) as error:
            raise MaybeSent(f"the server did not answer to the message ({type(error).__name__})") from None


def _is_exact(address: str) -> bool:
    """Whether the library sends to this address and no other: it reads addresses leniently, and what it takes out of
    `one <another>` depends on Python's version."""
    try:
        return "@" in address and address.isprintable() and parse_address(address) == address
    except ValueError:
        return False


async def _quit(client: SMTP) -> None:
    """What became of the message is known by now: nothing that happens here changes it."""
    try:
        if client.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=_GOODBYE)
    finally:
        client.close()


def _why(error: Exception) -> tuple[str, str]:
    """The failure and its remedy in an administrator's words; what the library says may repeat addresses."""
    match error if isinstance(error, TimeoutError) else error.__cause__ or error:
        case ssl.SSLCertVerificationError() as cause:
            why = f"its certificate is not trusted: {cause.verify_message}"
            remedy = "name its authority in ca_file, or the host as its certificate does"
        case ssl.SSLError():
            why, remedy = "TLS failed", _FITTING
        case socket.gaierror() | UnicodeError():
            why, remedy = "its name cannot be resolved", "correct the host, or see to this machine's DNS"
        case ConnectionRefusedError():
            why, remedy = "nothing listens there", "is it running, and is the port right?"
        case TimeoutError():
            why, remedy = "the server did not answer in time", f"is it running? {_FITTING}"
        case SMTPServerDisconnected():
            why, remedy = "the server hung up", "see its log"
        case cause if type(cause) is SMTPException:
            # Of what we ask for, these are all that the library itself finds missing.
            why, remedy = "it offers no STARTTLS, or no login that we know", _FITTING
        case cause:
            why, remedy = (
                f"no connection to the server ({type(cause).__name__})",
                "correct the host, or see to the network",
            )
    return why, remedy
