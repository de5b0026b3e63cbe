"""An agent's phone below the level of any dialplan: it consults a colleague, and hands them the call it has."""

from __future__ import annotations

import asyncio
import re

from tests.lab.carrier import Carrier
from tests.lab.ports import HOST

ALAW = "".join(
    f"{line}\r\n"
    for line in ("v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0", "m=audio 4000 RTP/AVP 8")
)
_FINAL = 200
_CONSULTATION = "consultation"  # its Call-ID, and our tag in it


class ConsultingPhone(Carrier):
    """Answers its first call at once; ``consult`` somebody, then ``hand_over`` that call to them, by Replaces."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self._answers: asyncio.Queue[tuple[int, list[str]]] = asyncio.Queue()
        self._call: list[str] = []
        self._pbx = ("", 0)
        self._refer = ""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep an answer, answer a request."""
        first, *lines = data.decode().partition("\r\n\r\n")[0].split("\r\n")
        if first.startswith("SIP/2.0"):
            self._answers.put_nowait((int(first.split()[1]), lines))
            return
        if not self._call:
            self._call, self._pbx = lines, addr
        super().datagram_received(data, addr)

    async def consult(self, extension: str) -> None:
        """Call the extension, which must answer."""
        uri = f"sip:{extension}@{HOST}:{self._pbx[1]}"
        own = f"<sip:{HOST}>;tag={_CONSULTATION}"
        self._send("INVITE", uri, own, f"<{uri}>", _CONSULTATION, self._description)
        _, answer = await self._final()
        other = _header(answer, "to")
        self._send("ACK", _contact(answer), own, other, _CONSULTATION)
        tags = f"to-tag%3D{other.partition('tag=')[2]}%3Bfrom-tag%3D{_CONSULTATION}"
        self._refer = f"Refer-To: <{uri}?Replaces={_CONSULTATION}%3B{tags}>"

    async def hand_over(self) -> int:
        """Transfer the first call to whoever was consulted; the status of the answer to that."""
        own, other = f"{_header(self._call, 'to')};tag=far", _header(self._call, "from")
        self._send("REFER", _contact(self._call), own, other, _header(self._call, "call-id"), more=(self._refer,))
        return (await self._final())[0]

    async def _final(self) -> tuple[int, list[str]]:
        async with asyncio.timeout(10):
            while True:
                status, lines = await self._answers.get()
                if status >= _FINAL:
                    return status, lines

    def _send(
        self, method: str, uri: str, own: str, other: str, call: str, body: str = "", more: tuple[str, ...] = ()
    ) -> None:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK-{method}",
            "Max-Forwards: 70",
            f"From: {own}",
            f"To: {other}",
            f"Call-ID: {call}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:{HOST}:{self.port}>",
            *more,
            "Content-Type: application/sdp",
            f"Content-Length: {len(body)}",
        ]
        if not body:
            lines.remove("Content-Type: application/sdp")
        if self._transport is not None:
            self._transport.sendto("\r\n".join((*lines, "", body)).encode(), self._pbx)


def _header(lines: list[str], name: str) -> str:
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:"))


def _contact(lines: list[str]) -> str:
    return re.sub(r".*<(.*?)>.*", r"\1", _header(lines, "contact"))
