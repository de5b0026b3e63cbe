"""Webhooks while the daemon is killed: every event at least once, the same bytes under the same id, in order."""

import asyncio
import base64
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from replicate.webhook import Webhooks, WebhookSigningSecret
from ulid import ULID

from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.notify.outbox import DeliveryState
from dialer.store.deliveries import Deliveries
from dialer.store.store import SqlStore
from tests.rig import Daemon, detached
from tests.rig.daemon import POLL
from tests.rig.receiver import OK, Told, heard_by_webhook, receiving

SECRET = "whsec_" + base64.b64encode(b"the secret of a test, 32 bytes..").decode()
TOMORROW = timedelta(days=1)
WITHIN = 1800.0  # seconds for all of it
PER_CALLBACK = 4
"""Changes of each callback."""


@dataclass
class Result:
    """What came of it, and every broken promise in words."""

    events: int = 0
    told: int = 0
    again: int = 0
    kills: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The figures."""
        count = Counter(each.partition(":")[0] for each in self.broken)
        return {
            "events": self.events,
            "events_told": self.told,
            "events_told_again": self.again,
            "event_kills": self.kills,
            "events_unanswered": self.unanswered,
            "events_lost": count["untold"],
            "events_out_of_order": count["disordered"],
            "events_altered": count["altered"],
            "events_unverified": count["unverified"],
            "event_seconds": round(self.seconds, 1),
        }


async def run(count: int, seed: int, folder: Path, *, kills: int, unanswered: float = 0.0) -> Result:
    """So many events, so many kills among them; of the requests, this share gets no answer but was taken."""
    random, result = Random(seed), Result()
    began = time.monotonic()

    async def answer(_: Told) -> bytes:
        await asyncio.sleep(random.uniform(0, 0.02))
        if random.random() < unanswered:
            result.unanswered += 1
            return b""
        return OK

    async with receiving(answer) as receiver, asyncio.timeout(WITHIN):
        with Daemon(detached(folder, {"webhook.crm": receiver.webhook(SECRET)})) as daemon:
            await daemon.ready()
            async with (
                SqlStore.open(daemon.database, busy_timeout=30) as store,
                _killing(daemon, kills, random, result),
            ):
                ids = await _change(daemon, store, count // PER_CALLBACK, random)
                await _until_told(store)
                expected = {
                    f"{id_}-{version + 1}" for id_ in ids for version in range((await _found(store, id_)).version)
                }
    result.seconds = time.monotonic() - began
    _judge(result, receiver.told, expected)
    return result


@contextlib.asynccontextmanager
async def _killing(daemon: Daemon, kills: int, random: Random, result: Result) -> AsyncIterator[None]:
    """Kill it so often while inside, and leave when that was done."""

    async def kill() -> None:
        for _ in range(kills):
            await asyncio.sleep(random.uniform(0.05, 1.5))
            daemon.kill()
            result.kills += 1
            daemon.start()
            await daemon.ready()

    killing = asyncio.create_task(kill())
    try:
        yield
        await killing
    finally:
        killing.cancel()


async def _change(daemon: Daemon, store: SqlStore, count: int, random: Random) -> list[CallbackId]:
    """Accept so many callbacks, move each twice and cancel it: as the command line does beside a daemon."""
    now = datetime.now(UTC)
    due = now + TOMORROW
    ids = [CallbackId(str(ULID())) for _ in range(count)]
    for start in range(0, count, 10):
        some = ids[start : start + 10]
        await store.add([Callback(each, "shop", "sales", Visitor("+442079460123"), now, None, due) for each in some])
        for hours in (1, 2):
            await asyncio.gather(*(store.reschedule(each, due + timedelta(hours=hours), None, None) for each in some))
        await asyncio.gather(*(store.cancel(each, "asked_to") for each in some))
        daemon.poke()
        await asyncio.sleep(random.uniform(0, 0.1))
    return ids


async def _until_told(store: SqlStore) -> None:
    while (await Deliveries(store).page(1, None, state=DeliveryState.WAITING)).items:  # noqa: ASYNC110  # another process settles it
        await asyncio.sleep(POLL)


async def _found(store: SqlStore, id_: CallbackId) -> Callback:
    found = await store.get(id_)
    assert found is not None
    return found


def _judge(result: Result, told: list[Told], expected: set[str]) -> None:
    heard = heard_by_webhook(told)
    for each in told:
        try:
            Webhooks.validate(
                headers=dict(each.headers), body=each.body.decode(), secret=WebhookSigningSecret(key=SECRET)
            )
        except ValueError:
            result.broken.append(f"unverified: {each.event_id}")
    result.events, result.told, result.again = len(expected), heard.times, heard.again
    result.broken += heard.broken(expected)
