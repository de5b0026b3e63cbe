"""What is wanted of a callback: done when it is at rest, noted while an attempt is under way, honoured at its end."""

import asyncio
from dataclasses import asdict, replace
from itertools import product

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore
from dialer.store.views import Decision
from tests.contract.life import added, claimed, found
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NOON,
    OTHER,
    PHONE,
    REVIEW,
    SECOND,
    amended,
    attempt_at,
    callback,
    claim_of,
    ended,
)

HOUR = 3600 * SECOND
TOMORROW, ITS_END = NOON + 24 * HOUR, NOON + 25 * HOUR

CANCEL = Wish(WishKind.CANCEL, "no time")
MOVE = Wish(WishKind.MOVE, "moved", TOMORROW, ITS_END)
OBJECTION = Wish(WishKind.OBJECTION, "objection")
CALLED_IN = Wish(WishKind.CALLED_IN, "customer_called_in")
WISHES = (CANCEL, MOVE, OBJECTION, CALLED_IN)


async def want(store: SqlStore, of: Callback, wish: Wish) -> None:
    """Do what leads to this wish while an attempt is under way."""
    match wish.kind:
        case WishKind.CANCEL:
            await store.cancel(of.id, wish.reason)
        case WishKind.MOVE:
            await store.reschedule(of.id, TOMORROW, ITS_END, TOMORROW)
        case WishKind.OBJECTION:
            await store.object_to(of.visitor.phone, "ann", "asked us to stop")
        case WishKind.CALLED_IN:
            await store.customer_called_in(of.visitor.phone, [of.department])


def later(of: Callback, by: int = 1) -> Callback:
    """The same, so many changes later."""
    return replace(of, version=of.version + by)


