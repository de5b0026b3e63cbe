"""JSON Lines: one callback request a line, read within bounds. A bad line is told with its number; the rest goes on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from dialer.domain.errors import RequestRefused

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
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        return _refused("line_not_utf8", f"not UTF-8 at byte {error.start + 1}", "encode the file as UTF-8")
    except json.JSONDecodeError as error:
        return _refused("line_not_json", f"not JSON at column {error.colno}: {error.msg}", "one JSON object a line")
    except RequestRefused as refusal:
        return refusal
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets nested thousands deep.
        return _refused("line_not_json", "JSON beyond any sensible size or depth", "one JSON object a line")
    if not isinstance(value, dict):
        return _refused("line_not_object", "not a JSON object", "one JSON object a line")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose keys are all different: of two, a person and a program could each mean another."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _refused("line_duplicate_key", "a key appears twice", "give each field once")
    return made


def _no_constant(_: str) -> object:
    raise _refused("line_not_json", "NaN and Infinity are not JSON", "one JSON object a line")


def _refused(code: str, what: str, remedy: str) -> RequestRefused:
    return RequestRefused(code, "", what, remedy=remedy)
