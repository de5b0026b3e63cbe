"""Cancel, move and objection, and who wins where an attempt is under way: a real store, and a clock of our own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.intake.changes import Answer, Waiting, cancel, move, object_to
from dialer.store import schema
from dialer.store.store import SqlStore
from tests.cli.seeds import AT, callback, claimed, over, under_way
from tests.unit.intake.places import DIRECTORY

NOW = datetime(2030, 5, 17, 10, 0, tzinfo=UTC)  # a Friday, 11:00 in London; AT is 14:30 that day
NUMBER = "+442079460001"


class Meanwhile:
    """Time that passes only where it is waited for; at each wait the next of what happens meanwhile happens."""

    def __init__(self, *happens: Callable[[], Awaitable[object]], patience: float = 8.0) -> None:
        self.woken = 0
        self.waited = 0
        self.waiting = Waiting(patience, 0.1, self._sleep, self._clock)
        self._happens = list(happens)

    def wake(self) -> None:
        self.woken += 1

    def _clock(self) -> float:
        return 1000 + self.waited / 10

    async def _sleep(self, seconds: float) -> None:
        assert seconds == 0.1
        self.waited += 1
        if self._happens:
            await self._happens.pop(0)()


async def nothing() -> None:
    """Nothing happens."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    await schema.upgrade(tmp_path / "dialer.db")
    async with SqlStore.open(tmp_path / "dialer.db") as opened:
        yield opened


async def now(store: SqlStore, id_: CallbackId) -> Callback:
    found = await store.get(id_)
    assert found is not None
    return found


# --- cancel ----------------------------------------------------------------------------------------------------------


async def test_what_is_scheduled_is_cancelled_at_once(store: SqlStore) -> None:
    made, meanwhile = callback(), Meanwhile()
    await store.add([made])
    change = await cancel(store, meanwhile.wake, made.id, "asked by phone", meanwhile.waiting)
    assert (change.answer, change.callback.status) == (Answer.DONE, Status.CANCELLED)
    assert (meanwhile.woken, meanwhile.waited) == (1, 0)
    assert await now(store, made.id) == change.callback


async def test_an_attempt_that_the_daemon_stops_in_time_leaves_it_cancelled(store: SqlStore) -> None:
    made = callback()
    attempt = await under_way(store, made)
    stopped = partial(over, store, attempt, Outcome.CANCELLED)
    meanwhile = Meanwhile(nothing, nothing, stopped)
    change = await cancel(store, meanwhile.wake, made.id, "asked by phone", meanwhile.waiting)
    assert (change.answer, change.callback.status) == (Answer.DONE, Status.CANCELLED)
    assert change.callback.reason == "asked by phone"
    assert (meanwhile.woken, meanwhile.waited) == (1, 3)


async def test_a_customer_who_is_being_called_makes_it_too_late_and_it_holds_for_afterwards(store: SqlStore) -> None:
    made = callback()
    attempt = await under_way(store, made)
    meanwhile = Meanwhile(partial(store.too_late, made.id))
    change = await cancel(store, meanwhile.wake, made.id, "asked by phone", meanwhile.waiting)
    assert (change.answer, change.callback.status, meanwhile.waited) == (Answer.TOO_LATE, Status.IN_PROGRESS, 1)
    again = await cancel(store, meanwhile.wake, made.id, "asked again", meanwhile.waiting)
    assert (again.answer, meanwhile.waited) == (Answer.TOO_LATE, 1), "that is known now"
    await over(store, attempt, Outcome.CUSTOMER_BUSY)
    assert (await now(store, made.id)).status is Status.CANCELLED


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.CONNECTED, Status.COMPLETED),
        (Outcome.CUSTOMER_BUSY, Status.FAILED),
        (Outcome.IN_DOUBT, Status.NEEDS_REVIEW),
    ],
)
async def test_an_attempt_that_ended_otherwise_came_first(store: SqlStore, outcome: Outcome, status: Status) -> None:
    made = callback()
    attempt = await under_way(store, made)
    meanwhile = Meanwhile(partial(over, store, attempt, outcome, status))
    change = await cancel(store, meanwhile.wake, made.id, "asked by phone", meanwhile.waiting)
    assert (change.answer, change.callback.status) == (Answer.TOO_LATE, status)


