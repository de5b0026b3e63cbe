"""The wires of one house under load while its daemons live and die: requests by the API and by a feed, and every change
told by a webhook. Nobody whom it is about is to be rung."""

import asyncio
import base64
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from random import Random

import httpx
from sqlalchemy import select

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from dialer.intake.keys import Scope, hash_of, new_token, prefix_of
from dialer.notify.outbox import Subscriber
from dialer.store import tables
from dialer.store.feed_store import FeedStore
from dialer.store.keys import Keys, NewKey
from dialer.store.outbox import SqlOutbox
from dialer.store.outbox_tables import outbox
from dialer.store.store import SqlStore
from tests.chaos.stream import NIGHT
from tests.feeds.platform import Platform, request, serving, table
from tests.lab.ports import free_port
from tests.lab.waiting import until
from tests.rig.receiver import Receiver, heard_by_webhook, receiving

FEED = "mi"
SOURCE = f"feed:{FEED}"
SECRET = "whsec_" + base64.b64encode(b"the secret of chaos, 32 bytes...").decode()
PAUSE = 0.1  # seconds
WITHIN = 120.0


class Wires:
    """What was promised by each wire of a house, and whether that was kept."""

    def __init__(
        self,
        numbers: Iterator[str],
        random: Random,
        *,
        site: str = NIGHT,
        department: str = NIGHT,
        wanted_at: str | None = None,
        every: float = 0.25,
    ) -> None:
        """`every`: seconds between two requests by each way; `wanted_at` keeps them from being rung where their
        department's hours do not."""
        self._numbers = numbers
        self._random = random
        self._site = site
        self._department = department
        self._wanted_at = wanted_at
        self._every = every
        self._token = new_token()
        self._platform: Platform
        self._receiver: Receiver
        self._port = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self.answered: list[CallbackId] = []
        self.tries = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[dict[str, dict[str, object]]]:
        """With both servers up; gives the tables of the configuration that lead there."""
        self._port = free_port()
        async with serving(Platform()) as self._platform, receiving() as self._receiver:
            yield {
                "api": {"listen": f"127.0.0.1:{self._port}", "per_key": "1000/1s"},
                f"feed.{FEED}": {**table(self._platform), "wait_seconds": 2},
                "webhook.crm": self._receiver.webhook(SECRET),
            }

    async def begin(self, store: SqlStore) -> None:
        """Load them from now on. The subscribers are known before the first callback, as from an earlier start."""
        await SqlOutbox(store).subscribe([Subscriber("webhook:crm"), Subscriber(SOURCE, source=SOURCE)])
        key = NewKey(hash_of(self._token), prefix_of(self._token), self._site, frozenset(Scope), "chaos", "chaos")
        await Keys(store).make(key)
        self._tasks = [asyncio.create_task(work) for work in (self._submit(), self._offer())]

    async def finish(self, store: SqlStore) -> None:
        """Let what is under way come to its end, while a daemon lives."""
        self._over.set()
        async with asyncio.timeout(WITHIN):
            await asyncio.gather(*self._tasks)

        async def read() -> bool:
            return await FeedStore(store).cursor(FEED) == str(len(self._platform.items))

        await until(read, WITHIN)

    async def told(self, store: SqlStore) -> None:
        """Wait until there is nothing left to be told."""

        async def nothing_waits() -> bool:
            return not (await store.read(select(outbox.c.id).where(outbox.c.state == "waiting").limit(1)))

        await until(nothing_waits, WITHIN)

    async def _submit(self) -> None:
        """One request after the other; each is tried with its key until it is answered."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=5.0, trust_env=False) as client:
            while not self._over.is_set():
                body = {"department": self._department, "phone": next(self._numbers), "at": self._wanted_at}
                self.answered.append(await self._answer(client, body, new_token()))
                await asyncio.sleep(self._random.uniform(0, 2) * self._every)

    async def _answer(self, client: httpx.AsyncClient, body: dict[str, str | None], key: str) -> CallbackId:
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        while True:
            self.tries += 1
            with contextlib.suppress(httpx.TransportError):
                answer = await client.post("/v1/callbacks", json=body, headers=headers)
                if answer.status_code in {200, 201}:
                    return CallbackId(answer.json()["id"])
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(PAUSE)

    async def _offer(self) -> None:
        while not self._over.is_set():
            id_ = f"i-{len(self._platform.items)}"
            await self._platform.put(request(id_, next(self._numbers), self._department, at=self._wanted_at))
            await asyncio.sleep(self._random.uniform(0, 2) * self._every)

    async def judge(self, store: SqlStore, stored: Iterable[Callback]) -> list[str]:
        """Every broken promise in words, once nothing changes any more."""
        c = tables.callback.c
        brought = Counter(row[0] for row in await store.read(select(c.external_id).where(c.source == SOURCE)))
        versions = {each.id: each.version for each in stored}
        broken = [f"lost: feed item {item['id']}" for item in self._platform.items if not brought[item["id"]]]
        broken += [f"doubled: feed item {id_}" for id_, count in brought.items() if count > 1]
        broken += [f"lost: {id_} was answered" for id_ in self.answered if id_ not in versions]
        doubled = len(self.answered) - len(set(self.answered))
        broken += [f"doubled: {doubled} answers of the API"] * bool(doubled)
        wanted = {f"{id_}-{version}" for id_, last in versions.items() for version in range(1, last + 1)}
        return broken + heard_by_webhook(self._receiver.told).broken(wanted)

    def figures(self) -> dict[str, int]:
        """How much went over the wires."""
        heard = heard_by_webhook(self._receiver.told)
        return {
            "submitted": len(self.answered),
            "submissions_tried": self.tries,
            "feed_items": len(self._platform.items),
            "outcomes_told": len(self._platform.events),
            "webhooks_told": heard.events,
            "webhooks_told_again": heard.again,
        }
