"""Nothing that a visitor writes can end a line, split a `Variable` or be expanded, and it arrives as text."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami.encode import MAX_VALUE, caller_name, decode_value, encode_link, encode_value
from dialer.routing.context import MAX_NAME, MAX_NAME_BYTES

HOSTILE = [
    "x\r\nAction: Command\r\nCommand: core stop now\r\n\r\n",
    "https://x.example.com/?a=1,GLOBAL(PWNED)=yes",
    "quo\"te, back\\slash; $[1+1] ${GLOBAL(X)} (a) [b] {c} 'd' `e` |f|",
    "${SHELL(id)}",
    "\0\x07\x1b[31m",
    "شارع \u202eevil\u202c مرحبا",
    "👩‍👩‍👧‍👦 Zoë नमस्ते",
    "100% %0D%0A %",
    "lone \ud83d surrogate",
    "\u2028line\u2029paragraph\x85next",
    "🎉" * 10_000,
    "a" * 10_000,
]
SAFE_VALUE = re.compile(r"(?:[A-Za-z0-9._~/:?=&@+-]|%[0-9A-F]{2})*")
anything = st.text(st.characters(exclude_categories=()), max_size=1200)


def no_surrogates(text: str) -> str:
    return text.encode(errors="replace").decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_become_harmless_and_arrive(text: str) -> None:
    encoded = encode_value(text)
    assert SAFE_VALUE.fullmatch(encoded)
    assert len(encoded) <= MAX_VALUE
    assert no_surrogates(text).startswith(decode_value(encoded))


@given(anything, st.integers(1, MAX_VALUE))
def test_any_value_is_safe_bounded_and_cut_at_a_whole_character(text: str, limit: int) -> None:
    encoded = encode_value(text, limit)
    arrived = decode_value(encoded)
    assert SAFE_VALUE.fullmatch(encoded)
    assert len(encoded) <= limit
    assert no_surrogates(text).startswith(arrived)
    rest = no_surrogates(text)[len(arrived) :]
    assert not rest or len(encode_value(arrived + rest[0], 10_000)) > limit, "no more is cut than needed"


@given(st.text(max_size=50))
def test_a_short_value_survives_whole(text: str) -> None:
    assert decode_value(encode_value(text)) == text


@given(st.text(max_size=100))
def test_reading_never_fails_and_leaves_text_without_escapes_alone(text: str) -> None:
    read = decode_value(text)
    assert "%" in text or read == text


def test_an_ordinary_page_stays_readable() -> None:
    assert encode_value("https://www.example.com/a-b?c=d&e=f") == "https://www.example.com/a-b?c=d&e=f"


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://desk.example.com/c/01A?x=1&y=a+b#top", "https://desk.example.com/c/01A?x=1&y=a+b#top"),
        ("https://desk.example.com/a%20b%2Cc", "https://desk.example.com/a%20b%2Cc"),  # not once more
        ("https://desk.example.com/é b", "https://desk.example.com/%C3%A9%20b"),
        ("https://x/>;purpose=icon, <https://y", "https://x/%3E%3Bpurpose=icon%2C%20%3Chttps://y"),
        ("https://x/,GLOBAL(PWNED)=yes", "https://x/%2CGLOBAL%28PWNED%29=yes"),
        ("https://x/${SHELL(id)}", "https://x/%24%7BSHELL%28id%29%7D"),
        ("https://x/\r\nAction: Command", "https://x/%0D%0AAction:%20Command"),
        ("x" * MAX_VALUE, "x" * MAX_VALUE),
        ("x" * (MAX_VALUE + 1), ""),
        ("é" * 200, ""),
        ("", ""),
    ],
)
def test_a_link_arrives_whole_or_not_at_all(address: str, sent: str) -> None:
    assert encode_link(address) == sent


@given(anything)
def test_no_link_ends_its_header_or_splits_a_variable(address: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._~/:?=&@+#%-]*", encode_link(address))
    assert len(encode_link(address)) <= MAX_VALUE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sales: Maria", "Sales: Maria"),
        ("  a\r\nAction:\tCommand \x85 b\u2028c ", "a Action: Command b c"),
        ('O"Brien \\ <b>', "O'Brien / (b)"),
        ("e\u0301 Zoe\u0308", "é Zoë"),
        ("a\u202eb\u2066c\u200fd\ufeffe\0f\ud800g", "abcdefg"),
        ("a \u200b b", "a b"),
        ("👩\u200d👧 नम\u200cस्ते", "👩\u200d👧 नम\u200cस्ते"),
        ("x" * 100, "x" * MAX_NAME),
        ("🎉" * 100, "🎉" * (MAX_NAME_BYTES // 4)),
        ("x" * 59 + " y", "x" * 59),
        ("\r\n\u202e", ""),
    ],
)
def test_a_caller_name_is_one_plain_line(text: str, shown: str) -> None:
    assert caller_name(text) == shown


@given(anything)
def test_any_caller_name_is_plain_and_bounded(text: str) -> None:
    name = caller_name(text)
    assert len(name) <= MAX_NAME
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set('"\\<>\r\n\0')
    assert name == name.strip()
    assert all(unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} for char in name)
    assert all(
        unicodedata.bidirectional(char) not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"} for char in name
    )
