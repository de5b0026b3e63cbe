"""The manager protocol as bytes: an incremental framer for what comes in, an encoder for what goes out. No I/O.

A connection opens with one banner line (`Asterisk Call Manager/<version>`), then carries messages of `Name: value`
lines, each ended by CR LF, each message by an empty line (Asterisk's `main/manager.c`).
"""

import re
from collections.abc import Iterable

from dialer.domain.errors import NeverSent, ProtocolViolation

MAX_MESSAGE = 1 << 20
"""Bytes that one message may have before we call it garbage; Asterisk's own longest are some tens of kilobytes."""

MAX_LINE = 1024
"""Bytes of one line with its end, as Asterisk reads it (`inbuf` in `main/manager.c`): more and it drops the action."""

MAX_HEADERS = 128
"""Lines of one action (`AST_MAX_MANHEADERS`): Asterisk ignores the rest."""

_BANNER = b"Asterisk Call Manager/"
_MAX_BANNER = 256
_EOL = b"\r\n"
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ENDS_A_LINE = re.compile("[\r\n\0]")


class Unsendable(NeverSent):
    """An action holds what the protocol cannot carry: CR, LF or NUL, too long a line, too many of them."""


class Message:
    """One response or event: header names in any case, every value of a doubled header kept in its order.

    A line without a colon is kept under the empty name. Values are never shown by `repr`: they hold personal data.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: dict[str, list[str]]) -> None:
        self._headers = headers

    def get(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        values = self._headers.get(name.lower())
        return values[0] if values else default

    def getall(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in the order of the wire; a command's output is `getall("Output")`."""
        return tuple(self._headers.get(name.lower(), ()))

    @property
    def event(self) -> str:
        """The event's name, '' for a response."""
        return self.get("event")

    @property
    def response(self) -> str:
        """`Success`, `Error`, `Follows`, `Goodbye` …; '' for an event."""
        return self.get("response")

    @property
    def action_id(self) -> str:
        """The ActionID that this answers or belongs to, '' for none."""
        return self.get("actionid")

    def headers(self) -> dict[str, tuple[str, ...]]:
        """Everything, by lower-cased name."""
        return {name: tuple(values) for name, values in self._headers.items()}

    def __repr__(self) -> str:
        return f"<Message of {len(self._headers)} headers>"


class Framer:
    """Bytes in, messages out, whatever the chunks: linear in the bytes received.

    `wanted` names the events to build; all others are skipped before they cost a message. None wants everything.
    Responses are always built. Once `ProtocolViolation` was raised the connection is beyond repair.
    """

    __slots__ = ("_buffer", "_scanned", "_start", "_wanted", "version")

    def __init__(self, wanted: Iterable[str] | None = None) -> None:
        self._buffer = bytearray()
        self._start = 0
        self._scanned = 0
        self._wanted = None if wanted is None else frozenset(name.encode() for name in wanted)
        self.version = ""
        """The protocol's version from the banner, '' until it came."""

    def receive(self, data: bytes) -> None:
        """Take what the connection delivered."""
        # Dropping the front of a bytearray moves no bytes, so that the buffer holds one unfinished message at most.
        del self._buffer[: self._start]
        self._scanned -= self._start
        self._start = 0
        self._buffer += data

    def next_message(self) -> Message | None:
        """The next wanted message, or None when more bytes are needed. Raises `ProtocolViolation`."""
        if not self.version and not self._take_banner():
            return None
        buffer = self._buffer
        while True:
            start = self._start
            end = buffer.find(_END, max(start, self._scanned - len(_END) + 1))
            if (len(buffer) if end < 0 else end) - start > MAX_MESSAGE:
                raise ProtocolViolation("a message has no end")
            if end < 0:
                self._scanned = len(buffer)
                return None
            self._start = self._scanned = end + len(_END)
            if self._is_wanted(start, end):
                message = _parse(bytes(buffer[start:end]))
                if message is not None:
                    return message

    def _take_banner(self) -> bool:
        end = self._buffer.find(_EOL, 0, _MAX_BANNER)
        seen = bytes(self._buffer[: min(len(_BANNER), len(self._buffer))])
        if not _BANNER.startswith(seen) or (end < 0 and len(self._buffer) >= _MAX_BANNER):
            raise ProtocolViolation("what answers is not Asterisk's manager interface")
        if end < 0:
            return False
        self.version = self._buffer[len(_BANNER) : end].decode("ascii", errors="replace").strip() or "unknown"
        self._start = self._scanned = end + len(_EOL)
        return True

    def _is_wanted(self, start: int, end: int) -> bool:
        if self._wanted is None or not self._buffer.startswith(_EVENT, start):
            return True
        eol = self._buffer.find(_EOL, start, end)
        return bytes(self._buffer[start + len(_EVENT) : end if eol < 0 else eol]) in self._wanted


def _parse(frame: bytes) -> Message | None:
    """A frame's message; None for stray empty lines. Decoded only now, so that no chunk splits a letter."""
    headers: dict[str, list[str]] = {}
    for line in frame.decode("utf-8", errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            if not line:
                continue
            name, value = "", line
        elif value.startswith(" "):
            value = value[1:]
        key = name.lower()
        if key in headers:
            headers[key].append(value)
        else:
            headers[key] = [value]
    return Message(headers) if headers else None


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """An action's bytes; the first header must be `Action`.

    Raises `Unsendable`, naming the header but never its value.
    """
    lines = [_line(name, value) for name, value in headers]
    if len(lines) > MAX_HEADERS:
        raise Unsendable(f"an action of {len(lines)} headers is more than Asterisk reads")
    lines.append(_EOL)
    return b"".join(lines)


def _line(name: str, value: str) -> bytes:
    if _NAME.fullmatch(name) is None:
        raise Unsendable("a header's name is not a plain word")
    if _ENDS_A_LINE.search(value) is not None:
        raise Unsendable(f"the value of {name} holds a character that would end its line")
    try:
        line = f"{name}: {value}\r\n".encode()
    except UnicodeEncodeError:
        # Raised anew without its cause, which would carry the value.
        raise Unsendable(f"the value of {name} is not valid Unicode") from None
    if len(line) > MAX_LINE:
        raise Unsendable(f"the line of {name} is longer than Asterisk reads")
    return line
