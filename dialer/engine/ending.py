"""What every end has in common: the decision on the callback's next step, and the way to disk."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from zlib import crc32

import stamina
import structlog

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Department, Directory
from dialer.domain.errors import StoreError
from dialer.domain.outcome import Outcome, Verdict
from dialer.routing.trunks import serving
from dialer.scheduling.quiet import called_windows
from dialer.scheduling.retry import Ending, NextStep, plan

log = structlog.get_logger()


def next_step(directory: Directory, attempt: Attempt, callback: Callback, verdict: Verdict, now: datetime) -> NextStep:
    """What becomes of the callback after this verdict at `now` (UTC)."""
    department = directory.departments.get(attempt.department)
    if department is None:
        # The configuration lost it while the call was up: no rule is left to decide by.
        status = Status.COMPLETED if verdict.outcome is Outcome.CONNECTED else Status.NEEDS_REVIEW
        reason = f"{verdict.outcome}: the department is no longer configured"
        return NextStep(status, callback.due_at, reason, callback.customer_attempts, callback.agent_rings)
    other_way = _has_another_way(directory, department, attempt, callback)
    ending = Ending(verdict.outcome, verdict.rang, attempt.agent, attempt.trunk, failover=other_way)
    windows = called_windows(directory.sites[department.site], attempt.dialled)
    return plan(callback, ending, department, windows, now, _spread(attempt))


def _has_another_way(directory: Directory, department: Department, attempt: Attempt, callback: Callback) -> bool:
    """Whether the same agent's PBX has a trunk that has not failed this callback yet."""
    failed = {*callback.failed_trunks, attempt.trunk}
    return any(trunk.id not in failed for trunk in serving(department, directory, attempt.dialled, attempt.pbx))


def _spread(attempt: Attempt) -> float:
    """A share of the jitter that is as good as random, and the same whenever this attempt is asked again."""
    return crc32(attempt.id.encode()) / 2**32


async def durably(write: Callable[[], Awaitable[None]]) -> None:
    """Repeat a write until the store takes it: until then the PBX's journal is the only witness."""
    async for again in stamina.retry_context(on=_said, attempts=None, timeout=None, wait_max=5.0):
        with again:
            await write()


def _said(error: Exception) -> bool:
    """A store that cannot be written: say so each time; the outcome stays in memory and in the PBX's journal."""
    if isinstance(error, StoreError):
        log.error("store.outcome_not_written", why=error.what, remedy=error.remedy)
        return True
    return False
