"""Periodic work. APScheduler only calls what sets an event or begins a task; the store, not it, is the queue."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

Job = tuple[Callable[[], None], timedelta]

log = structlog.get_logger()

_GLANCE = 1.0
"""Seconds between two looks at both clocks."""

_STEP = 1.0
"""Seconds by which the wall clock must leave the monotonic one between two looks to count as set. Time daemons that
slew stay far below."""


@contextlib.asynccontextmanager
async def periodic(*jobs: Job, stepped: Callable[[], None]) -> AsyncIterator[None]:
    """Call each job at its interval while inside. APScheduler reckons by the wall clock: when that is set, `stepped` is
    called, then every job is done at once, and its interval begins anew."""
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
    for job, interval in jobs:
        # A plain function would run in a thread of the scheduler's; what it touches lives in the loop.
        scheduler.add_job(_in_the_loop, _Every(interval), args=[job])
    scheduler.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(_follow(scheduler, stepped), name="clock")
            yield
            watch.cancel()
    finally:
        scheduler.shutdown(wait=False)


class _Every(BaseTrigger):  # type: ignore[misc]  # an untyped base
    """An interval after the last call, however late that was. APScheduler's own trigger counts every time that it
    missed: for minutes, after the clock of a host that started in 1970 was set."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + self._interval


async def _follow(scheduler: AsyncIOScheduler, stepped: Callable[[], None]) -> None:
    """Compare the wall clock with the monotonic one, for as long as the scheduler runs."""
    ahead = _ahead()
    while True:
        await asyncio.sleep(_GLANCE)
        before, ahead = ahead, _ahead()
        if abs(ahead - before) <= _STEP:
            continue
        log.warning("clock.stepped", seconds=round(ahead - before, 1), note="what is due is looked up again")
        stepped()
        for job in scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))


def _ahead() -> float:
    return time.time() - asyncio.get_running_loop().time()


async def _in_the_loop(job: Callable[[], None]) -> None:
    job()
