"""A carrier below the level of any dialplan: it answers whoever is called with a description of media of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from tests.lab.ports import HOST

NO_COMMON_CODEC = "".join(
    f"{line}\r\n"
    for line in (
        "v=0",
        f"o=- 1 1 IN IP4 {HOST}",
        "s=-",
        f"c=IN IP4 {HOST}",
        "t=0 0",
        "m=audio 4000 RTP/AVP 9",
        "a=rtpmap:9 G722/8000",
    )
)
_COPIED = ("via", "from", "to", "call-id", "cseq", "record-route")


class Carrier(asyncio.DatagramProtocol):
    """Answers every INVITE at once, without ringing. ``methods`` holds what it was sent, less what was sent again."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._seen: set[str] = set()
        self.methods: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def up(cls, description: str) -> AsyncIterator[Self]:
        """One that listens."""
        transport, carrier = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(description), local_addr=(HOST, 0)
        )
        carrier._transport = transport
        carrier.port = transport.get_extra_info("sockname")[1]
        try:
            yield carrier
        finally:
            transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a request."""
        first, *lines = data.decode().partition("\r\n\r\n")[0].split("\r\n")
        method = first.partition(" ")[0]
        transaction = next(line for line in lines if line.lower().startswith("cseq"))
        if transaction not in self._seen:
            self._seen.add(transaction)
            self.methods.append(method)
        if method != "ACK" and self._transport is not None:
            body = self._description if method == "INVITE" else ""
            self._transport.sendto(self._ok(lines, body).encode(), addr)

    def _ok(self, lines: list[str], body: str) -> str:
        kept = [line for line in lines if line.partition(":")[0].lower() in _COPIED]
        tagged = [f"{line};tag=far" if line.lower().startswith("to:") and "tag=" not in line else line for line in kept]
        own = [f"Contact: <sip:{HOST}:{self.port}>", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        return "\r\n".join(("SIP/2.0 200 OK", *tagged, *own, "", body))
