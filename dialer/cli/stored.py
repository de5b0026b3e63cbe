"""Work on the store from a command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dialer.settings import Settings
from dialer.store.store import SqlStore

T = TypeVar("T")


def on_store(settings: Settings, work: Callable[[SqlStore], Awaitable[T]]) -> T:
    """What `work` makes of the store. Raises `StoreError`, and what `work` raises."""

    async def working() -> T:
        async with SqlStore.open(settings.database) as store:
            return await work(store)

    return asyncio.run(working())
