"""One logged-in manager connection, from connect to loss: panoramisk's `Manager` with its hazards replaced.

A session is never reused, so that nothing can be replayed after a reconnect.
"""

import asyncio
import itertools
import logging
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import NoReturn

import structlog
from panoramisk.manager import Manager
from ulid import ULID

from dialer.ami import codec, messages
from dialer.ami.codec import Message
from dialer.ami.config import AmiConfig
from dialer.ami.filters import BOOTED, WANTED
from dialer.ami.messages import Action, Reply
from dialer.ami.protocol import Wire
from dialer.domain.errors import (
    ActionRefused,
    ConfigurationError,
    LinkDown,
    LoginRefused,
    NeverSent,
    OutcomeUnknown,
    PbxError,
)

Handler = Callable[[Message], None]

log: structlog.stdlib.BoundLogger = structlog.get_logger("dialer.ami")

# Whatever panoramisk logs may hold a secret, a number or a message.
_SILENCED = logging.getLogger("panoramisk")
_SILENCED.addHandler(logging.NullHandler())
_SILENCED.propagate = False
_SILENCED.setLevel(logging.CRITICAL + 1)

_LONG_NUMBER = re.compile(r"\+?[0-9]{5,}")
_MAX_REASON = 200
_LISTEN = "see that Asterisk runs there, and that its manager.conf listens there; what waits is not lost"


class Refused(ActionRefused):
    """The PBX answered an action with an error; `text` is its own message, without any long number."""

    def __init__(self, action: str, text: str) -> None:
        self.text = _LONG_NUMBER.sub("…", text)[:_MAX_REASON]
        super().__init__(f"the PBX refused {action}: {self.text}")


class _Pending:
    """An action that was written and not yet answered."""

    __slots__ = ("_action", "_events", "_response", "future")

    def __init__(self, action: Action, future: asyncio.Future[Reply]) -> None:
        self._action = action
        self._events: list[Message] = []
        self._response: Message | None = None
        self.future = future

    def take(self, message: Message) -> None:
        """A response, or an event of the list that it began."""
        if self.future.done():
            return
        if not message.event:
            self._response = message
        elif message.event != self._action.complete:
            self._events.append(message)
        if message.response == "Error":
            self.future.set_exception(Refused(self._action.name, message.get("Message")))
        elif self._response is not None and message.event == self._action.complete:
            self.future.set_result(Reply(self._response, tuple(self._events)))


