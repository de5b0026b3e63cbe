"""Reports beside calls: one at a time, and counted on a thread of their own."""

import asyncio
from collections.abc import Sequence

from dialer.domain.directory import Directory
from dialer.reports.report import Figures, Question, Source, report
from dialer.web.problems import Problem

_PATIENCE = 10.0
"""Seconds for which a report waits for its turn."""


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
            return await report(self._source, directory, asked, asyncio.to_thread)
        finally:
            self._turn.release()
