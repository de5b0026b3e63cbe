"""JSON Lines: one callback request a line, read within bounds. A bad line is told with its number; the rest goes on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from dialer.domain.errors import RequestRefused
from dialer.intake.objects import read_object

MAX_LINE = 64 * 1024
"""Bytes of one request, its line end not counted."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds something: its number, from 1, and the request on it or why it cannot be read."""

    number: int
    content: Mapping[str, object] | RequestRefused = field(repr=False)


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Read requests to the stream's end; blank lines are skipped. Holds one line in memory, whatever its length.

    `stream` is binary and buffered. Raises only what reading it raises.
    """
    number = 0
    while raw := stream.readline(MAX_LINE + 2):
        number += 1
        whole = _skip_rest(stream, raw)
        raw = raw.rstrip(b"\r\n")
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if not whole or len(raw) > MAX_LINE:
            yield Line(number, _refused("line_too_long", f"longer than {MAX_LINE // 1024} KiB", "send less"))
        elif raw.strip():
            yield Line(number, _request(raw))


def _skip_rest(stream: BinaryIO, start: bytes) -> bool:
    """Leave the stream at the next line's beginning; True when `start` already was the whole line."""
    whole = True
    while start and not start.endswith(b"\n"):
        start = stream.readline(MAX_LINE)
        whole = whole and not start
    return whole


def _request(raw: bytes) -> dict[str, object] | RequestRefused:
    try:
        return read_object(raw, "one JSON object a line")
    except RequestRefused as refusal:
        return _refused(f"line_{refusal.code}", refusal.what, refusal.remedy)


def _refused(code: str, what: str, remedy: str) -> RequestRefused:
    return RequestRefused(code, "", what, remedy=remedy)
