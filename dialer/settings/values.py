"""The kinds of value that a configuration holds, each with its check."""

import re
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator

from dialer.domain.phone import NumberKind, known_region
from dialer.settings.problems import Invalid


def _matching(pattern: str, what: str, remedy: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise Invalid(what, remedy)
        return text

    return AfterValidator(check)


Id = Annotated[str, _matching(r"[a-z0-9_-]{1,40}", "not an id", "use 1 to 40 of a-z, 0-9, _ and -")]

Label = Annotated[
    str,
    _matching(
        r"(?=\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,60}(?<=\S)", "not a name", "use 1 to 60 printable characters"
    ),
]
"""A name for people to read; it reaches phones' displays."""

# Endpoints, devices, sounds and the user name go into AMI actions and the dialplan: nothing there may have a meaning.
Endpoint = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not an endpoint's name", "use letters, digits, _ . and -")
]
Phone = Annotated[str, _matching(r"PJSIP/[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not a phone", 'write it like "PJSIP/anna"')]
Device = Annotated[
    str,
    _matching(r"[A-Za-z0-9]+[/:][A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not a device", 'write it like "PJSIP/anna"'),
]
Sounds = Annotated[
    str,
    _matching(
        # Longer ones could not be sent with a call: no line of an action holds more than 1,024 bytes.
        r"(?!.{801})(?:[A-Za-z0-9][A-Za-z0-9_/-]*(?:&[A-Za-z0-9][A-Za-z0-9_/-]*)*)?",
        "not sounds",
        "join names with &, 800 characters in all",
    ),
]
UserName = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,79}", "not a user name", "use letters, digits, _ . @ -")
]
Host = Annotated[str, _matching(r"[A-Za-z0-9:][A-Za-z0-9_.:%-]{0,252}", "not a host", "give a name or an address")]
Credential = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "not a credential's name", "use letters, digits, _ . and -")
]
HeaderName = Annotated[
    str, _matching(r"[A-Za-z][A-Za-z0-9-]{0,79}", "not a header's name", "use letters, digits and -")
]
MailAddress = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
        "not an e-mail address",
        'write it like "calls@example.com"',
    ),
]
TextSender = Annotated[
    str, _matching(r"\+?[0-9]{3,15}|[A-Za-z0-9 ]{1,11}", "not a sender of texts", "use a number, or up to 11 letters")
]
Context = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", "not a dialplan context", "use letters, digits, _ and -")
]


def _place(path: Path) -> Path:
    if "\0" in str(path):
        raise Invalid("not a path", "leave out the null character")
    return path


Place = Annotated[Path, AfterValidator(_place)]
"""The path of a file or folder."""


def _metrics(path: Path) -> Path:
    if path.suffix != ".prom":
        raise Invalid("not a metrics file", 'let its name end in ".prom": the node exporter reads no other')
    return _place(path)


MetricsFile = Annotated[Path, AfterValidator(_metrics)]
"""A file that is replaced whenever an alert changes: nothing else may lie there."""

# Numbers as people group them.
_without_spaces = AfterValidator(lambda text: text.replace(" ", ""))
Prefix = Annotated[str, _without_spaces, _matching(r"\+[0-9]{0,15}", "not a prefix", 'write it like "+44"')]
"""The beginning of a number in E.164, with its +."""
Denied = Annotated[
    str,
    _without_spaces,
    _matching(r"\+[0-9]{3,15}", "not a number or prefix", 'write + and 3 to 15 digits, like "+44 20 7946"'),
]


def _zone(value: object) -> ZoneInfo:
    try:
        # A folder's name among the zones is an OSError.
        return ZoneInfo(value) if isinstance(value, str) else _no_zone()
    except (KeyError, ValueError, OSError):
        return _no_zone()


def _no_zone() -> ZoneInfo:
    raise Invalid("no such time zone", 'write it like "Europe/London"')


Zone = Annotated[ZoneInfo, PlainValidator(_zone)]


def _region(text: str) -> str:
    if not known_region(text):
        remedy = 'write it like "GB"; Guernsey, Jersey and the Isle of Man are "GG", "JE" and "IM"'
        raise Invalid("no such region", remedy)
    return text


Region = Annotated[str, AfterValidator(_region)]


_NEVER_CALLED = (NumberKind.PREMIUM, NumberKind.SPECIAL_RATE, NumberKind.PERSONAL, NumberKind.UNKNOWN)
_CALLED = {kind.value: kind for kind in NumberKind if kind not in _NEVER_CALLED}


def _kind(value: object) -> NumberKind:
    if not isinstance(value, str) or value not in _CALLED:
        raise Invalid("not a kind of number that may be called", f"known are {', '.join(_CALLED)}")
    return _CALLED[value]


Kind = Annotated[NumberKind, PlainValidator(_kind)]

# The lower bound keeps the time between two calls one that can be reckoned with.
Rate = Annotated[float, Field(ge=0.001, le=1000)]
"""Calls begun a second."""
