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
