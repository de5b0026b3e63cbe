"""The daemon's own AMI session as the doctor's client, where `asterisk-ami` cannot go: over TLS, and over IPv6."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from dialer.ami.codec import Message
from dialer.ami.config import AmiConfig
from dialer.ami.messages import Action
from dialer.ami.session import Refused, Session
from dialer.cli.doctor.client import Headers
from dialer.settings import Settings
from dialer.settings.access import ami_config

_TOLD = ("OriginateResponse", "DeviceStateChange", "DBGetResponse")
"""The events that a question may be about; the session hands them to handlers."""


class OwnClient:
    """See `client.Client`."""

    def __init__(self, runner: asyncio.Runner, config: AmiConfig) -> None:
        self.how = (
            "by the daemon's own client: asterisk-ami "
            f"{'cannot speak TLS' if config.tls else 'knows no IPv6'}, so this is no second opinion"
        )
        self._runner = runner
        self._timeout = config.action_timeout
        self._events: list[tuple[str, Headers]] = []
        self._changed = asyncio.Event()
        self._session = runner.run(self._opened(config))

    async def _opened(self, config: AmiConfig) -> Session:
        session = Session(config, dict.fromkeys(_TOLD, self._on_event))
        await session.open()
        # Opening waits for it.
        self._events.append(("FullyBooted", {}))
        return session

    def ask(self, action: str, headers: Headers, complete: str = "") -> Headers:
        """See `client.Client`."""
        try:
            reply = self._runner.run(self._session.ask(Action(action, tuple(headers.items()), complete)))
        except Refused as refusal:
            return {"Response": "Error", "Message": refusal.text}
        return _plain(reply.response)

    def seen(self, event: str) -> list[Headers]:
        """See `client.Client`."""
        return [headers for name, headers in self._events if name == event]

    def wait_for(self, event: str, matches: Callable[[Headers], bool]) -> bool:
        """See `client.Client`."""

        async def came() -> None:
            async with asyncio.timeout(self._timeout):
                while not any(matches(headers) for headers in self.seen(event)):
                    self._changed.clear()
                    await self._changed.wait()

        try:
            self._runner.run(came())
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _on_event(self, message: Message) -> None:
        self._events.append((message.event, _plain(message)))
        self._changed.set()


@contextlib.contextmanager
def own_client(settings: Settings, name: str) -> Iterator[OwnClient]:
    """Connect, verify the certificate and log in. Raises a `PbxError`, `ConfigurationError`."""
    with asyncio.Runner() as runner:
        config = ami_config(settings, name)
        client = OwnClient(runner, replace(config, boot_timeout=config.action_timeout))
        try:
            yield client
        finally:
            client.close()


_SPELLINGS = {
    name.lower(): name
    for name in (
        "Response",
        "Message",
        "Value",
        "AsteriskVersion",
        "ActionID",
        "Device",
        "State",
        "Family",
        "Key",
        "Val",
    )
}


def _plain(message: Message) -> Headers:
    """The message's headers, spelled as Asterisk does."""
    return {_SPELLINGS.get(name, name): values[0] for name, values in message.headers().items()}
