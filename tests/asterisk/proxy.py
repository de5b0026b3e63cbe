"""A relay in front of a real AMI: keeps what Asterisk said, and can break the link at a chosen moment."""

from __future__ import annotations

import asyncio
from typing import Self

from dialer.ami.codec import Framer, Message

SIZE = 1 << 16


class Proxy:
    """Listens on loopback; `cut_at` is text of the client's after which the link breaks, once.

    What the client sent still reaches Asterisk; of what Asterisk says then, nothing reaches the client.
    `hold_at` is text from which on the client's bytes are kept back until the client is gone and `release` is called:
    late bytes, as a network or a full buffer may deliver them.
    """

    def __init__(self, host: str, port: int, listen: str = "127.0.0.1") -> None:
        self._listen = listen
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None] | None] = set()
        self.cut_at = b""
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

    def break_all(self) -> None:
        """Break every link that there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(asyncio.current_task())
        try:
            there, back = await asyncio.open_connection(*self._target)
            self._writers |= {writer, back}
            await asyncio.gather(self._say(there, writer), self._ask(reader, back, writer))
        except ConnectionError:
            self.break_all()

    async def _say(self, source: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await source.read(SIZE):
            self.said += data
            if not client.is_closing():
                client.write(data)
        client.close()

    async def _ask(
        self, source: asyncio.StreamReader, asterisk: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        kept = b""
        try:
            while data := await source.read(SIZE):
                self.asked += data
                if self.cut_at and self.cut_at in data:
                    self.cut_at = b""
                    client.transport.abort()
                if kept or (self.hold_at and self.hold_at in data):
                    self.held.set()
                    kept += data
                else:
                    asterisk.write(data)
        except ConnectionError:
            if not kept:
                raise
        if kept:
            await self._released.wait()
            asterisk.write(kept)
        if not asterisk.is_closing():
            # Half of a close: a whole one would reset the link under what Asterisk has not read yet.
            asterisk.write_eof()
