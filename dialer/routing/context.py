"""What the agent learns before speaking: who calls, and from which page. Bounded; encoded for the wire elsewhere."""

from urllib.parse import urlsplit, urlunsplit

from dialer.domain.callback import Visitor
from dialer.domain.directory import Department, Directory, Site
from dialer.domain.ids import CallbackId
from dialer.routing.names import trimmed, written

MAX_NAME = 60
"""Characters of a caller name; phones show some 20."""

MAX_NAME_BYTES = 79
"""Bytes of a caller name: an Asterisk that receives a longer one cuts it there, in the middle of a letter."""

# What a long department keeps beside a long name: characters, and bytes.
_PLACE, _PLACE_BYTES = 24, 32
_BETWEEN = ": "
_LOOKED_AT = 4 * MAX_NAME
"""Characters of a name that are looked at: marks may be composed, pictures left out."""


def caller_name(department: Department, visitor: Visitor) -> str:
    """What the agent's phone shows: `<department>: <name>` in the department's style, each trimmed so that something of
    both is seen; the department alone when there is no name to show."""
    name = written(visitor.name[:_LOOKED_AT], department.name_style)
    place = whole = written(department.name[:_LOOKED_AT], department.name_style)
    if name:
        place = trimmed(place, max(_PLACE, _left(len(name))), max(_PLACE_BYTES, _left_bytes(name)))
        name = trimmed(name, _left(len(place)), _left_bytes(place))
    if not name:
        return trimmed(whole, MAX_NAME, MAX_NAME_BYTES)
    return _BETWEEN.join(filter(None, (place, name)))


def _left(characters: int) -> int:
    return MAX_NAME - len(_BETWEEN) - characters


def _left_bytes(text: str) -> int:
    return MAX_NAME_BYTES - len(_BETWEEN) - len(text.encode())


def page(visitor: Visitor, site: Site) -> str:
    """The page without its fragment and, unless the site shows it, its query, which may hold personal data; '' when it
    is no web address."""
    try:
        parts = urlsplit(visitor.page)
        # A user name before the host has no business in a page's address.
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, parts.query if site.page_query else "", ""))


def page_link(directory: Directory, callback: CallbackId) -> str:
    """The address of an agent's page on a callback; '' when there is no such page."""
    return directory.callback_page.replace("{id}", callback)
