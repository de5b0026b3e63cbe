"""What every end has in common: the decision on the callback's next step, and the way to disk."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import stamina
import structlog

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.errors import StoreError
from dialer.domain.outcome import Outcome
from dialer.scheduling.retry import NextStep, plan

log = structlog.get_logger()


def next_step(directory: Directory, attempt: Attempt, callback: Callback, outcome: Outcome, now: datetime) -> NextStep:
    """What becomes of the callback after this outcome at `now` (UTC)."""
    department = directory.departments.get(attempt.department)
    if department is None:
        # The configuration lost it while the call was up: no rule is left to decide by.
        status = Status.COMPLETED if outcome is Outcome.CONNECTED else Status.NEEDS_REVIEW
        reason = f"{outcome}: the department is no longer configured"
        return NextStep(status, callback.due_at, reason, callback.customer_attempts, callback.agent_rings)
    return plan(callback, outcome, department.retry, department.hours, now)


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
