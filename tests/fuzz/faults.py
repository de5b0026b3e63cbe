"""A store that fails under the daemon, again and again: a full disk, a lock that another holds, a file that is gone."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from itertools import cycle

from tests.rig import Piped

WHOLE, FAILING = 1.0, 1.0
LOCKED = 6.0
"""Seconds: longer than a writer waits for a lock."""


@contextlib.asynccontextmanager
async def failing(daemon: Piped) -> AsyncIterator[dict[str, int]]:
    """One fault after the other while inside; how often each was there."""
    counts: dict[str, int] = {}
    running = asyncio.create_task(_fail(daemon, counts))
    try:
        yield counts
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def _fail(daemon: Piped, counts: dict[str, int]) -> None:
    for fault in cycle((_full_disk, _gone, _locked)):
        await asyncio.sleep(WHOLE)
        counts[fault.__name__.strip("_")] = counts.get(fault.__name__.strip("_"), 0) + 1
        async with fault(daemon):
            await asyncio.sleep(LOCKED if fault is _locked else FAILING)


@contextlib.asynccontextmanager
async def _full_disk(daemon: Piped) -> AsyncIterator[None]:
    with daemon.full_disk():
        yield


@contextlib.asynccontextmanager
async def _gone(daemon: Piped) -> AsyncIterator[None]:
    elsewhere = daemon.database.with_suffix(".gone")
    daemon.database.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(daemon.database)


@contextlib.asynccontextmanager
async def _locked(daemon: Piped) -> AsyncIterator[None]:
    with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 5000")
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
