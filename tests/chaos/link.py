"""The way from one daemon to the AMI, action by action: it can be cut, stalled and shut, and lose or hold actions."""

import asyncio
from typing import Self

END = b"\r\n\r\n"
SIZE = 1 << 16
HOST = "127.0.0.1"
ORIGINATE = b"Action: Originate"
_CHANNEL = b"\r\nChannel: "


class Link:
    """Listens on loopback in front of one Asterisk; a context manager.

    `swallow`: actions that begin so vanish. `spoil`: Originates lose the header without which the PBX refuses them.
    `shut`: nobody gets through.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._links: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.WriteTransport] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._holds: list[asyncio.Event] = []
        self._holding: asyncio.Event | None = None
        self.swallow = b""
        self.spoil = False
        self.shut = False
        self.held = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for release in self._holds:
            release.set()
        self.resume()
        self.cut()
        await asyncio.gather(*self._links)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> bool:
        """Break every connection that there is; what was not delivered is gone. False when there is none."""
        for transport in self._transports:
            transport.abort()
        return bool(self._transports)

    def stall(self) -> None:
        """Let nothing through, either way, until `resume`."""
        self._flows.clear()

    def resume(self) -> None:
        """Let through again, what waited first."""
        self._flows.set()

    def keep_back(self) -> asyncio.Event:
        """Hold Originates from now on, until `pass_on`; those held are delivered, even when their client is gone, when
        the event is set."""
        self.held.clear()
        self._holding = asyncio.Event()
        self._holds.append(self._holding)
        return self._holding

    def pass_on(self) -> None:
        """Hold nothing more."""
        self._holding = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        self._transports.add(writer.transport)
        try:
            if not self.shut:
                await self._relay(reader, writer)
        except OSError:
            pass  # one of the two is gone: so is the link
        finally:
            self._transports.discard(writer.transport)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        self._transports.add(back.transport)
        saying = asyncio.create_task(self._say(there, writer))
        try:
            await self._ask(reader, back)
            if back.can_write_eof() and not back.is_closing():
                # Half of a close: a whole one would reset the link under what Asterisk has not read yet.
                back.write_eof()
            await saying
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
            self._transports.discard(back.transport)
            back.transport.abort()

    async def _say(self, source: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await source.read(SIZE):
            await self._flows.wait()
            if not client.is_closing():
                client.write(data)
        client.transport.abort()

    async def _ask(self, source: asyncio.StreamReader, asterisk: asyncio.StreamWriter) -> None:
        """Actions on their way; of a client that is gone, what was held is delivered later."""
        rest, kept, released = b"", b"", asyncio.Event()
        try:
            while data := await source.read(SIZE):
                await self._flows.wait()
                *actions, rest = (rest + data).split(END)
                for action in actions:
                    if self._holding is not None and action.startswith(ORIGINATE):
                        kept, released = kept + action + END, self._holding
                        self.held.set()
                    elif not (self.swallow and action.startswith(self.swallow)):
                        asterisk.write(self._perhaps_spoilt(action) + END)
        except ConnectionError:
            if not kept:
                raise
        if kept:
            await released.wait()
            asterisk.write(kept)

    def _perhaps_spoilt(self, action: bytes) -> bytes:
        if not (self.spoil and action.startswith(ORIGINATE)):
            return action
        before, mark, after = action.partition(_CHANNEL)
        return before + b"\r\n" + after.partition(b"\r\n")[2] if mark else action
