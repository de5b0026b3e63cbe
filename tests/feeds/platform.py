"""A reference server for `docs/feed.md`: what a platform does to feed a dialer and to hear what became of it.

It keeps its items in a list, and its cursor is a place in that list. A real one has a database, and for a cursor the
number of the last row that it gave out. Nothing else is needed: what was given out before is given out again whenever
an older cursor comes, and the dialer knows it again by its id.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response

from tests.lab.waiting import until

TOKEN = "t0ken-of-the-feed"

Item = dict[str, Any]
Fault = Callable[[Request], Awaitable[Response | None]]
"""What a test has the server do instead, for one request: None is to go on as usual."""


@dataclass
class Platform:
    """The platform's side. `waits`: it holds an answer that would be empty until there is something, as long as the
    dialer asks for. `events` is all that it was told, in order; `asked` are the queries that it was asked."""

    items: list[Item] = field(default_factory=list)
    waits: bool = True
    events: list[Item] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    fault: Fault | None = None
    outcome_faults: list[Fault] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    url: str = ""
    closing: bool = False

    async def put(self, *items: Item) -> None:
        """Something happened: it is in the feed from now on."""
        async with self.news:
            self.items.extend(items)
            self.news.notify_all()

    async def close(self) -> None:
        """Let nobody wait any longer."""
        async with self.news:
            self.closing = True
            self.news.notify_all()

    async def page(self, request: Request) -> Response:
        """`GET /feed?cursor=…&limit=…&wait=…`: what comes after the cursor."""
        self.asked.append(dict(request.query_params))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        fault = self.faults.pop(0) if self.faults else self.fault
        if fault is not None and (instead := await fault(request)) is not None:
            return instead
        place = int(request.query_params.get("cursor", "0"))
        limit, wait = int(request.query_params["limit"]), int(request.query_params["wait"])
        if self.waits:
            await self._something_after(place, wait)
        found = self.items[place : place + limit]
        after = place + len(found)
        body = json.dumps({"items": found, "cursor": str(after), "more": after < len(self.items)})
        headers = {"Feed-Waits": "true"} if self.waits else {}
        return Response(body, media_type="application/json", headers=headers)

    async def outcome(self, request: Request) -> Response:
        """`POST /outcomes`: one event. It is kept before it is answered; the same `id` may come again."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        event = await request.json()
        if self.outcome_faults and (instead := await self.outcome_faults.pop(0)(request)) is not None:
            return instead
        self.events.append(event)
        self.heard.set()
        return Response(status_code=204)

    async def _something_after(self, place: int, wait: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait), self.news:
                await self.news.wait_for(lambda: self.closing or len(self.items) > place)

    def app(self) -> FastAPI:
        """The two addresses."""
        app = FastAPI(openapi_url=None)
        app.add_api_route("/feed", self.page, methods=["GET"], response_model=None)
        app.add_api_route("/outcomes", self.outcome, methods=["POST"], response_model=None)
        return app


def request(id_: str, phone: str = "020 7946 0000", department: str = "sales", **more: Any) -> Item:
    """A request as an item."""
    return {"id": id_, "type": "request", "request": {"department": department, "phone": phone, **more}}


def change(id_: str, of: str, **wish: Any) -> Item:
    """A change as an item."""
    return {"id": id_, "type": "change", "of": of, **wish}


def cancel(id_: str, of: str, **more: Any) -> Item:
    """A cancellation as an item."""
    return {"id": id_, "type": "cancel", "of": of, **more}


def table(platform: Platform) -> dict[str, object]:
    """The table of a dialer's feed that leads there."""
    return {
        "url": f"{platform.url}/feed",
        "outcomes_url": f"{platform.url}/outcomes",
        "token": TOKEN,
        "allow_private": ["127.0.0.0/8"],
    }


class _Server(uvicorn.Server):
    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]  # signals are the test's
        return contextlib.nullcontext()


@contextlib.asynccontextmanager
async def serving(platform: Platform) -> AsyncIterator[Platform]:
    """Serve it on a port of its own; `platform.url` says where."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        platform.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        config = uvicorn.Config(
            platform.app(),
            log_config=None,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[sock]))
        await until(lambda: server.started)
        try:
            yield platform
        finally:
            await platform.close()
            server.should_exit = True
            await running
