"""A gateway for texts on loopback: it keeps what it is asked, and answers as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from dialer.notify.gateway import Gateway

BODY = {"to": "{number}", "from": "{sender}", "text": "{text}", "options": [{"reference": "{id}"}, True, 3]}
TOKEN = "a token of ours"


@dataclass
class Asking:
    """One request: its first line, headers (lower case) and JSON."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Texts:
    """The gateway: its port, what it was asked, and the status with which it answers; None: it hangs up instead."""

    port: int = 0
    asked: list[Asking] = field(default_factory=list)
    status: int | None = 202
    headers: str = ""

    def gateway(self, **more: Any) -> Gateway:
        given = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "within": 5.0, **more}
        return Gateway(f"http://127.0.0.1:{self.port}/v1/messages", BODY, frozenset({200, 202}), **given)


@asynccontextmanager
async def texts() -> AsyncIterator[Texts]:
    """Serve it."""
    made = Texts()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            made.asked.append(Asking(first, headers, json.loads(body)))
            if made.status is not None:
                answer = f"HTTP/1.1 {made.status} x\r\nContent-Length: 0\r\n{made.headers}Connection: close\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        server.close()
