"""What a visitor may have typed: type, length and characters checked, composed (NFC), never repeated in a refusal."""

import unicodedata
from urllib.parse import urlsplit

from dialer.domain.errors import RequestRefused

_LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")
_CONTROLS = {"Cc", "Zl", "Zp"}
_MAX_MAILBOX = 64


def single_line(value: object, field: str, limit: int) -> str:
    """One line of at most `limit` characters, without the space around it; '' when absent."""
    text = _text(value, field, limit)
    _no_controls(text, field)
    return text.strip()


def several_lines(value: object, field: str, limit: int) -> str:
    """Text of at most `limit` characters with Unix line ends, and spaces for tabs; '' when absent."""
    text = _text(value, field, limit)
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    text = text.replace("\t", " ")
    _no_controls(text.replace("\n", ""), field)
    return text.strip()


def email(value: object, field: str, limit: int) -> str:
    """An e-mail address by its shape alone: whether it takes mail, only mail can tell."""
    text = single_line(value, field, limit)
    mailbox, at, host = text.rpartition("@")
    labels = host.split(".")
    good = (
        0 < len(mailbox) <= _MAX_MAILBOX
        and bool(at)
        and not any(char.isspace() or char in '@"(),:;<>[\\]' for char in mailbox)
        and ".." not in f".{mailbox}."
        and len(labels) > 1
        and all(label.replace("-", "a").isalnum() and label.strip("-") == label for label in labels)
    )
    if text and not good:
        raise RequestRefused("email_invalid", field, "not an e-mail address", remedy="correct it or leave it out")
    return text


def web_page(value: object, field: str, limit: int) -> str:
    """An http or https address with a host."""
    text = single_line(value, field, limit)
    if text and not _is_web_address(text):
        raise RequestRefused(
            "page_invalid", field, "not a web address", remedy="give the whole http(s) address or leave it out"
        )
    return text


def yes_or_no(value: object, field: str) -> bool:
    """A permission: given only by a plain true."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise RequestRefused("field_type", field, "neither true nor false", remedy="send true or false, not a text")
    return value


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and not any(char.isspace() for char in text)


def _text(value: object, field: str, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RequestRefused("field_type", field, "not a text", remedy="send a JSON string")
    # The first test also bounds the work of the composition.
    if len(value) > limit or len(text := unicodedata.normalize("NFC", value)) > limit:
        raise RequestRefused("field_too_long", field, f"longer than {limit} characters", remedy="shorten it")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise RequestRefused("field_characters", field, "holds half a character", remedy="send valid Unicode")
    return text


def _no_controls(text: str, field: str) -> None:
    if any(unicodedata.category(char) in _CONTROLS for char in text):
        raise RequestRefused(
            "field_characters", field, "holds a line break or another control character", remedy="remove it"
        )
