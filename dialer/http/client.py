"""The one client with which the daemon speaks to others: guarded addresses, bounded answers, one limit for the whole.

Nothing of an answer is trusted, and nothing of a request is told in an error: addresses and headers hold secrets.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import httpcore
import httpx

from dialer import __version__
from dialer.http.addresses import Network
from dialer.http.network import Guarded, Metered, NotConnected, Resolve, TargetRefused, Unreachable, resolve
from dialer.http.trust import trusting

__all__ = ["Answer", "HttpClient", "NotConnected", "TargetRefused", "Unreachable"]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_OURS = {"user-agent": f"mi-dialer/{__version__}", "accept-encoding": "identity"}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_READING = frozenset({"GET", "HEAD"})

_HARMLESS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
"""Headers that another host may see to which a redirect leads."""

_HOST = re.compile(rb"[A-Za-z0-9._:-]{1,253}")
_PORTS = 65_535
_USUAL_PORTS = {"http": 80, "https": 443}

_PIECES, _PIECE = 1_000, 1_024
"""Pieces of a body: so many, and one more for each of so many bytes that it may have."""

_BREATH = 32
"""Pieces read before the loop is left to the calls."""

_CONNECTIONS = 50
_IDLE = 20
_KEEP_IDLE = 60.0
"""Seconds that an idle connection is kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def good(self) -> bool:
        """Whether it is a 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004  # the class of statuses


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: httpx.URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class HttpClient:
    """One pool of connections; use it as an async context manager.

    `allow_private`: networks that may be reached although they are not public. `ca_file`: the authorities that are
    trusted (None: the host's own). The environment's proxies are not heeded. Raises `ConfigurationError` for a
    `ca_file` that cannot be used.
    """

    def __init__(
        self, *, allow_private: Iterable[Network] = (), ca_file: Path | None = None, resolve: Resolve = resolve
    ) -> None:
        self._trust = trusting(ca_file)
        self._network = Guarded(allow_private, resolve)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=self._trust,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_KEEP_IDLE,
            network_backend=self._network,
        )

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        content: bytes = b"",
        within: float,
        most: int,
        redirects: int = 0,
    ) -> Answer:
        """Send one request; the answer, whatever its status. `within`: seconds for the whole of it; `most`: bytes of
        body that are taken; `redirects`: how many are followed (0: a redirect is an answer). A redirect never leads
        from https to http, and takes no header to another host that could be a secret; what is not a GET follows none
        that would make it one.

        Raises `Unreachable` where no whole answer came (`NotConnected`: and nothing was sent),
        `TargetRefused` where we do not connect.
        """
        request = _Request(method, _parse(url), {**_OURS, **_carried(headers)}, content)
        with _told(request.url.host, within):
            async with asyncio.timeout(within):
                return await self._follow(request, within, most, redirects)

    async def reach(self, url: str, *, within: float) -> None:
        """Connect as for a request, TLS included, and leave without one. Raises as `send` does, of which `within` is
        the same."""
        to = _parse(url)
        host = to.raw_host.decode("ascii")
        with _told(to.host, within):
            async with asyncio.timeout(within):
                stream = await self._network.connect_tcp(host, to.port or _USUAL_PORTS[to.scheme], within / 2)
                try:
                    if to.scheme == "https":
                        stream = await stream.start_tls(self._trust, host, within / 2)
                finally:
                    await stream.aclose()

    async def _follow(self, request: _Request, within: float, most: int, redirects: int) -> Answer:
        for left in range(redirects, -1, -1):
            answer = await self._exchange(request, within, most)
            onward = _redirected(request, answer) if left else None
            if onward is None:
                break
            request = onward
        return answer

    async def _exchange(self, request: _Request, within: float, most: int) -> Answer:
        async with self._pool.stream(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers.items()],
            # An empty body is sent as one where a server may wait for its length.
            content=request.content if request.content or request.method not in _READING else None,
            # A connection that does not come about is to be known as that before the time for the whole is over; and
            # cut off from outside, a TLS handshake would leave its connection open.
            extensions={"timeout": {**dict.fromkeys(("read", "write", "pool"), within), "connect": within / 2}},
        ) as response:
            if isinstance(stream := response.extensions["network_stream"], Metered):  # not that of an upgrade (101)
                stream.head_is_read()
            got: dict[str, str] = {}
            for raw, value in response.headers:
                name = raw.decode("ascii").lower()
                got[name] = f"{got[name]}, {value.decode('latin-1')}" if name in got else value.decode("latin-1")
            if got.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
                raise Unreachable("it answered in an encoding that was not asked for")
            return Answer(response.status, got, await _whole(response, most))


@contextmanager
def _told(where: str, within: float) -> Iterator[None]:
    """What fails on the way to `where`, in our words."""
    try:
        yield
    except TimeoutError:
        raise Unreachable(f"no whole answer within {within:g} s", where=where) from None
    except (Unreachable, TargetRefused) as error:
        raise type(error)(error.what, where=where, remedy=error.remedy) from None
    except httpcore.ConnectTimeout:
        raise NotConnected("the connection, or TLS on it, took too long", where=where) from None
    except httpcore.ConnectError as error:
        why, remedy = _why(error)
        raise NotConnected(why, where=where, remedy=remedy) from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise Unreachable(f"the exchange broke off ({type(error).__name__})", where=where) from None
    except ssl.SSLError:
        # What came after the handshake was not of it: httpcore passes this on as it is.
        raise Unreachable("TLS broke off", where=where) from None
    except ValueError:
        # Of TLS, for a name that cannot be a server's.
        raise TargetRefused("its name is not a server's", where=where, remedy="correct the address") from None


async def _whole(response: httpcore.Response, most: int) -> bytes:
    """The body, of at most so many bytes and of no more pieces than that takes: each costs time that calls need."""
    body, pieces = bytearray(), 0
    async for chunk in response.aiter_stream():
        body += chunk
        pieces += 1
        if len(body) > most:
            raise Unreachable(f"its answer is longer than {most} bytes")
        if pieces > _PIECES + most // _PIECE:
            raise Unreachable("its answer comes in too many pieces")
        if pieces % _BREATH == 0:
            # What has come already is handed out without a pause.
            await asyncio.sleep(0)
    return bytes(body)


def _redirected(request: _Request, answer: Answer) -> _Request | None:
    """Where the answer leads, None when it is the end."""
    if answer.status not in _REDIRECTS or not (location := answer.headers.get("location")):
        return None
    if request.method not in _READING and answer.status not in _KEEP_METHOD:
        return None
    onward = _parse(location, request.url)
    if request.url.scheme == "https" and onward.scheme != "https":
        raise TargetRefused("it leads away from https", remedy="give the address to which it is to lead")
    headers = request.headers
    if _origin(onward) != _origin(request.url):
        headers = {name: value for name, value in headers.items() if name in _HARMLESS}
    return _Request(request.method, onward, headers, request.content)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _parse(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = httpx.URL(url) if base is None else base.join(url)
        usable = (
            parsed.scheme in {"http", "https"}
            and _HOST.fullmatch(parsed.raw_host) is not None
            and (parsed.port is None or 0 < parsed.port <= _PORTS)
            and not parsed.userinfo
        )
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        what = "not a web address" if base is None else "it leads to what is not a web address"
        raise TargetRefused(what, remedy="write it like https://hooks.example.com/dialer")
    return parsed


def _carried(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their names in lower case, if they can be sent."""
    if not all(text.isascii() and text.isprintable() for pair in headers.items() for text in pair):
        raise TargetRefused("a header holds what no wire carries", remedy="correct the secret that it holds")
    return {name.lower(): value for name, value in headers.items()}


def _why(error: httpcore.ConnectError) -> tuple[str, str]:
    """A connection's failure in an administrator's words, and the remedy where it shows one."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        remedy = "name its authority in ca_file, or the host as its certificate does"
        return f"its certificate is not trusted: {cause.verify_message}", remedy
    return "TLS failed" if isinstance(cause, ssl.SSLError) else "the connection failed", ""
