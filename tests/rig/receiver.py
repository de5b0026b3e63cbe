"""A server that is told things over HTTP: real sockets, keep-alive, and answers that a test writes out in bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.rig.heard import Heard


@dataclass(frozen=True)
class Told:
    """One request; the headers' names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Told], Awaitable[bytes]]
"""The whole answer; b"" closes the connection without one."""

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    """An answer with a status of no name."""
    return "\r\n".join([f"HTTP/1.1 {code} -", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


async def _ok(_: Told) -> bytes:
    return OK


@dataclass
class Receiver:
    """Its port, and what it was told in the order of its coming; `answer` may be changed while it runs."""

    answer: Answer = _ok
    told: list[Told] = field(default_factory=list)
    port: int = 0

    def url(self, host: str = "127.0.0.1", scheme: str = "http", path: str = "/hooks?key=s3cret") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def webhook(self, secret: str) -> dict[str, object]:
        """The table of a webhook that leads here."""
        return {"url": self.url(), "secrets": [secret], "allow_private": ["127.0.0.0/8"]}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                told = await _read(reader)
                self.told.append(told)
                answer = await self.answer(told)
                writer.write(answer)
                await writer.drain()
                if not answer or b"Connection: close" in answer:
                    break
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Told:
    head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    pairs = [line.partition(":") for line in lines]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Told(head.split(" ")[1], headers, body)


def heard_by_webhook(told: Iterable[Told]) -> Heard:
    """Requests as events of callbacks."""
    heard = Heard()
    for each in told:
        callback, _, version = each.event_id.partition("-")
        heard.add(each.event_id, each.body, (callback, int(version)))
    return heard


@asynccontextmanager
async def receiving(answer: Answer = _ok, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback while inside."""
    receiver = Receiver(answer)
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        connections.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)