class TestAtRest:
    async def test_a_cancelled_callback_is_over(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        over = await store.cancel(new.id, "asked to")
        assert over == replace(later(new), status=Status.CANCELLED, reason="asked to")
        assert await found(store, new) == over

    async def test_a_moved_callback_keeps_the_new_promise_and_nothing_of_the_old_one(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        waiting = await found(store, before)
        moved = await store.reschedule(waiting.id, TOMORROW + SECOND, ITS_END - SECOND, TOMORROW, ITS_END)
        assert moved == replace(
            later(waiting),
            wanted_at=TOMORROW,
            wanted_until=ITS_END,
            due_at=TOMORROW + SECOND,
            expires_at=ITS_END - SECOND,
            reason="moved",
            prefer_agent="",
            failed_trunks=(),
        )
        assert await found(store, waiting) == moved

    async def test_moved_to_any_time_it_has_no_end(self, store: SqlStore) -> None:
        await store.add([replace(callback(1), wanted_until=NOON, expires_at=NOON)])
        moved = await store.reschedule(callback(1).id, TOMORROW, None, TOMORROW)
        assert (moved.expires_at, moved.wanted_until) == (None, None)

    @pytest.mark.parametrize("status", [each for each in Status if each not in {"scheduled", "in_progress"}])
    async def test_what_is_over_or_waits_for_a_person_can_be_neither(self, store: SqlStore, status: Status) -> None:
        new = replace(callback(1), status=status)
        await store.add([new])
        with pytest.raises(IllegalState, match=f"{status} can no longer be cancelled"):
            await store.cancel(new.id, "")
        with pytest.raises(IllegalState, match=f"{status} can no longer be rescheduled"):
            await store.reschedule(new.id, TOMORROW, None, None)
        assert await store.customer_called_in(PHONE, ["sales"]) == []
        assert await found(store, new) == new

    async def test_a_stranger_is_named_by_its_id(self, store: SqlStore) -> None:
        with pytest.raises(IllegalState, match="nobody: there is no such callback"):
            await store.cancel(CallbackId("nobody"), "")


class TestUnderWay:
    @pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.kind)
    async def test_a_wish_is_noted_and_nothing_else(self, store: SqlStore, wish: Wish) -> None:
        _, running = await claimed(store, 1)
        await want(store, running, wish)
        after = await found(store, running)
        wanted = TOMORROW if wish is MOVE else running.wanted_at
        assert after == replace(later(running), wish=wish, wanted_at=wanted)
        assert await store.wishes() == [after]

    async def test_who_asked_gets_the_callback_with_the_wish(self, store: SqlStore) -> None:
        (_, first), (_, second) = await claimed(store, 1), await claimed(store, 2)
        assert await store.cancel(first.id, "no time") == replace(later(first), wish=CANCEL)
        moved = await store.reschedule(second.id, TOMORROW, ITS_END, TOMORROW)
        assert moved == replace(later(second), wish=MOVE, wanted_at=TOMORROW)

    @pytest.mark.parametrize(
        ("old", "new", "stands"),
        [
            (CANCEL, CANCEL, CANCEL),
            (CANCEL, OBJECTION, OBJECTION),
            (CANCEL, CALLED_IN, CANCEL),
            (MOVE, CANCEL, CANCEL),
            (MOVE, MOVE, MOVE),
            (MOVE, OBJECTION, OBJECTION),
            (MOVE, CALLED_IN, CALLED_IN),
            (OBJECTION, CANCEL, CANCEL),
            (OBJECTION, OBJECTION, OBJECTION),
            (OBJECTION, CALLED_IN, OBJECTION),
            (CALLED_IN, CANCEL, CANCEL),
            (CALLED_IN, MOVE, MOVE),
            (CALLED_IN, OBJECTION, OBJECTION),
            (CALLED_IN, CALLED_IN, CALLED_IN),
        ],
        ids=lambda wish: wish.kind,
    )
    @pytest.mark.parametrize("late", [False, True])
    async def test_a_newer_wish_replaces_an_older_one_and_what_is_too_late_stays_so(
        self, store: SqlStore, old: Wish, new: Wish, stands: Wish, *, late: bool
    ) -> None:
        _, running = await claimed(store, 1)
        await want(store, running, old)
        if late:
            await store.too_late(running.id)
        await want(store, running, new)
        assert (await found(store, running)).wish == replace(stands, late=late)

    @pytest.mark.parametrize("old", [CANCEL, OBJECTION], ids=lambda wish: wish.kind)
    async def test_what_is_to_end_cannot_be_moved(self, store: SqlStore, old: Wish) -> None:
        _, running = await claimed(store, 1)
        await want(store, running, old)
        before = await found(store, running)
        with pytest.raises(IllegalState, match="is being cancelled can no longer be rescheduled"):
            await store.reschedule(running.id, TOMORROW, None, None)
        assert await found(store, running) == before

    async def test_what_came_too_late_is_no_order_any_more_but_is_not_forgotten(self, store: SqlStore) -> None:
        _, running = await claimed(store, 1)
        await store.too_late(running.id)  # of what nobody wished
        assert await found(store, running) == running
        await want(store, running, CANCEL)
        await store.too_late(running.id)
        assert await store.wishes() == []
        assert (await found(store, running)).wish == replace(CANCEL, late=True)


NEXT = NextStep(Status.SCHEDULED, NOON + HOUR, "again", 1, 0, NOON + 2 * HOUR)
FAILED = NextStep(Status.FAILED, NOON, "3 attempts were made", 3, 0)
EXPIRED = NextStep(Status.EXPIRED, NOON, "its time ran out", 1, 0)
YIELDING, STANDING = (AGAIN, EXPIRED), (COMPLETED, FAILED)


class TestTheEnd:
    @pytest.mark.parametrize(
        ("wish", "status"),
        [(CANCEL, Status.CANCELLED), (CALLED_IN, Status.CANCELLED), (OBJECTION, Status.REJECTED)],
        ids=lambda each: getattr(each, "kind", each),
    )
    @pytest.mark.parametrize("late", [False, True])
    @pytest.mark.parametrize("step", YIELDING, ids=lambda step: step.status)
    async def test_instead_of_a_next_try_or_none_in_time_the_callback_ends_as_was_wished(
        self, store: SqlStore, wish: Wish, status: Status, step: NextStep, *, late: bool
    ) -> None:
        before, running = await claimed(store, 1)
        await want(store, running, wish)
        if late:
            await store.too_late(running.id)
        await store.finish(ended(attempt_at(before), Outcome.CUSTOMER_BUSY), step)
        expected = {**asdict(step), "status": status, "reason": wish.reason}
        assert await found(store, running) == replace(later(running, 3 if late else 2), **expected)

    @pytest.mark.parametrize("late", [False, True])
    @pytest.mark.parametrize("step", YIELDING, ids=lambda step: step.status)
    async def test_the_next_try_is_when_somebody_wished_though_its_old_time_ran_out(
        self, store: SqlStore, step: NextStep, *, late: bool
    ) -> None:
        before, running = await claimed(store, 1)
        await store.reschedule(running.id, TOMORROW, ITS_END, TOMORROW, ITS_END)
        if late:
            await store.too_late(running.id)
        await store.finish(ended(attempt_at(before), Outcome.TRUNK_FAILURE), step)
        promise = {"due_at": TOMORROW, "expires_at": ITS_END, "wanted_at": TOMORROW, "wanted_until": ITS_END}
        nothing = {"reason": "moved", "prefer_agent": "", "failed_trunks": ()}
        expected = {**asdict(step), **promise, **nothing, "status": Status.SCHEDULED}
        assert await found(store, running) == replace(later(running, 3 if late else 2), **expected)

    async def test_what_expires_without_a_wish_is_over(self, store: SqlStore) -> None:
        before, running = await claimed(store, 1)
        await store.finish(ended(attempt_at(before), Outcome.AGENT_BUSY), EXPIRED)
        assert await found(store, running) == replace(later(running), **asdict(EXPIRED))

    @pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.kind)
    @pytest.mark.parametrize("step", STANDING, ids=lambda step: step.status)
    async def test_a_final_end_stands_and_nothing_is_wished_any_more(
        self, store: SqlStore, wish: Wish, step: NextStep
    ) -> None:
        before, running = await claimed(store, 1)
        await want(store, running, wish)
        await store.finish(ended(attempt_at(before)), step)
        after = await found(store, running)
        assert (after.status, after.reason, after.due_at, after.wish) == (step.status, step.reason, step.due_at, None)

    async def test_each_of_many_at_once_by_its_own_wish(self, store: SqlStore) -> None:
        steps, wishes = (*YIELDING, FAILED, REVIEW), (*WISHES, None)
        cases = list(product(steps, wishes, range(7)))
        new = [callback(number, phone=f"+44207946{number:04}") for number in range(len(cases))]
        await store.add(new)
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        for each, (_, wish, _) in zip(new, cases, strict=True):
            if wish is not None:
                await want(store, each, wish)
        ends = zip(new, cases, strict=True)
        await asyncio.gather(*(store.finish(ended(attempt_at(each)), step) for each, (step, _, _) in ends))
        for each, (step, wish, _) in zip(new, cases, strict=True):
            after = await found(store, each)
            expected = (step.status, step.reason)
            if step in YIELDING and wish is not None:
                expected = (HONOURED[wish.kind], wish.reason)
            assert (after.status, after.reason) == expected
            assert after.wish == (wish if step is REVIEW else None)


