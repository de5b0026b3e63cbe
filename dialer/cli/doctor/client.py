"""A blocking AMI session for the doctor, by the library `asterisk-ami`: it shares no code with the daemon's own."""

import contextlib
import hashlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from asterisk.ami import Action, AMIClient, Event
from ulid import ULID

from dialer.domain.errors import ConfigurationError, LinkDown, LoginRefused
from dialer.settings import PbxSettings

Headers = Mapping[str, str]


class Client(Protocol):
    """A logged-in session that asks one question at a time."""

    @property
    def how(self) -> str:
        """By which client and way, in words."""

    def ask(self, action: str, headers: Headers, complete: str = "") -> Headers:
        """The response; returns after the event `complete`, if one is named. Raises a `PbxError` when none comes."""

    def seen(self, event: str) -> list[Headers]:
        """The events of this name that came so far."""

    def wait_for(self, event: str, matches: Callable[[Headers], bool]) -> bool:
        """True when such an event came already, or comes soon."""


class _Quiet(AMIClient):  # type: ignore[misc]  # an untyped base
    """The library's client, whose listening thread ends without a traceback on our terminal."""

    def listen(self) -> None:
        # Whatever ended it, the questions then stay without an answer, and that is told.
        with contextlib.suppress(Exception):
            super().listen()
        self.finished.set()


class IndependentClient:
    """See `Client`. Over TCP and IPv4 only: that is all the library has."""

    how = "by asterisk-ami, which shares no code with the daemon"

    def __init__(self, library: AMIClient, timeout: float) -> None:
        self._library = library
        self._timeout = timeout
        self._process = f"doctor-{ULID()}"
        self._numbers = itertools.count(1)
        self._events: list[tuple[str, Headers]] = []
        self._changed = threading.Condition()
        library.add_event_listener(self._on_event)

    def ask(self, action: str, headers: Headers, complete: str = "") -> Headers:
        """See `Client`."""
        identifier = f"{self._process}-{next(self._numbers)}"
        try:
            response = self._library.send_action(Action(action, {**headers, "ActionID": identifier})).response
        except OSError as error:
            raise LinkDown(f"the connection broke at {action}: {error.strerror or 'no reason given'}") from None
        if response is None:
            raise LinkDown(f"it did not answer {action} within {self._timeout:g} s")
        answer = {"Response": response.status, **response.keys}
        listed = bool(complete) and answer["Response"] == "Success"
        if listed and not self.wait_for(complete, lambda event: event.get("ActionID") == identifier):
            raise LinkDown(f"it did not end its answer to {action} within {self._timeout:g} s")
        return answer

    def seen(self, event: str) -> list[Headers]:
        """See `Client`."""
        with self._changed:
            return [headers for name, headers in self._events if name == event]

    def wait_for(self, event: str, matches: Callable[[Headers], bool]) -> bool:
        """See `Client`."""

        def came() -> bool:
            return any(name == event and matches(headers) for name, headers in self._events)

        with self._changed:
            return self._changed.wait_for(came, self._timeout)

    def _on_event(self, event: Event, **_: Any) -> None:
        """Called in the library's own thread."""
        with self._changed:
            self._events.append((event.name, event.keys))
            self._changed.notify_all()


@contextlib.contextmanager
def independent_client(name: str, pbx: PbxSettings, secret: str) -> Iterator[IndependentClient]:
    """Connect and log in by challenge, which never sends the secret. Raises `LinkDown`, `LoginRefused`."""
    _reach(pbx)
    library = _Quiet(pbx.host, pbx.port, timeout=pbx.action_timeout_seconds)
    client = IndependentClient(library, pbx.action_timeout_seconds)
    try:
        library.connect()
    except OSError as error:
        raise LinkDown(f"it was there, and is gone: {error.strerror or 'no reason given'}") from None
    try:
        question = client.ask("Challenge", {"AuthType": "MD5"}).get("Challenge", "")
        # MD5 is the manager's only challenge; what protects the link is that it does not leave the host.
        key = hashlib.md5((question + secret).encode(), usedforsecurity=False).hexdigest()
        login = {"AuthType": "MD5", "Username": pbx.username, "Key": key, "Events": "system"}
        if client.ask("Login", login)["Response"] != "Success":
            raise LoginRefused(
                "it refuses our user or secret",
                where=name,
                remedy=f"compare with [{pbx.username}] in the PBX's manager.conf: secret, permit and deny",
            )
        yield client
    finally:
        # Without a farewell the library waits for its own thread, and that for the next byte.
        with contextlib.suppress(LinkDown):
            client.ask("Logoff", {})
        library.disconnect()


_BANNER = re.compile(rb"Asterisk Call Manager/[0-9]")


def _reach(pbx: PbxSettings) -> None:
    """Raise `LinkDown` unless an AMI greets us: the library would wait for ever for one that does not."""
    remedy = "is Asterisk running, and does manager.conf listen there (enabled, bindaddr, port)?"
    try:
        with socket.create_connection((pbx.host, pbx.port), pbx.connect_timeout_seconds) as connection:
            connection.settimeout(pbx.connect_timeout_seconds)
            greeting = connection.recv(100)
    except TimeoutError:
        raise LinkDown(f"it does not answer within {pbx.connect_timeout_seconds:g} s", remedy=remedy) from None
    except (socket.gaierror, UnicodeError):  # a name with an empty part is the latter
        raise ConfigurationError("its name cannot be resolved", remedy="correct the host") from None
    except OSError as error:
        raise LinkDown((error.strerror or "no connection").lower(), remedy=remedy) from None
    if not _BANNER.match(greeting):
        raise LinkDown("no manager interface is there", remedy=f"{remedy} A TLS port needs [pbx.….tls]")
