"""The API on a real store and a real socket; its clocks are the test's."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.ids import AttemptId, CallbackId
from dialer.engine.ports import Claim
from dialer.intake.changes import Waiting
from dialer.intake.keys import Scope, hash_of, new_token, prefix_of
from dialer.intake.limits import Limit, LimitRule, Limits
from dialer.store.events import Events
from dialer.store.keys import Keys, NewKey
from dialer.store.reports import ReportRows
from dialer.store.site import SiteViews
from dialer.store.store import SqlStore
from dialer.store.submissions import Submissions
from dialer.web.app import make_app
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.pace import Pacer
from dialer.web.proxies import Networks
from dialer.web.reporter import Reporter
from dialer.web.server import Listening, serving
from dialer.web.services import Services
from tests.contract.story import attempt_at
from tests.unit.intake.places import DIRECTORY, NOW

ORIGIN = "https://www.example.com"
MINUTE = timedelta(minutes=1)
MAX_BODY = 4096


@dataclass
class Clocks:
    """The wall's time, and the seconds that only grow."""

    wall: datetime = NOW
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Running:
    """What a daemon would be told; implements the web's `Daemon`."""

    submissions: Submissions
    pbx: bool = True
    new: list[Callback] = field(default_factory=list)
    woken: int = 0

    def pbx_ready(self) -> bool:
        return self.pbx

    async def store_ready(self) -> bool:
        return await self.submissions.writable()

    def taken_in(self, new: Callback) -> None:
        self.new.append(new)

    def wake(self) -> None:
        self.woken += 1


@dataclass
class Place:
    """`client` asks without a key; `as_` gives the headers of one."""

    store: SqlStore
    clocks: Clocks
    daemon: Running
    doorkeeper: Doorkeeper
    client: httpx.AsyncClient
    _numbers: Any = field(default_factory=count)

    async def key(self, scopes: str = "submit,read,manage", site: str = "shop") -> str:
        """A new key in full."""
        token = new_token()
        wanted = frozenset(Scope(word) for word in scopes.split(","))
        await Keys(self.store).make(NewKey(hash_of(token), prefix_of(token), site, wanted, "a test's", "ann"))
        return token

    async def as_(self, scopes: str = "submit,read,manage", site: str = "shop", **more: str) -> dict[str, str]:
        """Headers with a new key."""
        return {"authorization": f"Bearer {await self.key(scopes, site)}", **more}

    def number(self) -> str:
        """A number that no other test of the place has."""
        return f"+4420794{60000 + next(self._numbers):05}"

    async def submitted(self, headers: dict[str, str], **fields: Any) -> dict[str, Any]:
        """A callback that was handed in just now."""
        body = {"department": "care", "phone": self.number(), **fields}
        answer = await self.client.post("/v1/callbacks", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def stored(self, id_: str) -> Callback:
        """A callback as it is in the store now."""
        found = await self.store.get(CallbackId(id_))
        assert found is not None
        return found


@contextlib.asynccontextmanager
async def place(
    folder: Path,
    *,
    directory: Directory = DIRECTORY,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    per_key: int = 1000,
    per_address: int = 1000,
    events_per_key: int = 1000,
    events_per_address: int = 1000,
    trusted: Networks = (),
) -> AsyncIterator[Place]:
    """A fresh one in `folder`."""
    clocks = Clocks()
    async with SqlStore.open(folder / "dialer.db", exclusive=True, now=clocks.now) as store:
        keys, submissions = Keys(store), Submissions(store)
        daemon = Running(submissions)
        pacers = [Pacer(Limit(most, MINUTE), clocks.monotonic) for most in (per_key, per_address)]
        doorkeeper = Doorkeeper(keys, *pacers, clocks.monotonic)
        its_pacers = [Pacer(Limit(most, MINUTE), clocks.monotonic) for most in (events_per_key, events_per_address)]
        services = Services(
            directory=directory,
            clock=clocks,
            doorkeeper=doorkeeper,
            events_door=Doorkeeper(keys, its_pacers[0], its_pacers[1], clocks.monotonic),
            origins={"shop": frozenset({ORIGIN}), "other": frozenset({"https://other.example.com"})},
            submissions=submissions,
            views=SiteViews(store),
            events=Events(store),
            reporter=Reporter(ReportRows(store)),
            changing=store,
            daemon=daemon,
            rule=LimitRule(limits),
            waiting=Waiting(patience=0.2, between=0.05),
        )
        app = make_app(services, max_body=MAX_BODY, trusted_proxies=trusted)
        async with (
            serving(app, Listening("127.0.0.1", 0)) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client,
        ):
            yield Place(store, clocks, daemon, doorkeeper, client)


def attempt_of(of: Callback) -> Attempt:
    """The next attempt at a callback, by an agent of its own."""
    number = of.attempts + 1
    made = attempt_at(replace(of, id=CallbackId(f"C{number:025}")))
    return replace(made, id=AttemptId(f"A{of.id[-20:]}{number:05}"), callback_id=of.id, agent=f"of-{of.id}")


async def claimed(store: SqlStore, id_: str) -> Attempt:
    """The attempt that was claimed for a callback just now."""
    found = await store.get(CallbackId(id_))
    assert found is not None
    attempt = attempt_of(found)
    assert await store.claim(Claim(found, attempt))
    return attempt


def problem(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The problem that an answer must be."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, body["status"], body["code"], body.get("field")) == (status, status, code, field)
    assert body.keys() <= {"type", "title", "status", "code", "detail", "field", "retry_at"}
    assert body["detail"]
    return body
