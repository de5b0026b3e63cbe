"""The way to a server: its name is resolved, each address judged, and exactly a judged one connected to."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

import httpcore

from dialer.domain.errors import DialerError
from dialer.http.addresses import Address, Network, allowed

_ASKING = ThreadPoolExecutor(8, thread_name_prefix="name")
"""A name service that does not answer keeps a thread for longer than anybody waits for it. These are not the loop's
own, by which a PBX's name is resolved."""

_LONGEST_HEAD = 32 * 1024
"""Bytes of an answer before its body, interim answers among them: servers themselves take less of a request."""
_PORTION = 1024

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
    asking = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_ASKING, asking)
    return [ip_address(each[4][0]) for each in found]


class Metered(httpcore.AsyncNetworkStream):
    """A connection's stream. What comes before an answer's body is taken in small portions and up to a length: whoever
    reads it goes on through interim answers (103 and their like) for as long as there are any, and gives nobody else a
    turn meanwhile."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left: int | None = _LONGEST_HEAD

    def head_is_read(self) -> None:
        """What comes until the next request is sent is a body, which is bounded elsewhere."""
        self._left = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # the library's
        """The next bytes. Raises `Unreachable` when a head is too long, and httpcore's own errors."""
        if self._left is None:
            return await self._stream.read(max_bytes, timeout)
        if self._left <= 0:
            raise Unreachable(f"the head of its answer is longer than {_LONGEST_HEAD} bytes")
        # Encrypted, what has come already is handed out without a pause.
        await asyncio.sleep(0)
        got = await self._stream.read(min(max_bytes, _PORTION), timeout)
        self._left -= len(got)
        return got

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # the library's
        """Send a part of a request."""
        self._left = _LONGEST_HEAD
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted from here on."""
        return Metered(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)


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
                made = await self._plain.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return Metered(made)
        raise NotConnected("nothing listens there")
