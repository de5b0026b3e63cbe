"""The HTTP server in the daemon's own loop: bound before the daemon is ready, ended after it has drained."""

import asyncio
import contextlib
import json
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from dialer.domain.errors import ConfigurationError
from dialer.web.certificate import check_certificate
from dialer.web.problems import MEDIA_TYPE

log = structlog.get_logger()

_BACKLOG = 1024
_MOST_CONNECTIONS = 2_000
"""What is more is closed at once: calls need sockets, too."""
_TLS_WITHIN = 10
"""Seconds until TLS is agreed upon."""
_HEADERS_WITHIN = 10.0
"""Seconds for a request's headers, and for the first byte of a connection's first request."""
_REST_WITHIN = 10.0
"""Seconds for what is left of a body when its request has been answered."""
_MOST_PIECES = 4_096
"""Pieces of one body, whatever they hold: each costs time that calls need. A whole packet makes one."""
_IDLE = 30
"""Seconds for which a connection is kept between requests."""
_TAKEN_WITHIN = 60.0
"""Seconds in which the other side takes what waits to be sent: who asks much and reads nothing keeps no place."""
_LAST_ANSWERS = 10
"""Seconds for requests under way when the server ends."""
_MAX_HEADERS = 32 * 1024

_NOT_HTTP = json.dumps(
    {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "code": "not_http",
        "detail": "this is no HTTP/1.1 request",
    }
).encode()


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen (port 0: any), and the files of the certificate, its chain and its key (None: no TLS)."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, at: Listening) -> AsyncIterator[int]:
    """Serve while inside; the port. Raises `ConfigurationError` when it cannot listen there, or by these files."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_LAST_ANSWERS,
        ssl_certfile=at.certificate,
        ssl_keyfile=at.key,
    )
    if at.certificate is not None and at.key is not None:
        check_certificate(at.certificate, at.key)
    config.load()
    if config.ssl is not None:
        # uvicorn's own way leaves a connection a minute for TLS, and counts it only after that.
        config.http_protocol_class = _Secured.factory(config.ssl)
        config.ssl = None
    sock = _bound(at)
    server = _Server(config)
    running = asyncio.create_task(server.serve([sock]), name="http")
    try:
        # The socket listens as soon as uvicorn has it: a connection that comes before that waits in its backlog.
        port: int = sock.getsockname()[1]
        log.info("api.listening", host=at.host, port=port, tls=at.certificate is not None)
        yield port
    finally:
        server.should_exit = True
        await asyncio.wait((running,))
        sock.close()


def _bound(at: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    # With its protocol named: only then does asyncio send an answer's parts at once (TCP_NODELAY).
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((at.host, at.port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        what = f"cannot listen on {at.host} port {at.port}: {error.strerror or error}"
        remedy = "stop what listens there, or set api.listen to a free port"
        raise ConfigurationError(what, where="api.listen", remedy=remedy) from None
    return sock


class _Server(uvicorn.Server):
    """Leaves the signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Reading(h11.Connection):
    """Takes a body in no more pieces than are good for the daemon."""

    _pieces = 0

    def next_event(self) -> Any:
        """The next event. Raises `RemoteProtocolError`, for a body that is cut up too small as well."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            if self._pieces > _MOST_PIECES:
                raise h11.RemoteProtocolError("too many pieces")
        return event


class _Protocol(H11Protocol):
    """Waits neither for a request nor for a reader for ever, nor keeps more connections than the daemon can bear."""

    _late: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None
    _owed = ""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.conn = _Reading(h11.SERVER, _MAX_HEADERS)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base has it
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
            return
        self._expect("head", _HEADERS_WITHIN)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect("head", _HEADERS_WITHIN)
        elif self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE:
            # Nobody reads that any more, nor counts its time; and the pause between requests ended with its first byte.
            self._expect("body", _REST_WITHIN)
        else:
            self._in_time()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._untaken = self.loop.call_later(_TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        self._taken()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """The library's answer to what is no HTTP, as a problem; behind another answer, or within it, there is none."""
        del msg
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(_NOT_HTTP))), ("connection", "close")]
        events: tuple[Any, ...] = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=_NOT_HTTP),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _expect(self, what: str, within: float) -> None:
        """Wait for the rest of `what`, so many seconds from when it was first waited for."""
        if what != self._owed:
            self._in_time()
            self._owed, self._late = what, self.loop.call_later(within, self.transport.abort)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._owed, self._late = "", None


class _Secured(SSLProtocol):
    """TLS before all else on a connection, which counts from its first byte on."""

    def __init__(self, inner: _Protocol, context: ssl.SSLContext, open_: "set[_Secured]") -> None:
        nobody: Any = None  # waits for it: as its base allows, other than the type says
        super().__init__(inner.loop, inner, context, nobody, server_side=True, ssl_handshake_timeout=_TLS_WITHIN)
        self._open = open_

    @classmethod
    def factory(cls, context: ssl.SSLContext) -> Any:
        """What uvicorn makes its protocols with."""
        open_: set[_Secured] = set()
        return lambda **given: cls(_Protocol(**given), context, open_)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(self)
        super().connection_made(transport)
        if len(self._open) > _MOST_CONNECTIONS:
            transport.abort()  # type: ignore[attr-defined]  # of a socket's transport

    def connection_lost(self, exc: BaseException | None) -> None:
        self._open.discard(self)
        super().connection_lost(exc)
