"""What a visitor wrote, made safe for Asterisk: it can neither end a line, split a `Variable`, nor be expanded.

Originate splits every `Variable:` at commas and drops quotes and backslashes; a dialplan expands `${` and `$[`. So a
value is percent-encoded UTF-8 (RFC 3986) and the reader decodes it. A caller name cannot be encoded, because a phone
shows it as it comes: there the characters that carry meaning are replaced.
"""

import re
from urllib.parse import quote, unquote, unquote_to_bytes

from dialer.routing.context import MAX_NAME, MAX_NAME_BYTES
from dialer.routing.names import one_line

MAX_VALUE = 700
"""Bytes of an encoded value: with its name far below the 1,024 of a line, and a SIP header that proxies pass on."""

_SAFE = "/:?=&@+"
_PART_OF_ESCAPE = re.compile(r"%[0-9A-F]?\Z")
_LOOKALIKES = str.maketrans('"\\<>', "'/()")


def encode_value(text: str, limit: int = MAX_VALUE) -> str:
    """Percent-encode everything outside letters, digits and `-._~/:?=&@+`.

    At most `limit` bytes, cut at a whole character. `decode_value` gives the text back.
    """
    # Each character takes a byte at least: no more of a huge text is looked at.
    encoded = quote(text[:limit], _SAFE, errors="replace")
    if len(encoded) <= limit:
        return encoded
    whole = _PART_OF_ESCAPE.sub("", encoded[:limit])
    return quote(unquote_to_bytes(whole).decode("utf-8", errors="ignore"), _SAFE)


def decode_value(encoded: str) -> str:
    """The text of an encoded value, as a phone or a screen-pop reads it."""
    return unquote(encoded, errors="replace")


def encode_link(address: str) -> str:
    """An address for a SIP header, within its `<>`: whatever could end it, split a `Variable` or be expanded is
    percent-encoded; escapes that are there already stay. '' for one of more than `MAX_VALUE` bytes: cut, it would lead
    nowhere."""
    encoded = quote(address[: MAX_VALUE + 1], f"{_SAFE}#%", errors="replace")
    return encoded if len(encoded) <= MAX_VALUE else ""


def caller_name(text: str) -> str:
    """A name as an agent's phone may show it: one line, NFC, no controls or bidi overrides, no quoting characters.

    At most `MAX_NAME` characters and `MAX_NAME_BYTES` bytes, for one that came without having been trimmed.
    """
    # Composition may join what the cut would part; a bounded surplus keeps a huge name cheap.
    name = one_line(text[: 4 * MAX_NAME]).translate(_LOOKALIKES)[:MAX_NAME]
    return name.encode()[:MAX_NAME_BYTES].decode("utf-8", errors="ignore").strip()
