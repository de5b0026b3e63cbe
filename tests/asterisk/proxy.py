"""A relay in front of a real AMI: keeps what Asterisk said, and does to the link what networks do to links."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Self

from dialer.ami.codec import Framer, Message

SIZE = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close that waits for nothing is a reset


class Way:
    """One direction of the links, and what is wrong with it.

    `delay`: seconds that each piece is under way. `piece`: bytes that travel together. `silent`: nothing arrives any
    more, not even an end.
    """

    def __init__(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self.delay = 0.0
        self.piece = SIZE
        self.silent = False

    def stall(self) -> None:
        """Hold everything back until `resume`; the sender's buffers fill, and nothing is lost."""
        self._flows.clear()

    def resume(self) -> None:
        """Go on where it stalled."""
        self._flows.set()

    async def read(self, source: asyncio.StreamReader) -> bytes:
        """The next piece; b"" at the end."""
        data = await source.read(self.piece)
        await self._flows.wait()
        await asyncio.sleep(self.delay)
        return data


class Proxy:
    """Listens on loopback; `cut_at` is text of the client's after which the link breaks, once.

    What the client sent still reaches Asterisk; of what Asterisk says then, nothing reaches the client.
    `hold_at` is text from which on the client's bytes are kept back until the client is gone and `release` is called:
    late bytes, as a network or a full buffer may deliver them. `resets`: what breaks is reset, not ended. `greeting` is
    what a client hears before Asterisk's own.
    """

    def __init__(self, host: str, port: int, listen: str = "127.0.0.1") -> None:
        self._listen = listen
        self._target = (host, port)
        self._clients: set[asyncio.StreamWriter] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None] | None] = set()
        self.to_client = Way()
        self.to_asterisk = Way()
        self.cut_at = b""
        self.resets = False
        self.greeting = b""
        self.hold_at = b""
        self.held = asyncio.Event()
        self._released = asyncio.Event()
        self.said = bytearray()
        self.asked = bytearray()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._listen, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.mend()
        self.break_all()
        await asyncio.gather(*filter(None, self._links))
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def messages(self) -> list[Message]:
        """What Asterisk said since `said` was cleared."""
        framer = Framer()
        framer.receive(b"Asterisk Call Manager/\r\n" + bytes(self.said))
        return list(iter(framer.next_message, None))

    def release(self) -> None:
        """Let everything through that was held."""
        self.hold_at = b""
        self._released.set()

    def fall_silent(self) -> None:
        """Lose everything from now on, both ways, without an end: half-open links."""
        self.to_client.silent = self.to_asterisk.silent = True

    def mend(self) -> None:
        """The next links are good ones. Those that fell silent stay so: no link goes on after a hole."""
        for way in (self.to_client, self.to_asterisk):
            way.resume()
        self.to_client, self.to_asterisk = Way(), Way()

    def break_all(self) -> None:
        """Break every link that there is."""
        for writer in self._writers:
            self._break(writer)

    def say(self, data: bytes) -> None:
        """Say something to every client that Asterisk did not say."""
        for client in self._clients:
            if not client.is_closing():
                client.write(data)

    def _break(self, writer: asyncio.StreamWriter) -> None:
        if self.resets and not writer.is_closing():
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(asyncio.current_task())
        self._clients.add(writer)
        self._writers.add(writer)
        there, back = self.to_client, self.to_asterisk
        try:
            source, asterisk = await asyncio.open_connection(*self._target)
            self._writers.add(asterisk)
            writer.write(self.greeting)
            await asyncio.gather(self._say(there, source, writer), self._ask(back, reader, asterisk, writer))
        except ConnectionError:
            if not back.silent:
                self.break_all()

    async def _say(self, way: Way, source: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await way.read(source):
            self.said += data
            if not (way.silent or client.is_closing()):
                client.write(data)
        if not way.silent:
            client.close()

    async def _ask(
        self, way: Way, source: asyncio.StreamReader, asterisk: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        kept = b""
        try:
            while data := await way.read(source):
                self.asked += data
                if self.cut_at and self.cut_at in data:
                    self.cut_at = b""
                    self._break(client)
                if kept or (self.hold_at and self.hold_at in data):
                    self.held.set()
                    kept += data
                elif not way.silent:
                    asterisk.write(data)
        except ConnectionError:
            if not kept:
                raise
        if kept:
            await self._released.wait()
            asterisk.write(kept)
        if not (way.silent or asterisk.is_closing()):
            # Half of a close: a whole one would reset the link under what Asterisk has not read yet.
            asterisk.write_eof()
