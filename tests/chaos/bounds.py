"""What was promised besides: a number's peace, and that a change of mind counts. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome, may_have_rung
from dialer.intake.changes import Answer
from tests.lab import FarCall

_EVER = datetime.max.replace(tzinfo=UTC)
_CAME_FIRST = frozenset({Status.COMPLETED, Status.FAILED, Status.NEEDS_REVIEW})


@dataclass(frozen=True)
class Wish:
    """What somebody wanted of a callback: when that was on disk at the latest, and what they were told, and when.
    `due_at`: where a move goes."""

    kind: WishKind
    noted_at: datetime
    answered_at: datetime
    answer: Answer
    due_at: datetime | None = None

    @property
    def until(self) -> datetime:
        """How long the callback is not to be rung."""
        return self.due_at or _EVER


@dataclass(frozen=True)
class Bounds:
    """What was promised besides: to whoever changed their mind, to a number that rang (`gap`: how long it is left in
    peace), and to those who are not to be rung at all."""

    wishes: Mapping[CallbackId, Wish] = field(default_factory=dict)
    gap: timedelta = timedelta(0)
    spared: Collection[CallbackId] = ()


NO_BOUNDS = Bounds()


def too_soon(callback: Callback, attempts: Sequence[Attempt], rung: Sequence[FarCall], gap: timedelta) -> Iterator[str]:
    """By the far end's clock from one call to the next, and by ours, to which the agent's part is nothing."""
    for call, next_call in pairwise(rung):
        if next_call.start - call.end < gap:
            yield f"callback {callback.id} was rung at {at(next_call)}, too soon after {at(call)}"
    for attempt, next_ in pairwise(attempts):
        rang = attempt.verdict is not None and may_have_rung(attempt.verdict)
        if rang and attempt.ended_at is not None and next_.created_at - attempt.ended_at < gap:
            yield f"attempt {next_.id} of {callback.id} came too soon after the one before"


def after_withdrawal(
    callback: Callback, attempts: Sequence[Attempt], rung: Sequence[FarCall], wish: Wish
) -> Iterator[str]:
    """A wish keeps whoever was told that it is done from being rung, and everybody from a new attempt."""
    if wish.answer is Answer.DONE:
        for call in rung:
            if wish.answered_at < call.start < wish.until:
                yield f"callback {callback.id} was rung at {at(call)} although its {wish.kind} had been acknowledged"
    for attempt in attempts:
        if wish.noted_at < attempt.created_at < wish.until:
            yield f"attempt {attempt.id} of {callback.id} was begun after its {wish.kind} had been noted"


def not_as_wished(callback: Callback, attempts: Sequence[Attempt], wish: Wish) -> Iterator[str]:
    """Every callback ends as wished unless its attempt came first; and that is what its asker was told."""
    if wish.kind is WishKind.MOVE:
        return
    wanted = Status.REJECTED if wish.kind is WishKind.OBJECTION else Status.CANCELLED
    where = f"callback {callback.id}: {wish.kind}, {wish.answer}, but it is {callback.status}"
    if callback.status is not wanted and (wish.answer is Answer.DONE or callback.status not in _CAME_FIRST):
        yield where
    kept = bool(attempts) and attempts[-1].verdict is not None and attempts[-1].verdict.outcome is Outcome.CANCELLED
    if callback.status in _CAME_FIRST and kept:
        yield f"{where}, after an attempt that was kept from its customer"


def at(call: FarCall) -> str:
    """When a call began, for reading."""
    return f"{call.start:%H:%M:%S.%f}"[:-3]
