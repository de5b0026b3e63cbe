"""Whom a request comes from, where proxies of ours stand in between: only they are believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Networks = Sequence[IPv4Network | IPv6Network]

_V6_HOST_BITS = 64


class Proxies:
    """ASGI middleware that sets the client's address and scheme as the trusted proxies tell them."""

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client and _within(_address(client[0]), self._trusted):
            headers = Headers(scope=scope)
            host = visitor(client[0], headers.getlist("x-forwarded-for"), self._trusted)
            scheme = headers.getlist("x-forwarded-proto")
            scope = {**scope, "client": (host, 0 if host != client[0] else client[1])}
            # Ours is the last one that was added.
            if scheme and (last := scheme[-1].rpartition(",")[2].strip().lower()) in {"http", "https"}:
                scope["scheme"] = last
        await self._app(scope, receive, send)


def visitor(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """The address that a chain of X-Forwarded-For headers leads to: the last one that is no trusted proxy. What cannot
    be read, and all before it, was written by somebody else."""
    found = peer
    for hop in reversed([hop.strip() for header in forwarded for hop in header.split(",")]):
        address = _address(hop)
        if address is None:
            break
        found = str(address)
        if not _within(address, trusted):
            break
    return found


def network(address: str) -> str:
    """Whom an address counts for: who has 64 bits of IPv6 addresses to choose from is known by the rest; '' for what is
    no address. IPv4 that came to a socket of both kinds is IPv4."""
    read = _address(address.partition("%")[0])
    if isinstance(read, IPv6Address):
        return str(IPv6Address(int(read) >> _V6_HOST_BITS << _V6_HOST_BITS))
    return str(read or "")


def _within(address: IPv4Address | IPv6Address | None, networks: Networks) -> bool:
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
