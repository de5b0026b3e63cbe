"""Following a store's pages to a limit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from dialer.cli.output import say
from dialer.store.store import SqlStore
from dialer.store.views import Page

T = TypeVar("T")

_SIZE = 500


async def following(
    store: SqlStore, page: Callable[[SqlStore, int, str | None], Awaitable[Page[T]]], limit: int
) -> AsyncIterator[tuple[T, ...]]:
    """The items page by page, at most `limit` of them (0: all); says on stderr when there are more."""
    left, cursor = limit, None
    while True:
        found = await page(store, min(_SIZE, left) if limit else _SIZE, cursor)
        if found.items:
            yield found.items
        left, cursor = left - len(found.items), found.cursor
        if cursor is None:
            return
        if limit and left <= 0:
            say(f"there are more than {limit}: --limit 0 shows all")
            return
