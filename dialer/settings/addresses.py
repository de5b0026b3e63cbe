"""Web addresses in a configuration. They reach headers and HTTP clients: nothing in them may have a second meaning."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator

from dialer.settings.problems import Invalid

ID = "{id}"
"""What stands for the callback's id in the address of its page."""

# What RFC 3986 lets stand in an address, without what a header or a dialplan would take for its own: $ ' , and ;.
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!&()*+=%-]*")


def _check(text: str, remedy: str) -> None:
    try:
        parts = urlsplit(text if _CHARACTERS.fullmatch(text) else "")
        # Reading the port tells whether it is one.
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Invalid("not a web address", remedy)
    if "@" in parts.netloc:
        raise Invalid("the address holds a user name", "leave it out: an address is no place for a secret")


def _web_address(text: str) -> str:
    _check(text, 'write it like "https://hooks.example.com/dialer"')
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""http or https, with a host and without a user."""


def _page_address(text: str) -> str:
    remedy = f'write it like "https://desk.example.com/callbacks/{ID}"'
    before, _, after = text.partition(ID)
    # The id belongs behind the host.
    if text.count(ID) != 1 or "/" not in before.partition("://")[2]:
        raise Invalid(f"the address must hold {ID} once, behind its host", remedy)
    _check(before + after, remedy)
    return text


PageAddress = Annotated[str, AfterValidator(_page_address)]
"""As a web address, with `{id}` in the place of a callback's id."""


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid("not a network", 'write it like "10.0.0.0/8", with no bit set behind its length') from None


Private = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
"""A network that may be reached although it is not public."""


def _origin(text: str) -> str:
    remedy = 'write it as browsers send it, like "https://www.example.com"'
    _check(text, remedy)
    parts = urlsplit(text)
    usual = {"http": 80, "https": 443}[parts.scheme]
    if text != f"{parts.scheme}://{parts.netloc}".lower() or parts.port == usual:
        raise Invalid("not a web origin", remedy)
    return text


WebOrigin = Annotated[str, AfterValidator(_origin)]
"""Scheme, host and, unless it is the usual one, port: as in a browser's `Origin` header."""


_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def _base_address(text: str) -> str:
    remedy = 'write it like "https://callback.example.com"'
    _check(text, remedy)
    parts = urlsplit(text)
    if "?" in text or "#" in text:
        raise Invalid("the address holds more than a host and a path", remedy)
    # What runs between a browser and a daemon on the same host needs no certificate: a trial, or a test.
    if parts.scheme != "https" and parts.hostname not in _HERE:
        raise Invalid("the page is not served over https", remedy)
    return text.rstrip("/")


BaseAddress = Annotated[str, AfterValidator(_base_address)]
"""Where visitors see what we serve: https, with a host and perhaps a path. Its last / is left out."""