class Session(Manager):  # type: ignore[misc]  # an untyped base
    """Connects once, logs in by challenge, asks with a deadline, tells events by exact name, and dies for good.

    `handlers` maps event names to what is called for each such event; one that raises is reported and harms nobody.
    Its ActionIDs are unique across every session on the PBX, earlier ones of this process included.
    """

    def __init__(self, config: AmiConfig, handlers: Mapping[str, Handler]) -> None:
        # panoramisk is not given the secret: it would send and keep it in clear.
        super().__init__(
            host=config.host,
            port=config.port,
            ssl=_ssl_context(config),
            protocol_factory=lambda: Wire(self, WANTED),
        )
        self._ami = config
        self._handlers: Mapping[str, Handler] = {**handlers, BOOTED: lambda _: self._set(self._booted)}
        self._id = str(ULID())
        self._numbers = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        loop = asyncio.get_running_loop()
        self._booted: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._reason = "the connection was closed"

    @staticmethod
    def _set(future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    async def open(self) -> None:
        """Connect, log in and wait until Asterisk has booted.

        Raises `LoginRefused` for a wrong user or secret, another `PbxError` for what may pass.
        """
        try:
            async with asyncio.timeout(self._ami.connect_timeout):
                await self.connect()
        except TimeoutError:
            what = f"it does not answer within {self._ami.connect_timeout:g} s"
            raise LinkDown(what, where=self._where, remedy=_LISTEN) from None
        except (OSError, UnicodeError) as error:  # a host that is no name at all is a UnicodeError
            raise LinkDown(_plainly(error), where=self._where, remedy=_remedy(error)) from None
        question = await self.ask(messages.challenge())
        await self._login(question.response.get("Challenge"))
        await asyncio.wait(
            {self._booted, self._lost}, timeout=self._ami.boot_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if self._lost.done():
            raise LinkDown(self._reason, where=self._where)
        if not self._booted.done():
            raise LinkDown(
                "it does not say that it has booted", where=self._where, remedy="the account needs read = system"
            )

    async def _login(self, question: str) -> None:
        try:
            await self.ask(messages.login(self._ami.username, self._ami.secret, question))
        except Refused as refusal:
            if refusal.text != "Authentication failed":
                raise
            raise LoginRefused(
                "it refuses our user or secret",
                where=self._where,
                remedy=f"compare with [{self._ami.username}] in the PBX's manager.conf: secret, permit and deny",
            ) from None

    @property
    def loss(self) -> str:
        """Why the connection ended, in plain words; '' while it lives."""
        return self._reason if self._lost.done() else ""

    @property
    def _where(self) -> str:
        return f"PBX {self._ami.name} at {self._ami.host}:{self._ami.port}"

    async def ask(self, action: Action, sent: Callable[[], None] = lambda: None) -> Reply:
        """Send an action once and wait for its whole answer, `action_timeout` at most; `sent` is called when its
        bytes were handed to the transport.

        Raises `NeverSent`, `OutcomeUnknown` or `Refused`; whichever way it ends, nothing of it stays behind.
        """
        identifier = messages.action_id(self._id, next(self._numbers), action.about)
        data = codec.encode((("Action", action.name), ("ActionID", identifier), *action.headers))
        if self.protocol is None:
            raise NeverSent("there is no connection")
        try:
            async with asyncio.timeout(self._ami.action_timeout):
                if not await self.protocol.writable():
                    raise NeverSent(self._reason)
                future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
                self._pending[identifier] = _Pending(action, future)
                self.protocol.send(data)
                sent()
                return await future
        except TimeoutError:
            within = f"within {self._ami.action_timeout:g} s"
            if identifier in self._pending:
                raise OutcomeUnknown(f"the PBX did not answer {action.name} {within}") from None
            raise NeverSent(f"{action.name} could not be written {within}") from None
        finally:
            self._pending.pop(identifier, None)

    def give_up(self, reason: str) -> None:
        """End the session for a reason of ours; `watch` raises it."""
        self.connection_lost(LinkDown(reason))
        self.close()

    async def watch(self, stopping: Callable[[], None]) -> NoReturn:
        """Ping until the link dies, then raise `LinkDown`; calls `stopping` once when the PBX refuses to serve.

        An Asterisk that shuts down gracefully refuses every action while its calls live on and are still told.
        """
        serves = True
        while True:
            await asyncio.wait({self._lost}, timeout=self._ami.ping_interval)
            if self._lost.done():
                raise LinkDown(self._reason)
            serves_now = await self._pinged()
            if serves and not serves_now:
                stopping()
            if serves_now and not serves:
                raise LinkDown("the PBX serves again after it had refused to")
            serves = serves_now

    async def _pinged(self) -> bool:
        try:
            await self.ask(messages.ping())
        except ActionRefused:
            return False
        except PbxError:
            if not self._lost.done():
                self._reason = "the PBX did not answer a ping"
            raise LinkDown(self._reason) from None
        return True

    # --- called by panoramisk's shell and by the wire ------------------------------------------------------------

    def connection_made(self, f: asyncio.Future[tuple[asyncio.Transport, Wire]]) -> None:
        """Keep the protocol. The stock method logs in with the secret in clear and starts blind pings and retries."""
        if not f.cancelled() and f.exception() is None:
            _, self.protocol = f.result()

    def dispatch(self, event: Message) -> None:
        """Give a message to whom it concerns: a handler by exact name, else the action that it answers.

        Handlers come first, so that a listed device state and a live one are told in the order of the wire.
        """
        handler = self._handlers.get(event.event)
        if handler is None:
            pending = self._pending.get(event.action_id)
            if pending is not None:
                pending.take(event)
            return
        try:
            handler(event)
        except Exception as error:  # noqa: BLE001  # one bad event must not cost the link
            log.error(  # noqa: TRY400  # a traceback's last line is the error's text, which may quote a person
                "an event could not be handled",
                pbx=self._ami.name,
                manager_event=event.event,
                error=type(error).__name__,
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """End every question; there is no reconnecting with this session."""
        if self._lost.done():
            return
        if isinstance(exc, PbxError):
            self._reason = exc.what
        elif isinstance(exc, OSError):
            self._reason = _plainly(exc)
        unanswered = (pending.future for pending in self._pending.values() if not pending.future.done())
        for future in unanswered:
            future.set_exception(OutcomeUnknown(f"no answer came: {self._reason}"))
        self._set(self._lost)


def _ssl_context(config: AmiConfig) -> ssl.SSLContext | None:
    if config.tls is None:
        return None
    try:
        # Verifies the chain and the host's name.
        context = ssl.create_default_context(cafile=config.tls.ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"the CA file of PBX {config.name} cannot be used: {error.strerror or 'it holds no certificate'}",
            where=str(config.tls.ca_file),
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _plainly(error: OSError | UnicodeError) -> str:
    """A connection's failure in an administrator's words."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or 'no TLS spoken there'}"
        case socket.gaierror() | UnicodeError():
            return "its name cannot be resolved"
        case ConnectionRefusedError():
            return "nothing listens there"
        case _:
            return f"the connection failed: {error.strerror or type(error).__name__}"


def _remedy(error: OSError | UnicodeError) -> str:
    match error:
        case ssl.SSLError():
            return "compare tls.ca_file with its authority, host with its name, port with manager.conf"
        case socket.gaierror() | UnicodeError():
            return "correct the PBX's host, or the name service"
        case _:
            return _LISTEN
