"""Periodic work. APScheduler only calls what sets an event or begins a task; the store, not it, is the queue."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Job = tuple[Callable[[], None], timedelta]


@contextlib.contextmanager
def periodic(*jobs: Job) -> Iterator[None]:
    """Call each job at its interval while inside. A job that was missed is done once, late."""
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
    for job, interval in jobs:
        # A plain function would run in a thread of the scheduler's; what it touches lives in the loop.
        scheduler.add_job(_in_the_loop, "interval", args=[job], seconds=interval.total_seconds())
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _in_the_loop(job: Callable[[], None]) -> None:
    job()
