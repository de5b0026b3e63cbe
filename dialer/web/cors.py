"""What scripts of a site's pages may ask of the API, by the browser's own rules: the few things a widget needs."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = (
    (re.compile(r"/v1/callbacks"), "POST"),
    (re.compile(r"/v1/events"), "POST"),
    (re.compile(r"/v1/departments/[^/]+/slots"), "GET"),
)
_HEADERS = "Authorization, Content-Type, Idempotency-Key"
_SHOWN = "Retry-After"
_AN_HOUR = "3600"


class Cors:
    """ASGI middleware. `origins`: of all sites together; which key may be used from where is asked of the key."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        method = next((method for path, method in _OPEN if path.fullmatch(scope["path"])), None)
        if origin is None or method is None or origin not in self._origins:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(origin, method)(scope, receive, send)
            return

        async def allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_allowing(origin)]
            await send(message)

        await self._app(scope, receive, allowing)


def _preflight(origin: str, method: str) -> Response:
    response = Response(status_code=204)
    response.raw_headers.extend(_allowing(origin))
    response.headers["access-control-allow-methods"] = method
    response.headers["access-control-allow-headers"] = _HEADERS
    response.headers["access-control-max-age"] = _AN_HOUR
    return response


def _allowing(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _SHOWN.encode()),
        (b"vary", b"Origin"),
    ]
