"""What the agent learns before speaking: who calls, and from which page. Bounded; encoded for the wire elsewhere."""

from urllib.parse import urlsplit, urlunsplit

from dialer.domain.callback import Visitor
from dialer.domain.directory import Department


def caller_name(department: Department, visitor: Visitor) -> str:
    """What the agent's phone shows: `<department>: <name>`, or the department alone when no name was given."""
    return f"{department.name}: {visitor.name}" if visitor.name else department.name


def page(visitor: Visitor) -> str:
    """The page without its query and fragment, which may hold personal data; '' when it is no web address."""
    try:
        parts = urlsplit(visitor.page)
        # A user name before the host has no business in a page's address.
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
