"""Reports beside calls: one at a time, and counted on a thread of their own."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dialer.domain.directory import Directory
from dialer.reports.report import Figures, Question, Source, report
from dialer.web.problems import Problem

_PATIENCE = 10.0
"""Seconds for which a report waits for its turn."""
_BREATH = 0.01
"""Seconds after each page in which nothing competes with the loop: the interpreter serves one thread at a time."""

T = TypeVar("T")


class Reporter:
    """Makes reports from these rows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._turn = asyncio.Lock()

    async def report(self, directory: Directory, asked: Question) -> Sequence[Figures]:
        """The figures. Raises `Problem` when others are being made all the time; `StoreError`."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise Problem(503, "busy", "other reports are being made", headers={"retry-after": "10"}) from None
        try:
            return await report(self._source, directory, asked, _beside_calls)
        finally:
            self._turn.release()


async def _beside_calls(function: Callable[..., T], /, *arguments: Any) -> T:
    result = await asyncio.to_thread(function, *arguments)
    await asyncio.sleep(_BREATH)
    return result
