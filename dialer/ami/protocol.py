"""The bytes of one manager connection: panoramisk's protocol class with its reading, writing and closing replaced."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Protocol

from panoramisk.ami_protocol import AMIProtocol

from dialer.ami.codec import Framer, Message
from dialer.domain.errors import ProtocolViolation

# Seconds and count of TCP's own probes: they find a dead peer even while nothing is being asked.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class Receiver(Protocol):
    """Who gets what the connection brings."""

    def dispatch(self, event: Message) -> None:
        """A message came. Must not raise."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; `exc` is None when it was closed in order. May come again: the first tells why."""


class Wire(AMIProtocol):  # type: ignore[misc]  # an untyped base
    """Frames what comes in, holds back what goes out while the transport's buffer is full, and replays nothing."""

    def __init__(self, receiver: Receiver, wanted: Iterable[str]) -> None:
        self._receiver = receiver
        self._framer = Framer(wanted)
        self._writable = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Called by asyncio; see there."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio; see there. Reading never waits for anybody."""
        try:
            self._framer.receive(data)
            while (message := self._framer.next_message()) is not None:
                self._receiver.dispatch(message)
        except ProtocolViolation as violation:
            self._receiver.connection_lost(violation)
            self.close()

    def pause_writing(self) -> None:
        """Called by asyncio; see there."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio; see there."""
        self._writable.set()

    async def writable(self) -> bool:
        """Wait until the other side takes more; False when it never will."""
        await self._writable.wait()
        return not (self.closed or self.transport.is_closing())

    def send(self, data: bytes) -> None:
        """Hand one action's bytes to the transport; only after `writable()`."""
        self.transport.write(data)

    def close(self) -> None:
        """Close at once: nothing that was not acknowledged may go out later. Safe to call again."""
        self.closed = True
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio; see there."""
        self.closed = True
        self._writable.set()
        self._receiver.connection_lost(exc)
