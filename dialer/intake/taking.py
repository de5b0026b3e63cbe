"""From a feed's items to what the store makes of them: callbacks, moves, cancellations and refusals, in their order."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused
from dialer.intake.allowance import Allowance, UsageStore
from dialer.intake.feed import Cancel, Change, Item, Request
from dialer.intake.moments import PAST_TOLERANCE, window
from dialer.intake.promises import promised
from dialer.intake.submission import accept

OLDEST = timedelta(days=31)
"""How long ago a request may have been made."""

_BREATH = 8
"""Items read before the loop is left to the calls."""


@dataclass(frozen=True, slots=True)
class Move:
    """The callback of item `of` shall be due at another time, with that time's promise."""

    of: str
    due_at: datetime
    expires_at: datetime | None
    wanted_at: datetime | None
    wanted_until: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An item, and what is to be made of it."""

    item: Item
    work: Callback | Move | Cancel | RequestRefused = field(repr=False)


class FeedStore(UsageStore, Protocol):
    """The part of the store that knows a feed's items. Raises `StoreError`."""

    async def targets(self, feed: str, items: Sequence[str]) -> Mapping[str, Callback]:
        """The callbacks that these items of a feed made or were answered with."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a feed may ask for: callbacks of departments of `site` (None: of any)."""

    feed: str
    site: str | None


async def prepare(
    store: FeedStore, directory: Directory, bounds: Bounds, items: Iterable[Item], now: datetime
) -> list[Entry]:
    """What is to be made of each item at `now` (UTC), in their order. Raises `StoreError`."""
    items = tuple(items)
    wanted = [item.content.of for item in items if isinstance(item.content, Change)]
    making = _Making(directory, bounds, now, Allowance(store, directory, now))
    if wanted:
        making.targets.update(await store.targets(bounds.feed, wanted))
    entries = []
    for number, item in enumerate(items, 1):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        entries.append(Entry(item, await making.work(item)))
    return entries


@dataclass(slots=True)
class _Making:
    """One page on its way: `targets` are the callbacks of items, those of this page among them."""

    directory: Directory
    bounds: Bounds
    now: datetime
    allowance: Allowance
    targets: dict[str, Callback] = field(default_factory=dict)

    async def work(self, item: Item) -> Callback | Move | Cancel | RequestRefused:
        try:
            match item.content:
                case Request():
                    new = await self.allowance.check(self._accept(item.content))
                    if isinstance(new, Callback):
                        # Of the same id twice in a page, the first one counts.
                        self.targets.setdefault(item.id, new)
                    return new
                case Change():
                    return await self._move(item.content)
                case Cancel() | RequestRefused():
                    return item.content
                case _:
                    assert_never(item.content)
        except RequestRefused as refusal:
            return refusal

    def _accept(self, request: Request) -> Callback:
        """As if it had been submitted when the visitor asked: what is promised counts from then."""
        asked = request.asked or self.now
        if asked > self.now + PAST_TOLERANCE:
            what, remedy = "the request lies in the future", "check the sender's clock"
            raise RequestRefused("time_future", "requested_at", what, remedy=remedy)
        if asked < self.now - OLDEST:
            what = f"the request is more than {OLDEST.days} days old"
            raise RequestRefused("time_past", "requested_at", what, remedy="ask the visitor again")
        new = accept(request.fields, self.directory, min(asked, self.now))
        if self.bounds.site is not None and new.site != self.bounds.site:
            remedy = "give a department of the feed's site"
            raise RequestRefused("department_unknown", "department", "no such department", remedy=remedy)
        if new.expires_at is not None and new.expires_at <= self.now:
            what = "what was asked for is over by now"
            raise RequestRefused("time_past", "requested_at", what, remedy="ask the visitor again")
        return new

    async def _move(self, change: Change) -> Move:
        """Nobody waits for the answer who could choose another time: what the account's caps put off is taken, and put
        off, unless it would be over by then. Then the callback stays where it is."""
        target = self.targets.get(change.of)
        if target is None:
            raise unknown()
        department = self.directory.departments.get(target.department)
        if department is None:
            what = "the callback's department is not in the configuration any more"
            raise RequestRefused("department_unknown", "of", what, remedy="cancel it, or add the department again")
        wanted = window(change.at, change.until, self.directory.sites[department.site].zone, self.now)
        promise = promised(self.directory, department, target.visitor.phone, wanted, self.now)
        if promise.expires_at is not None:
            allowed = await self.allowance.check(replace(target, due_at=promise.due_at))
            if isinstance(allowed, RequestRefused) and allowed.retry_at and promise.expires_at <= allowed.retry_at:
                raise allowed
        return Move(change.of, promise.due_at, promise.expires_at, *wanted)


def unknown() -> RequestRefused:
    """Nothing was made of the item that another one speaks of; not yet, perhaps."""
    what = "no callback came of that item"
    return RequestRefused("item_unknown", "of", what, remedy="send its request first; then this one can be retried")
