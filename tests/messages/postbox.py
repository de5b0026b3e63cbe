"""Real SMTP servers on loopback: a good one that keeps what it takes, and one whose every answer is the test's."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from dialer.notify.sending import Security
from dialer.notify.smtp import MailServer
from tests.lab.certificates import Certificates, make_certificates

USER, SECRET = "mi-dialer", "open sesame"


@dataclass
class Letter:
    """What the server took: the envelope, the bytes, and how they came."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        read = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read


@dataclass
class Postbox:
    """A server: its port, its certificates, and what it took. `answers`: what it says to a command in place of yes."""

    port: int = 0
    ca: Path | None = None
    letters: list[Letter] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    def server(self, security: Security = Security.STARTTLS, **more: Any) -> MailServer:
        access = {"ca_file": self.ca if security is not Security.NONE else None, "within": 5.0, **more}
        return MailServer("127.0.0.1", self.port, security, "pbx.example.com", **access)

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  # aiosmtpd calls it so
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  # aiosmtpd calls it so
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd calls it so
        if "DATA" in self.answers:
            return self.answers["DATA"]
        user = session.auth_data.login.decode() if session.auth_data else ""
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        letter = Letter(envelope.mail_from, envelope.rcpt_tos, envelope.content, encrypted, user)
        self.letters.append(letter)
        return "250 taken"


def certificates(folder: Path) -> tuple[Certificates, ssl.SSLContext]:
    """An authority of its own, and the server's side of TLS."""
    made = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return made, context


@asynccontextmanager
async def postbox(
    folder: Path, security: Security = Security.STARTTLS, *, login: bool = False
) -> AsyncIterator[Postbox]:
    """A good server. With `login` it takes nothing from strangers."""
    made, context = certificates(folder)
    box = Postbox(ca=made.ca)
    loop = asyncio.get_running_loop()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = (data.login, data.password) == (USER.encode(), SECRET.encode())
        return AuthResult(success=right, handled=False, auth_data=data)

    def connected() -> SMTP:
        return SMTP(
            box,
            hostname="mail.example.com",
            tls_context=context if security is Security.STARTTLS else None,
            auth_required=login,
            auth_require_tls=security is Security.STARTTLS,
            authenticator=check,
            loop=loop,
        )

    implicit = context if security is Security.TLS else None
    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=implicit)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box


Answer = str | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(answers: Mapping[str, Answer]) -> AsyncIterator[Postbox]:
    """A server that says `answers` to commands (`""`: its greeting, `.`: to the message's end), and yes to others. An
    answer may be what it does instead."""
    box = Postbox()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(command: str, usual: str) -> None:
            answer = answers.get(command, usual)
            if isinstance(answer, str):
                writer.write(f"{answer}\r\n".encode())
                await writer.drain()
            else:
                await answer(reader, writer)

        with suppress(OSError, asyncio.IncompleteReadError):
            await say("", "220 mail.example.com")
            while line := await reader.readline():
                command = line.split()[0].decode().upper() if line.split() else ""
                if command == "DATA" and "DATA" not in answers:
                    await say("DATA", "354 go on")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    box.letters.append(Letter("", [], content, encrypted=False, user=""))
                    await say(".", "250 taken")
                else:
                    await say(command, "221 bye" if command == "QUIT" else "250 OK")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
        server.close()


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""
    writer.transport.abort()
    raise ConnectionResetError


async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Wait until the other side has gone."""
    await reader.read()
    raise ConnectionResetError