HONOURED = {
    WishKind.CANCEL: Status.CANCELLED,
    WishKind.CALLED_IN: Status.CANCELLED,
    WishKind.OBJECTION: Status.REJECTED,
    WishKind.MOVE: Status.SCHEDULED,
}


async def doubted(store: SqlStore, wish: Wish) -> tuple[Attempt, Callback]:
    """An attempt in doubt, and its callback of which something else is wanted; both as they stand."""
    before, running = await claimed(store, 1)
    await want(store, running, wish)
    done = ended(attempt_at(before), Outcome.IN_DOUBT)
    await store.finish(done, REVIEW)
    return done, await found(store, running)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.kind)
class TestInDoubt:
    @pytest.mark.parametrize("step", YIELDING, ids=lambda step: step.status)
    async def test_a_wish_waits_with_its_callback_for_evidence(
        self, store: SqlStore, wish: Wish, step: NextStep
    ) -> None:
        doubt, waiting = await doubted(store, wish)
        assert (waiting.status, waiting.wish) == (Status.NEEDS_REVIEW, wish)
        assert await store.wishes() == []
        await store.amend(amended(doubt, Outcome.CUSTOMER_BUSY), step)
        after = await found(store, waiting)
        assert (after.status, after.reason, after.wish) == (HONOURED[wish.kind], wish.reason, None)
        expected = (TOMORROW, ITS_END) if wish is MOVE else (step.due_at, step.expires_at)
        assert (after.due_at, after.expires_at) == expected

    async def test_evidence_of_a_call_ends_it(self, store: SqlStore, wish: Wish) -> None:
        doubt, waiting = await doubted(store, wish)
        await store.amend(amended(doubt), COMPLETED)
        after = await found(store, waiting)
        assert (after.status, after.reason, after.wish) == (Status.COMPLETED, "connected", None)

    @pytest.mark.parametrize("decision", [Decision.COMPLETED, Decision.FAILED])
    async def test_a_person_may_end_it(self, store: SqlStore, wish: Wish, decision: Decision) -> None:
        _, waiting = await doubted(store, wish)
        decided = await store.resolve(waiting, decision, "bob", "heard it")
        assert (decided.status, decided.wish) == (Status(decision), None)

    async def test_an_objection_ends_it_and_nothing_else_is_wished(self, store: SqlStore, wish: Wish) -> None:
        _, waiting = await doubted(store, wish)
        assert (await store.object_to(PHONE, "ann", "asked us to stop")).rejected == (waiting.id,)
        after = await found(store, waiting)
        assert after == replace(later(waiting), status=Status.REJECTED, reason="objection", wish=None)

    async def test_a_person_s_retry_cannot_undo_a_wish(self, store: SqlStore, wish: Wish) -> None:
        _, waiting = await doubted(store, wish)
        if wish in {CANCEL, OBJECTION}:
            words = "asked to cancel" if wish is CANCEL else "objected"
            with pytest.raises(IllegalState, match=words):
                await store.resolve(waiting, Decision.RETRY, "bob", "once more")
            assert await found(store, waiting) == waiting
            assert await store.resolutions(waiting.id) == []
        else:
            again = await store.resolve(waiting, Decision.RETRY, "bob", "once more")
            due, expires = (TOMORROW, ITS_END) if wish is MOVE else (NOON, None)
            assert (again.status, again.due_at, again.expires_at, again.wish) == ("scheduled", due, expires, None)


def over(of: Callback) -> Callback:
    """The same after its customer called in."""
    return replace(later(of), status=Status.CANCELLED, reason="customer_called_in")


class TestCalledIn:
    async def test_these_departments_owe_this_number_nothing_any_more(self, store: SqlStore) -> None:
        new = [
            callback(1),
            callback(2, department="support"),
            callback(3, department="other"),
            callback(4, phone=OTHER),
            *(replace(callback(5 + n), status=status) for n, status in enumerate(Status) if n),
        ]
        await store.add(new)
        before, running = await claimed(store, 20)
        told = await store.customer_called_in(PHONE, ["sales", "support"])
        by_id = {each.id: each for each in told}
        in_progress = new[4]
        assert by_id == {
            new[0].id: over(new[0]),
            new[1].id: over(new[1]),
            in_progress.id: replace(later(in_progress), wish=CALLED_IN),
            before.id: replace(later(running), wish=CALLED_IN),
        }
        for each in (*new, running):
            assert await found(store, each) == by_id.get(each.id, each)

    async def test_nobody_s_number_means_nothing(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        assert await store.customer_called_in(OTHER, ["sales"]) == []
        assert await store.customer_called_in(PHONE, []) == []
        assert await found(store, new) == new
