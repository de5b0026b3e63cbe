"""JSON Lines: each line is a request or a refusal, and no line stops the rest."""

import io
import json
import tracemalloc
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.errors import RequestRefused
from dialer.intake.lines import MAX_LINE, Line, read_lines


def read(content: bytes) -> list[tuple[int, object]]:
    """Each line's number, and the request or the refusal's code."""
    return [(line.number, told(line)) for line in read_lines(io.BytesIO(content))]


def told(line: Line) -> object:
    return line.content.code if isinstance(line.content, RequestRefused) else line.content


def test_one_request_a_line() -> None:
    assert read(b'{"a": 1}\n{"b": "\xc3\xa9"}\n') == [(1, {"a": 1}), (2, {"b": "é"})]


def test_the_last_line_may_lack_its_end() -> None:
    assert read(b'{"a": 1}\n{"a": 2}') == [(1, {"a": 1}), (2, {"a": 2})]


def test_blank_lines_are_skipped_and_counted() -> None:
    assert read(b'\n  \t\n\r\n{"a": 1}\r\n\n') == [(4, {"a": 1})]


def test_a_byte_order_mark_may_begin_the_file() -> None:
    assert read(b'\xef\xbb\xbf{"a": 1}\n') == [(1, {"a": 1})]


def test_nothing_gives_nothing() -> None:
    assert read(b"") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"a": 1', "line_not_json"),
        (b"{'a': 1}", "line_not_json"),
        (b'{"a": 1} {"b": 2}', "line_not_json"),
        (b'{"a": NaN}', "line_not_json"),
        (b'{"a": -Infinity}', "line_not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "line_not_json"),
        (b'{"a": ' + b"[" * 60_000 + b"}", "line_not_json"),
        (b'{"a": "\x01"}', "line_not_json"),
        (b'"text"', "line_not_object"),
        (b"[1]", "line_not_object"),
        (b"null", "line_not_object"),
        (b'{"a": 1, "a": 2}', "line_duplicate_key"),
        (b'{"consent": {"page": "", "page": ""}}', "line_duplicate_key"),
        (b'{"a": "\xff"}', "line_not_utf8"),
        (b"\xff\xfe{\x00}\x00", "line_not_utf8"),
        (b"{" + b" " * MAX_LINE, "line_too_long"),
    ],
)
def test_a_bad_line_is_told_and_the_rest_goes_on(line: bytes, code: str) -> None:
    assert read(b'{"a": 1}\n' + line + b'\n{"a": 3}\n') == [(1, {"a": 1}), (2, code), (3, {"a": 3})]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize(("length", "fits"), [(MAX_LINE - 1, 1), (MAX_LINE, 1), (MAX_LINE + 1, 0), (2 * MAX_LINE, 0)])
def test_the_bound_is_exact_whatever_ends_the_line(length: int, fits: int, end: bytes) -> None:
    line = b'{"a": "' + b"x" * (length - 9) + b'"}'
    assert len(line) == length
    (number, content), *rest = read(line + end + (b'{"a": 2}\n' if end else b""))
    assert number == 1
    assert (content != "line_too_long") == bool(fits)
    assert rest == ([(2, {"a": 2})] if end else [])


class _Endless(io.RawIOBase):
    """A stream that holds one line of `length` bytes, made as it is read, and a good one after it."""

    def __init__(self, length: int) -> None:
        self._left = length
        self._tail = b'\n{"a": 2}\n'

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        assert isinstance(buffer, memoryview)
        if self._left:
            count = min(self._left, len(buffer))
            buffer[:count] = b"x" * count
            self._left -= count
            return count
        count = min(len(self._tail), len(buffer))
        buffer[:count] = self._tail[:count]
        self._tail = self._tail[count:]
        return count


def test_a_line_of_a_gigabyte_is_never_held() -> None:
    stream: BinaryIO = io.BufferedReader(_Endless(2**30), MAX_LINE)
    tracemalloc.start()
    try:
        lines = list(read_lines(stream))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(line.number, told(line)) for line in lines] == [(1, "line_too_long"), (2, {"a": 2})]
    assert peak < 20 * MAX_LINE


def test_a_refusal_says_where_and_never_what_was_there() -> None:
    (line,) = read_lines(io.BytesIO(b'{"phone": "02079460000", "name": Zoe}'))
    assert isinstance(line.content, RequestRefused)
    assert str(line.content) == "not JSON at column 34: Expecting value (one JSON object a line)"
    assert "Zoe" not in repr(line)


@given(st.lists(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: json.dumps({"a": text}).encode())))
def test_any_bytes_are_read_to_their_end(pieces: list[bytes]) -> None:
    content = b"\n".join(pieces)
    lines = list(read_lines(io.BytesIO(content)))
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= content.count(b"\n") + 1
    tail = list(read_lines(io.BytesIO(content + b'\n{"last": 1}')))
    assert tail[-1].content == {"last": 1}
    assert tail[-1].number == content.count(b"\n") + 2
