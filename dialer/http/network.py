"""The way to a server: its name is resolved, each address judged, and exactly a judged one connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address

import httpcore

from dialer.domain.errors import DialerError
from dialer.http.addresses import Address, Network, allowed

Resolve = Callable[[str], Awaitable[Sequence[Address]]]
"""From a host's name, or an address as text, to its addresses. Raises `OSError`, `UnicodeError`."""


class Unreachable(DialerError):
    """There was no answer, or none that could be taken: the same may do later."""

    retry = True


class NotConnected(Unreachable):
    """There was no connection: nothing of the request has left us."""


class TargetRefused(DialerError):
    """We do not connect there: until somebody changes it, trying again is pointless."""

    retry = False


async def resolve(host: str) -> Sequence[Address]:
    """The system's own answer."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ip_address(each[4][0]) for each in found]


class Guarded(httpcore.AsyncNetworkBackend):
    """What the pool connects by. Resolving and connecting are one step here, so that no name can lead elsewhere in
    between; a redirect comes by here again, as everything does."""

    def __init__(self, besides: Iterable[Network], resolve: Resolve) -> None:
        self._besides = tuple(besides)
        self._resolve = resolve
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first allowed address that takes one. Raises `TargetRefused` where none is allowed,
        `NotConnected`, and httpcore's own errors."""
        try:
            found = list(dict.fromkeys(await self._resolve(host)))
        except (OSError, UnicodeError):
            raise NotConnected("its name cannot be resolved") from None
        usable = [address for address in found if allowed(address, self._besides)]
        if found and not usable:
            what = "its address is not a public one"
            raise TargetRefused(what, remedy="correct the address, or allow its network with allow_private")
        share = None if timeout is None else timeout / max(len(usable), 1)
        for address in usable:
            try:
                return await self._plain.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise NotConnected("nothing listens there")