async def test_without_a_daemon_it_is_undecided_and_noted(store: SqlStore) -> None:
    made, meanwhile = callback(), Meanwhile()
    attempt = await under_way(store, made)
    change = await cancel(store, meanwhile.wake, made.id, "asked by phone", meanwhile.waiting)
    assert (change.answer, change.callback.status, meanwhile.waited) == (Answer.UNDECIDED, Status.IN_PROGRESS, 80)
    assert change.callback.wish is not None
    assert change.callback.wish.kind is WishKind.CANCEL
    await over(store, attempt, Outcome.NOT_PLACED)
    assert (await now(store, made.id)).status is Status.CANCELLED


async def test_what_is_over_or_not_there_cannot_be_cancelled(store: SqlStore) -> None:
    made, meanwhile = callback(), Meanwhile()
    await over(store, await under_way(store, made), Outcome.CONNECTED, Status.COMPLETED)
    for id_ in (made.id, CallbackId("X")):
        with pytest.raises(IllegalState):
            await cancel(store, meanwhile.wake, id_, "", meanwhile.waiting)
    assert meanwhile.woken == 0


# --- move ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "until", "due", "expires"),
    [
        ("2030-05-17T14:30", "", "17T13:30", "17T15:30"),
        ("2030-05-17T14:30Z", "2030-05-17T16:00", "17T14:30", "17T15:00"),
        ("2030-05-17T10:00Z", "", "17T10:00", "17T12:00"),  # this moment
        ("2030-05-18T12:00", "", "20T08:00", "20T10:00"),  # a Saturday: when it opens
        ("2030-05-17T09:00", "2030-05-17T12:00", "17T10:00", "17T11:00"),  # a window that has begun
    ],
)
async def test_what_is_scheduled_is_moved_at_once(store: SqlStore, at: str, until: str, due: str, expires: str) -> None:
    made, meanwhile = callback(due=AT + timedelta(days=30)), Meanwhile()
    await store.add([made])
    change = await move(store, meanwhile.wake, DIRECTORY, made.id, (at, until), NOW, meanwhile.waiting)
    assert (change.answer, meanwhile.woken, meanwhile.waited) == (Answer.DONE, 1, 0)
    moved = await now(store, made.id)
    assert moved.due_at == datetime.fromisoformat(f"2030-05-{due}+00:00")
    assert moved.expires_at == datetime.fromisoformat(f"2030-05-{expires}+00:00")


async def test_a_window_that_was_is_forgotten_by_a_move(store: SqlStore) -> None:
    """It would end the callback at its old time."""
    made, meanwhile = replace(callback(), wanted_until=AT + timedelta(hours=1)), Meanwhile()
    await store.add([made])
    await move(store, meanwhile.wake, DIRECTORY, made.id, ("2030-05-20T10:00", ""), NOW, meanwhile.waiting)
    assert (await now(store, made.id)).wanted_until is None
    window = ("2030-05-20T10:00", "2030-05-20T11:00")
    await move(store, meanwhile.wake, DIRECTORY, made.id, window, NOW, meanwhile.waiting)
    assert (await now(store, made.id)).wanted_until == datetime(2030, 5, 20, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until", "code", "field"),
    [
        ("2001-01-01T10:00", "", "time_past", "at"),
        ("soon", "", "time_invalid", "at"),
        ("2030-05-18T12:00", "2030-05-18T13:00", "window_closed", "until"),
        ("2030-05-20T12:00", "2030-05-20T11:00", "window_empty", "until"),
        ("", "2030-05-20T11:00", "field_missing", "at"),
    ],
)
async def test_a_time_to_which_nothing_is_moved(store: SqlStore, at: str, until: str, code: str, field: str) -> None:
    made, meanwhile = callback(), Meanwhile()
    await store.add([made])
    with pytest.raises(RequestRefused) as caught:
        await move(store, meanwhile.wake, DIRECTORY, made.id, (at, until), NOW, meanwhile.waiting)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert await now(store, made.id) == made
    assert meanwhile.woken == 0


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.EXPIRED])
async def test_an_attempt_that_the_daemon_stops_in_time_leaves_it_moved(store: SqlStore, status: Status) -> None:
    """Also where the time that it had before runs out by then."""
    made = callback()
    attempt = await under_way(store, made)
    meanwhile = Meanwhile(nothing, partial(over, store, attempt, Outcome.CANCELLED, status))
    change = await move(store, meanwhile.wake, DIRECTORY, made.id, ("2030-05-20T10:00", ""), NOW, meanwhile.waiting)
    assert (change.answer, change.callback.status, meanwhile.waited) == (Answer.DONE, Status.SCHEDULED, 2)
    assert change.callback.due_at == datetime(2030, 5, 20, 9, 0, tzinfo=UTC)
    assert change.callback.expires_at == datetime(2030, 5, 20, 11, 0, tzinfo=UTC)


