"""What every request passes before a route sees it: a body within bounds, and no failure that is not told as one."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.web.problems import Problem

log = structlog.get_logger()

_BODY_WITHIN = 10.0
"""Seconds for a request's whole body."""

_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


def _with_always(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """A route's own word comes before ours."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return own + [(name, value) for name, value in _ALWAYS if name not in names]


class Gate:
    """ASGI middleware, the outermost. `max_body` is bytes."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = False

        async def telling(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = _with_always(message.get("headers", ()))
            await send(message)

        try:
            body = _Body(receive, self._max_body)
            body.expect(_announced(scope))
            await self._app(scope, body.receive, telling)
        except Problem as problem:
            if begun:
                raise
            await problem.response(scope, receive, telling)
        except ClientDisconnect:
            return  # Whoever asked has gone in the middle of their body: no fault of ours, and nobody to tell.
        except Exception as error:
            # Its text could hold a person: only the type and the place are told.
            log.error("api.failed", error=type(error).__name__, place=_place(error))  # noqa: TRY400  # as just said
            if begun:
                raise
            await Problem(500, "internal", "this is a bug; it was logged").response(scope, receive, telling)


class _Body:
    """A request's body, counted while it is read."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = most
        self._count = 0
        self._read = False
        self._by = asyncio.get_running_loop().time() + _BODY_WITHIN

    def expect(self, size: int) -> None:
        """So many bytes are there, or announced. Raises `Problem` when that is too much."""
        if size > self._most:
            raise Problem(413, "too_large", f"the body is longer than {self._most} bytes")

    async def receive(self) -> Message:
        """The next part. Raises `Problem` once it is too much, or takes too long."""
        try:
            async with asyncio.timeout_at(None if self._read else self._by):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, "timeout", "the body did not come in time", headers={"connection": "close"}) from None
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._read = not message.get("more_body", False)
            self.expect(self._count)
        return message


def _announced(scope: Scope) -> int:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _place(error: BaseException) -> str:
    """The last line of code that it passed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
