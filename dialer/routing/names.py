"""Names as agents' phones can show them: one line, in letters that the phone has, cut where it hurts least."""

import unicodedata
from typing import assert_never

from anyascii import anyascii

from dialer.domain.directory import NameStyle

# Joiners are format characters as well, but Persian, Hindi and emoji are misspelt without them.
_JOINERS = "\u200c\u200d"
_UNSHOWN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})


def one_line(text: str) -> str:
    """The text in one line, NFC: no controls, no bidi overrides, nothing else that shows nothing; single spaces."""
    spaced = " ".join(text.split())
    shown = "".join(char for char in spaced if char in _JOINERS or unicodedata.category(char) not in _UNSHOWN)
    return unicodedata.normalize("NFC", " ".join(shown.split()))


def written(text: str, style: NameStyle) -> str:
    """The text in one line and in the letters of a style. Latin letters keep their marks in `latin` (é, ß, ł); what
    only a picture can show (an emoji) is left out of anything but `as_written`."""
    line = one_line(text)
    match style:
        case NameStyle.AS_WRITTEN:
            return line
        case NameStyle.LATIN:
            return " ".join(_latin(line).split())
        case NameStyle.ASCII:
            return " ".join("".join(map(_ascii, line)).split())
        case _:
            assert_never(style)


def _latin(text: str) -> str:
    letters = []
    latin = False
    for char in text:
        # A mark that no letter was composed with belongs to the letter before it.
        latin = latin if _is_mark(char) else char.isascii() or _is_latin(char)
        letters.append(char if latin else _ascii(char))
    return "".join(letters)


def _is_latin(char: str) -> bool:
    return char.isalpha() and unicodedata.name(char, "").startswith("LATIN ")


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _ascii(char: str) -> str:
    plain = anyascii(char)
    picture = len(plain) > 1 and plain.startswith(":") and plain.endswith(":")
    return "" if picture else plain


def trimmed(text: str, characters: int, octets: int) -> str:
    """At most so many characters, and bytes of UTF-8. Cut between words where that leaves half of it at least, else
    between letters, never between a letter and its marks."""
    cut = text[:characters].encode()[:octets].decode(errors="ignore")
    rest = text[len(cut) :]
    while cut and rest and (_is_mark(rest[0]) or rest[0] in _JOINERS):
        cut, rest = cut[:-1], cut[-1] + rest
    words, space, _ = cut.rpartition(" ")
    if space and rest and not rest.startswith(" ") and 2 * len(words) >= len(cut):
        cut = words
    return cut.rstrip(f" {_JOINERS}") if rest else cut
