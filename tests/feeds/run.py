"""A feed of many items, read by a daemon that is killed again and again, at moments of the platform's choosing.

The witnesses are the store, afterwards, and what the platform was told: each item once, each outcome at least once, and
those of one callback in their order.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from fastapi import Request, Response
from sqlalchemy import Select, func, select

from dialer.store import tables
from dialer.store.feed_store import FeedStore
from dialer.store.outbox_tables import outbox
from dialer.store.store import SqlStore
from tests.feeds.platform import Item, Platform, cancel, change, request, serving, table
from tests.rig import Daemon, detached
from tests.rig.heard import Heard

WITHIN = 1800.0  # seconds for all of it
PAGES_A_KILL = 4
AREAS = ("020 7946", "0161 496", "0113 496", "0114 496", "0116 496", "0117 496", "0118 496", "0121 496")


@dataclass
class Result:
    """What came of it, and every broken promise in words."""

    items: int = 0
    ids: int = 0
    stored: int = 0
    kills: int = 0
    quarantined: int = 0
    events: int = 0
    again: int = 0
    broken: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The figures."""
        count = Counter(each.partition(":")[0] for each in self.broken)
        return {
            "items": self.items,
            "different_ids": self.ids,
            "stored": self.stored,
            "missing": count["missing"],
            "doubled": count["doubled"],
            "kills": self.kills,
            "quarantined": self.quarantined,
            "outcomes": self.events,
            "outcomes_again": self.again,
            "outcomes_missing": count["untold"],
            "outcomes_altered": count["altered"],
            "outcomes_out_of_order": count["disordered"],
        }


def numbers() -> Iterator[str]:
    """Different numbers that may be called."""
    return (f"{area} {number:04}" for number, area in product(range(1000), AREAS))


def _noon(days: int) -> str:
    """So many days ahead: nobody is called while this runs."""
    return f"{datetime.now(UTC).date() + timedelta(days=days)}T12:00"


def made(count: int, random: Random) -> list[Item]:
    """Requests, changes and cancellations of earlier ones, some that cannot be taken, and some that come twice."""
    items: list[Item] = []
    requests: list[str] = []
    phones = numbers()
    while len(items) < count:
        id_, kind = f"i-{len(items)}", random.random()
        if kind < 0.12 and requests:
            items.append(cancel(id_, random.choice(requests)))
        elif kind < 0.24 and requests:
            items.append(change(id_, random.choice(requests), at=_noon(3)))
        elif kind < 0.30:
            items.append(random.choice([request(id_, "07700 900123"), cancel(id_, "never-sent"), {"id": id_}]))
        elif kind < 0.34 and requests:
            # Sent again, as a platform does that was killed itself.
            items.append(request(id_, next(phones), at=_noon(2)))
            items.append(dict(items[-1]))
            requests.append(id_)
        else:
            items.append(request(id_, next(phones), at=_noon(2)))
            requests.append(id_)
    return items


class _Killer:
    """Kills the daemon as it asks for a page, before or just after it is answered, or as it tells an outcome."""

    def __init__(self, daemon: Daemon, kills: int, random: Random) -> None:
        self._daemon = daemon
        self._left = kills
        self._random = random
        self._served = 0
        self.kills = 0
        self.under_way = False
        self.dead = asyncio.Event()

    async def page(self, _: Request) -> Response | None:
        """The platform's fault for each page."""
        self._served += 1
        if self._served % PAGES_A_KILL == 0:
            await self._kill()
        return None

    async def outcome(self, _: Request) -> Response | None:
        """The same for each outcome."""
        if self._random.random() < 0.01:
            await self._kill()
        return None

    async def _kill(self) -> None:
        if not self._left or self.under_way:
            return
        self._left -= 1
        self.under_way = True
        if self._random.random() < 0.3:
            self._end()
        else:
            # The answer goes out meanwhile, and is being worked on: or its first bytes are.
            asyncio.get_running_loop().call_later(self._random.uniform(0, 0.05), self._end)

    def _end(self) -> None:
        self._daemon.kill()
        self.kills += 1
        self.dead.set()


class _Outcomes:
    """A list of faults that never ends."""

    def __init__(self, killer: _Killer) -> None:
        self._killer = killer

    def __bool__(self) -> bool:
        return True

    def pop(self, _: int) -> Any:
        return self._killer.outcome


async def run(count: int, seed: int, folder: Path, *, kills: int) -> Result:
    """So many items and so many kills."""
    random, result = Random(seed), Result()
    platform = Platform(items=made(count, random))
    size = max(1, len(platform.items) // (kills * (PAGES_A_KILL + 1) + 1))
    async with serving(platform), asyncio.timeout(WITHIN):
        daemon = Daemon(detached(folder, {"feed.mi": {**table(platform), "page_size": size, "wait_seconds": 2}}))
        killer = _Killer(daemon, kills, random)
        platform.fault = killer.page
        platform.outcome_faults = _Outcomes(killer)  # type: ignore[assignment]  # one of them for each
        with daemon:
            await daemon.ready()
            async with SqlStore.open(daemon.database, busy_timeout=30) as store:
                while killer.under_way or not await _done(store, platform):
                    if killer.dead.is_set():
                        killer.dead.clear()
                        daemon.start()
                        await daemon.ready()
                        killer.under_way = False
                    await asyncio.sleep(0.05)
                result.kills = killer.kills
                await _judge(result, platform, store)
    return result


async def _done(store: SqlStore, platform: Platform) -> bool:
    """All is read, and nothing is left to be told."""
    if await FeedStore(store).cursor("mi") != str(len(platform.items)):
        return False
    waiting = await store.read(select(func.count()).where(outbox.c.state == "waiting"))
    return waiting[0][0] == 0 and not await FeedStore(store).untold("mi", 1)


async def _judge(result: Result, platform: Platform, store: SqlStore) -> None:
    ids = {item["id"] for item in platform.items}
    asked = {item["id"] for item in platform.items if item.get("type") == "request" and "07700" not in str(item)}
    c = tables.callback.c
    query: Select[Any] = select(c.external_id, c.id, c.version)
    stored = await store.read(query.where(c.source == "feed:mi"))
    per_item = Counter(row.external_id for row in stored)
    result.items, result.ids, result.stored = len(platform.items), len(ids), len(stored)
    result.broken += [f"missing: {id_}" for id_ in sorted(asked - per_item.keys())]
    result.broken += [f"doubled: {id_}" for id_, count in per_item.items() if count > 1 or id_ not in asked]
    unkept = [id_ for id_ in sorted(ids) if await FeedStore(store).item("mi", id_) is None]
    result.broken += [f"missing: {id_} is not known" for id_ in unkept]
    (state,) = await FeedStore(store).states()
    result.quarantined = state.quarantined
    heard = Heard()
    for event in platform.events:
        of_callback = event["type"].startswith("callback.")
        heard.add(event["id"], event, (event["data"]["id"], event["data"]["version"]) if of_callback else None)
    result.events, result.again = heard.events, heard.again
    wanted = {f"{row.id}-{version}" for row in stored for version in range(1, row.version + 1)}
    wanted |= {f"item-{id_}-1" for id_ in ids - asked}
    result.broken += heard.broken(wanted)
