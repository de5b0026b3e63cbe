"""`dialer feed`: how far feeds were read, and what of them could not be taken."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dialer.cli.host import settings_of, wake_daemon
from dialer.cli.output import emit, line, pairs, say, stamp, table
from dialer.cli.paging import following
from dialer.cli.stored import on_store
from dialer.domain.errors import ConfigurationError, IllegalState
from dialer.intake.feed import Cancel, Change, ItemAnswer, read_raw
from dialer.intake.limits import LimitRule
from dialer.intake.taking import Bounds, prepare
from dialer.settings import Settings
from dialer.store.feed_store import FeedItem, FeedState, FeedStore
from dialer.store.store import SqlStore
from dialer.store.views import Page

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("feed", "read", "age", "news", "items", "quarantined", "untold", "url")
_CORE = 6
_ITEM_HEADINGS = ("item", "came", "code", "field", "retry from", "why")
_ITEM_CORE = 4
_REQUESTS = frozenset({ItemAnswer.ACCEPTED, ItemAnswer.DOUBLE})
"""What becomes of a request that is taken."""

Feed = Annotated[str, typer.Argument(metavar="FEED", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback()
def feed() -> None:
    """See what feeds brought, and retry what could not be taken."""


@app.command("list")
def list_(
    context: typer.Context,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List the feeds: when each was last read and last brought something, and what waits. Times are UTC."""
    settings = settings_of(context)
    states = {state.name: state for state in on_store(settings, lambda store: FeedStore(store).states())}
    names = [*settings.feed, *(name for name in states if name not in settings.feed)]
    found = [states.get(name) or FeedState(name, None, None, None, 0, 0, 0) for name in names]
    if as_json:
        for state in found:
            emit(_state_record(state, configured=state.name in settings.feed))
    else:
        table(_HEADINGS, [_state_row(state, settings) for state in found], _CORE)


