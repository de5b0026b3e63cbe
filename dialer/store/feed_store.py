"""The store as feeds, their commands and what is told back to them see it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, Select, bindparam, func, select, update

from dialer.domain.callback import Callback
from dialer.domain.errors import IllegalState
from dialer.engine.ports import Usage
from dialer.intake.admission import AdmissionRule
from dialer.intake.feed import ItemAnswer
from dialer.intake.taking import Entry
from dialer.notify.feedback import ItemReport
from dialer.store.feed_tables import QUARANTINED, UNTOLD, feed, feed_item
from dialer.store.feeds import RetryItem, Taken, TakePage
from dialer.store.operations import Operation, in_slices
from dialer.store.rows import CALLBACK_COLUMNS, to_callback
from dialer.store.store import SqlStore
from dialer.store.tables import ONE_MORE, callback
from dialer.store.views import Page

_i = feed_item.c
_REPORT = select(
    *(_i.id, _i.item, _i.answer, func.coalesce(_i.callback_id, ""), _i.code, _i.field, _i.what, _i.retry_at),
    *(_i.updated_at, _i.differs, _i.told),
)
_ITEM = select(
    *(_i.id, _i.item, _i.answer, _i.callback_id, _i.code, _i.field, _i.what, _i.retry_at, _i.raw, _i.taken_at),
    *(_i.updated_at, _i.differs, _i.untold),
)


# --- questions -------------------------------------------------------------------------------------------------------


def cursor_of(name: str) -> Select[Any]:
    """How far a feed was read."""
    return select(feed.c.cursor).where(feed.c.name == name)


def targets_of(name: str, items: Sequence[str]) -> Select[Any]:
    """The callbacks that these items made or were answered with, each with its item behind it."""
    whose = select(*CALLBACK_COLUMNS, _i.item).join(callback, callback.c.id == _i.callback_id)
    return whose.where(_i.feed == name, _i.item.in_(items))


def untold_of(name: str, limit: int, after: int = 0) -> Select[Any]:
    """What a feed has not heard of what came after this row, the oldest items first."""
    return _REPORT.where(_i.feed == name, UNTOLD, _i.id > after).order_by(_i.id).limit(limit)


def item_of(name: str, item: str) -> Select[Any]:
    """One item."""
    return _ITEM.where(_i.feed == name, _i.item == item)


def quarantined_of(name: str, after: int, limit: int) -> Select[Any]:
    """What is in quarantine and came after this row, the first first."""
    return _ITEM.where(_i.feed == name, QUARANTINED, _i.id > after).order_by(_i.id).limit(limit)


QUARANTINES = select(_i.feed, func.count()).where(QUARANTINED).group_by(_i.feed)
UNTOLDS = select(_i.feed, func.count()).where(UNTOLD).group_by(_i.feed)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """What became of an item; `row` numbers them in the order of their coming. `raw` is all of one in quarantine."""

    row: int
    item: str
    answer: ItemAnswer
    callback_id: str | None
    code: str
    field: str
    what: str
    retry_at: datetime | None
    raw: str | None = dataclasses.field(repr=False)
    taken_at: datetime
    updated_at: datetime
    differs: int
    untold: bool


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a feed was read, and when: the last page, and the last that brought something new. `taken` counts all
    items, `quarantined` those that wait there, `untold` those of which the feed is yet to hear."""

    name: str
    cursor: str | None
    read_at: datetime | None
    news_at: datetime | None
    taken: int
    quarantined: int
    untold: int


@dataclass(frozen=True, slots=True)
class Told(Operation[None]):
    """The feed has heard this of an item; what became of it since is still to be told."""

    report: ItemReport

    quiet: ClassVar[bool] = True

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        del now
        connection.execute(_TOLD, [{"b_row": each.report.row, "b_told": each.report.told} for each in group])
        return [None] * len(group)


_TOLD = (
    update(feed_item)
    .where(_i.id == bindparam("b_row"), _i.told == bindparam("b_told"))
    .values(untold=False, told=_i.told + ONE_MORE)
)


class FeedStore:
    """Every method raises `StoreError` when the database cannot do it. What returns from a change is durable."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    # --- what the puller does ---

    async def cursor(self, name: str) -> str | None:
        """How far a feed was read; None before its first page."""
        rows = await self._store.read(cursor_of(name))
        return rows[0][0] if rows else None

    async def targets(self, feed: str, items: Sequence[str]) -> Mapping[str, Callback]:
        """The callbacks that these items of a feed made or were answered with."""
        found: dict[str, Callback] = {}
        for some in in_slices(items):
            rows = await self._store.read(targets_of(feed, some))
            found.update((row[-1], to_callback(row[:-1])) for row in rows)
        return found

    async def usage(self, departments: Sequence[str], since: datetime) -> Usage:
        """As `SqlStore.usage`."""
        return await self._store.usage(departments, since)

    async def take(
        self, name: str, entries: Sequence[Entry], cursor: str | None, rule: AdmissionRule, *, tell: bool
    ) -> Taken:
        """Take a page in, and move the cursor to `cursor` (None: it stays) in the same transaction."""
        return await self._store.write(TakePage(name, tuple(entries), cursor, rule, tell))

    # --- what is told back ---

    async def untold(self, feed: str, limit: int, after: int = 0) -> list[ItemReport]:
        """The oldest items behind the row `after` of which a feed has not heard what became of them."""
        rows = await self._store.read(untold_of(feed, limit, after))
        return [ItemReport(*row) for row in rows]

    async def told(self, report: ItemReport) -> None:
        """It has heard this; not what became of the item since."""
        await self._store.write(Told(report))

    # --- what people do ---

    async def retry(self, name: str, entry: Entry, rule: AdmissionRule, *, tell: bool) -> ItemAnswer:
        """Take an item from quarantine. Raises `IllegalState` where it is not there."""
        return await self._store.write(RetryItem(name, entry, rule, tell))

    async def states(self) -> list[FeedState]:
        """Every feed that was ever read, by name."""
        c = feed.c
        rows = await self._store.read(select(c.name, c.cursor, c.read_at, c.news_at, c.taken).order_by(c.name))
        waiting = [await self._counts(QUARANTINES), await self._counts(UNTOLDS)]
        return [FeedState(*row, *(counts.get(row.name, 0) for counts in waiting)) for row in rows]

    async def _counts(self, query: Select[Any]) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._store.read(query)}

    async def item(self, name: str, item: str) -> FeedItem | None:
        """One item of a feed."""
        rows = await self._store.read(item_of(name, item))
        return _to_item(rows[0]) if rows else None

    async def quarantined(self, name: str, limit: int = 100, cursor: str | None = None) -> Page[FeedItem]:
        """A feed's items in quarantine, the first to come first; `limit` is at least 1."""
        after = 0 if cursor is None else _row_number(cursor)
        rows = await self._store.read(quarantined_of(name, after, limit + 1))
        items = tuple(_to_item(row) for row in rows[:limit])
        return Page(items, str(items[-1].row) if len(rows) > limit else None)


def _to_item(row: Sequence[Any]) -> FeedItem:
    number, item, answer, *rest = row
    return FeedItem(number, item, ItemAnswer(answer), *rest)


def _row_number(cursor: str) -> int:
    try:
        return int(cursor)
    except ValueError:
        what = "this cursor was never handed out"
        raise IllegalState(what, where="cursor", remedy="ask for the first page") from None
