"""Periodic work beside a wall clock that is set: what that does to a whole daemon is in tests/asterisk/test_time.py."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from dialer.engine.jobs import _Every


async def test_a_job_that_was_missed_for_a_year_is_done_once() -> None:
    """APScheduler makes a list of every time that was missed before it drops all but one."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start(paused=True)
    job = scheduler.add_job(lambda: None, _Every(timedelta(seconds=10)), misfire_grace_time=None)
    now = datetime.now(UTC)
    assert timedelta(seconds=9) < job.next_run_time - now < timedelta(seconds=11)
    assert len(job._get_run_times(now + timedelta(days=365))) == 1
    scheduler.shutdown(wait=False)