@app.command()
def show(
    context: typer.Context,
    feed: Feed,
    item: Annotated[str | None, typer.Argument(metavar="[ITEM]", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List what of FEED is in quarantine, the first to come first; or show ITEM, whatever became of it.

    ITEM in quarantine is shown as it came: that is personal.
    """
    settings = settings_of(context)
    if item is not None:
        _show_item(_item(settings, feed, item), as_json=as_json)
        return

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[FeedItem]:
        return await FeedStore(store).quarantined(feed, size, cursor)

    async def show_all(store: SqlStore) -> None:
        async for found in following(store, page, limit):
            if as_json:
                for each in found:
                    emit(_item_record(each))
            else:
                table(_ITEM_HEADINGS, [_item_row(each) for each in found], _ITEM_CORE)

    on_store(settings, show_all)


@app.command()
def retry(
    context: typer.Context,
    feed: Feed,
    item: Annotated[str | None, typer.Argument(metavar="[ITEM]", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,  # noqa: FBT002  # an option
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Take ITEM, or with --all everything, of FEED from quarantine, as if it came now; with a request, what waits
    for it. What cannot be taken stays.

    Needs no running daemon. Exit 1 when any stays.
    """
    settings = settings_of(context)
    if (item is None) != every:
        raise typer.BadParameter("give an ITEM, or --all")
    if feed not in settings.feed:
        known = ", ".join(settings.feed) or "none"
        raise ConfigurationError(f"there is no feed {feed}", remedy=f"known are {known}")
    chosen = [_item(settings, feed, item)] if item is not None else None
    left = on_store(settings, lambda store: _Retrying(settings, feed, as_json=as_json).run(store, chosen))
    wake_daemon(settings)
    raise typer.Exit(1 if left else 0)


class _Retrying:
    """Takes items from quarantine, one at a time: of many, the others do not wait for one."""

    def __init__(self, settings: Settings, feed: str, *, as_json: bool) -> None:
        self._directory = settings.directory()
        self._rule = LimitRule(settings.limits())
        self._feed = feed
        self._bounds = Bounds(feed, settings.feed[feed].site)
        self._tell = settings.feed[feed].outcomes_url is not None
        self._as_json = as_json

    async def run(self, store: SqlStore, chosen: Sequence[FeedItem] | None) -> int:
        """How many stay in quarantine. What waits for a request goes with it: nobody is called who cancelled since."""
        quarantine = [each async for each in _each(store, self._feed)]
        waiting = _by_request(quarantine)
        feeds, gone, left = FeedStore(store), set[str](), 0
        for each in quarantine if chosen is None else chosen:
            if each.item in gone:
                continue
            answers = [await self._one(feeds, each)]
            if answers[0] in _REQUESTS:
                answers += [await self._one(feeds, other) for other in waiting.get(each.item, ())]
                gone.update(other.item for other in waiting.get(each.item, ()))
            left += answers.count(ItemAnswer.QUARANTINED)
        return left

    async def _one(self, feeds: FeedStore, item: FeedItem) -> ItemAnswer:
        """Take one, and say what became of it."""
        answer = await self._take(feeds, item)
        now = await feeds.item(self._feed, item.item) or item
        if self._as_json:
            emit(_item_record(now))
        elif answer is ItemAnswer.QUARANTINED:
            say(f"{item.item}: {_why(now)}")
        else:
            line(f"{item.item}: {answer}{f', callback {now.callback_id}' if now.callback_id else ''}")
        return answer

    async def _take(self, feeds: FeedStore, item: FeedItem) -> ItemAnswer:
        if item.answer is not ItemAnswer.QUARANTINED:
            raise IllegalState(f"it is not in quarantine: {item.answer}", where=item.item)
        if item.raw is None:
            return ItemAnswer.QUARANTINED
        now = datetime.now(UTC)
        (entry,) = await prepare(feeds, self._directory, self._bounds, [read_raw(item.raw)], now)
        return await feeds.retry(self._feed, entry, self._rule, tell=self._tell)


async def _each(store: SqlStore, feed: str) -> AsyncIterator[FeedItem]:
    """Everything in quarantine, each once."""

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[FeedItem]:
        return await FeedStore(store).quarantined(feed, size, cursor)

    async for found in following(store, page, 0):
        for each in found:
            yield each


def _by_request(quarantine: Sequence[FeedItem]) -> dict[str, list[FeedItem]]:
    """The changes and cancellations, by the request that each speaks of."""
    found: dict[str, list[FeedItem]] = {}
    for each in quarantine:
        content = read_raw(each.raw).content if each.raw is not None else None
        if isinstance(content, Change | Cancel):
            found.setdefault(content.of, []).append(each)
    return found


def _item(settings: Settings, feed: str, item: str) -> FeedItem:
    found = on_store(settings, lambda store: FeedStore(store).item(feed, item))
    if found is None:
        raise IllegalState(f"feed {feed} brought no such item", where=item, remedy=f"see: dialer feed show {feed}")
    return found


def _why(item: FeedItem) -> str:
    told = f"{item.field}: {item.what}" if item.field else item.what
    return f"{told}; not kept whole, and cannot be retried" if item.raw is None else told


def _state_row(state: FeedState, settings: Settings) -> tuple[str, ...]:
    given = settings.feed.get(state.name)
    return (
        state.name,
        _moment(state.read_at),
        "never" if state.read_at is None else _age(datetime.now(UTC) - state.read_at),
        _moment(state.news_at),
        str(state.taken),
        str(state.quarantined),
        str(state.untold),
        # An address may hold a secret behind its host.
        "not configured" if given is None else "/".join(given.url.split("/")[:3]),
    )


def _age(age: timedelta) -> str:
    return str(max(age, timedelta(0)) // timedelta(seconds=1) * timedelta(seconds=1))


def _state_record(state: FeedState, *, configured: bool) -> dict[str, object]:
    return {
        "feed": state.name,
        "configured": configured,
        "cursor": state.cursor,
        "read_at": state.read_at,
        "news_at": state.news_at,
        "items": state.taken,
        "quarantined": state.quarantined,
        "untold": state.untold,
    }


def _item_row(item: FeedItem) -> tuple[str, ...]:
    return (item.item, stamp(item.taken_at), item.code, item.field, _moment(item.retry_at), item.what)


def _item_record(item: FeedItem) -> dict[str, object]:
    """An item without what came with it."""
    return {
        "item": item.item,
        "answer": item.answer,
        "callback": item.callback_id,
        "code": item.code or None,
        "field": item.field or None,
        "what": item.what or None,
        "retry_at": item.retry_at,
        "came_at": item.taken_at,
        "updated_at": item.updated_at,
        "differs": item.differs,
        "told": not item.untold,
        "retryable": item.raw is not None,
    }


def _show_item(item: FeedItem, *, as_json: bool) -> None:
    if as_json:
        emit({**_item_record(item), "raw": item.raw})
        return
    entries = [
        ("item", item.item),
        ("answer", item.answer.value),
        ("callback", item.callback_id or ""),
        ("code", item.code),
        ("why", _why(item) if item.answer is ItemAnswer.QUARANTINED else item.what),
        ("retry from", _moment(item.retry_at)),
        ("came", stamp(item.taken_at)),
        ("changed", stamp(item.updated_at)),
        ("other content", f"{item.differs} times" if item.differs else ""),
        ("as it came", item.raw or ""),
    ]
    pairs([(name, value) for name, value in entries if value])


def _moment(at: datetime | None) -> str:
    return "" if at is None else stamp(at)