async def test_moved_to_this_moment_it_may_be_in_progress_again_before_anybody_looks(store: SqlStore) -> None:
    made = callback()
    attempt = await under_way(store, made)

    async def stopped_and_claimed_again() -> None:
        await over(store, attempt, Outcome.CANCELLED)
        await claimed(store, await now(store, made.id))

    meanwhile = Meanwhile(stopped_and_claimed_again)
    change = await move(store, meanwhile.wake, DIRECTORY, made.id, (NOW.isoformat(), ""), NOW, meanwhile.waiting)
    assert (change.answer, change.callback.status) == (Answer.DONE, Status.IN_PROGRESS)


async def test_a_move_that_comes_too_late_holds_for_the_next_try(store: SqlStore) -> None:
    made = callback()
    attempt = await under_way(store, made)
    meanwhile = Meanwhile(partial(store.too_late, made.id))
    change = await move(store, meanwhile.wake, DIRECTORY, made.id, ("2030-05-20T10:00", ""), NOW, meanwhile.waiting)
    assert change.answer is Answer.TOO_LATE
    await over(store, attempt, Outcome.CUSTOMER_BUSY)
    assert (await now(store, made.id)).due_at == datetime(2030, 5, 20, 9, 0, tzinfo=UTC)


async def test_what_cannot_be_moved_is_told(store: SqlStore) -> None:
    cancelled, orphan = callback(), replace(callback(), department="gone")
    await under_way(store, cancelled)
    await store.add([orphan])
    impatient = Meanwhile(patience=0)
    await cancel(store, impatient.wake, cancelled.id, "", impatient.waiting)
    for id_, what in (
        (cancelled.id, "is being cancelled"),
        (orphan.id, "its department gone is not in the configuration"),
        (CallbackId("X"), "there is no such callback"),
    ):
        with pytest.raises(IllegalState) as caught:
            await move(store, impatient.wake, DIRECTORY, id_, ("2030-05-20T10:00", ""), NOW, impatient.waiting)
        assert what in str(caught.value)


# --- objection -------------------------------------------------------------------------------------------------------


async def test_an_objection_rejects_what_waits_and_tells_of_each_attempt_who_won(store: SqlStore) -> None:
    waiting, other = [callback(number=NUMBER) for _ in range(2)], callback(number="+442079460002")
    await store.add([*waiting, other])
    calls = [callback(number=NUMBER) for _ in range(3)]
    stopped, late, _ = [
        await under_way(store, each, agent) for each, agent in zip(calls, ("anna", "ben", "cleo"), strict=True)
    ]
    meanwhile = Meanwhile(
        partial(over, store, stopped, Outcome.CANCELLED), partial(store.too_late, late.callback_id), nothing
    )
    done = await object_to(store, meanwhile.wake, NUMBER, "ann", "asked by post", meanwhile.waiting)
    assert set(done.rejected) == {each.id for each in waiting}
    assert {change.callback.id: change.answer for change in done.under_way} == dict(
        zip((each.id for each in calls), (Answer.DONE, Answer.TOO_LATE, Answer.UNDECIDED), strict=True)
    )
    assert meanwhile.waited == 80, "one patience for all of them"
    assert {(await now(store, each.id)).status for each in (*waiting, calls[0])} == {Status.REJECTED}
    assert (await now(store, other.id)).status is Status.SCHEDULED
    assert await store.objected(NUMBER)


async def test_an_objection_to_a_number_that_nobody_asked_for_only_lists_it(store: SqlStore) -> None:
    meanwhile = Meanwhile()
    done = await object_to(store, meanwhile.wake, NUMBER, "ann", "asked by post", meanwhile.waiting)
    assert (list(done.rejected), done.under_way, meanwhile.waited) == ([], [], 0)
    assert await store.objected(NUMBER)
