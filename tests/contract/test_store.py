"""What the engine, the command line and intake may rely on, whatever the database."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, StoreError
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, CallFilter, Decision, Pause, Resolution
from dialer.store.writer import Pace
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NAME,
    NOON,
    PHONE,
    REVIEW,
    SECOND,
    amended,
    attempt_at,
    callback,
    claim_of,
    ended,
    progressed,
)

NEVER = 3600.0


async def added(store: SqlStore, *numbers: int) -> list[Callback]:
    new = [callback(number) for number in numbers]
    await store.add(new, "test")
    return new


async def claimed(store: SqlStore, number: int) -> tuple[Callback, Callback]:
    """A callback before and after its claim."""
    (before,) = await added(store, number)
    assert await store.claim(claim_of(before))
    after = await store.get(before.id)
    assert after is not None
    return before, after


class TestRoundTrip:
    async def test_a_callback_comes_back_as_it_was_to_the_microsecond(self, store: SqlStore) -> None:
        new = replace(callback(1), wanted_at=NOON + timedelta(days=3, microseconds=999_999), reason="ünïcode")
        await store.add([new])
        assert await store.get(new.id) == new

    async def test_a_callback_without_the_optional_fields_too(self, store: SqlStore) -> None:
        new = callback(1)
        new = replace(new, visitor=replace(new.visitor, consent=None, name="", email=""))
        await store.add([new])
        assert await store.get(new.id) == new

    async def test_instants_of_any_zone_are_the_same_instants(self, store: SqlStore) -> None:
        local = NOON.astimezone(timezone(timedelta(hours=-5, minutes=-30)))
        await store.add([replace(callback(1), due_at=local)])
        (earliest,) = await store.upcoming("sales", NOON, 1)
        assert earliest.due_at == NOON
        assert earliest.due_at.utcoffset() == timedelta(0)

    async def test_an_attempt_comes_back_with_timeline_and_verdict(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        done = ended(progressed(attempt_at(before), "originate_sent", "agent_ringing", "bridged"))
        await store.finish(done, COMPLETED)
        assert await store.attempts(before.id) == [done]

    async def test_an_attempt_without_what_earlier_versions_did_not_know(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        older = replace(attempt_at(new), pbx_identity="", place_by=None)
        await store.claim(replace(claim_of(new), attempt=older))
        assert await store.attempts(new.id) == [older]

    async def test_what_is_not_there_is_none(self, store: SqlStore) -> None:
        assert await store.get(CallbackId("nobody")) is None
        assert await store.attempts(CallbackId("nobody")) == []
        assert await store.upcoming("nobody", NOON, 1) == []

    async def test_nothing_to_add_is_fine(self, store: SqlStore) -> None:
        await store.add([])
        assert (await store.callbacks()).items == ()


class TestClaim:
    async def test_it_takes_the_callback_and_writes_the_intent(self, store: SqlStore) -> None:
        before, after = await claimed(store, 1)
        assert (after.status, after.version, after.attempts) == (Status.IN_PROGRESS, before.version + 1, 1)
        assert await store.open_attempts() == [(attempt_at(before), after)]

    async def test_of_two_at_once_the_first_wins(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        first, second = claim_of(new), claim_of(new, twin="B")
        won = await asyncio.gather(store.claim(first), store.claim(second))
        assert tuple(won) == (True, False)
        assert await store.attempts(new.id) == [first.attempt]

    async def test_a_later_one_of_the_same_version_loses(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        assert not await store.claim(claim_of(before, twin="B"))
        assert len(await store.attempts(before.id)) == 1

    async def test_one_loser_among_many_loses_alone(self, store: SqlStore) -> None:
        before, after = await claimed(store, 0)
        others = await added(store, *range(1, 600))
        won = await asyncio.gather(*(store.claim(claim_of(each)) for each in others), store.claim(claim_of(after)))
        assert won == [True] * len(others) + [False]
        assert len(await store.open_attempts()) == 600
        assert len(await store.attempts(before.id)) == 1

    @pytest.mark.parametrize("cancel_first", [True, False])
    async def test_against_a_cancellation_exactly_one_wins(self, store: SqlStore, *, cancel_first: bool) -> None:
        (new,) = await added(store, 1)
        claim, cancel = store.claim(claim_of(new)), store.cancel(new.id, "by the visitor")
        tasks = [asyncio.ensure_future(each) for each in ((cancel, claim) if cancel_first else (claim, cancel))]
        await asyncio.wait(tasks)
        cancelling, claiming = tasks if cancel_first else reversed(tasks)
        found = await store.get(new.id)
        assert found is not None
        if cancel_first:
            assert claiming.result() is False
            assert cancelling.result() == found
            assert (found.status, found.reason) == (Status.CANCELLED, "by the visitor")
            assert await store.open_attempts() == []
        else:
            assert claiming.result() is True
            assert isinstance(cancelling.exception(), IllegalState)
            assert found.status is Status.IN_PROGRESS

    async def test_a_change_of_due_time_makes_an_older_view_stale(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        moved = await store.reschedule(new.id, NOON + SECOND)
        assert not await store.claim(claim_of(new))
        assert await store.claim(claim_of(moved))

    async def test_it_survives_the_cancellation_of_who_asked(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        asking = asyncio.create_task(store.claim(claim_of(new)))
        await asyncio.sleep(0)  # let it submit
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await store.resume("anybody")  # written together with the claim, or after it
        assert len(await store.open_attempts()) == 1


class TestFinish:
    async def test_it_ends_the_attempt_and_moves_the_callback_on(self, store: SqlStore) -> None:
        before, after = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        found = await store.get(before.id)
        expected = replace(
            after,
            status=AGAIN.status,
            due_at=AGAIN.due_at,
            reason=AGAIN.reason,
            customer_attempts=AGAIN.customer_attempts,
            agent_rings=AGAIN.agent_rings,
            version=after.version + 1,
        )
        assert found == expected
        assert await store.open_attempts() == []

    async def test_the_next_attempt_takes_the_next_number(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        again = await store.get(before.id)
        assert again is not None
        assert await store.claim(claim_of(again))
        assert [each.number for each in await store.attempts(before.id)] == [1, 2]

    async def test_the_first_end_stands(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        first = ended(attempt_at(before), Outcome.CUSTOMER_BUSY)
        await store.finish(first, AGAIN)
        moved_on = await store.get(before.id)
        await store.finish(ended(attempt_at(before), Outcome.CONNECTED), COMPLETED)
        assert await store.attempts(before.id) == [first]
        assert await store.get(before.id) == moved_on

    async def test_an_old_attempt_cannot_end_the_callback_of_a_newer_one(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        again = await store.get(before.id)
        assert again is not None
        await store.claim(claim_of(again))
        await store.finish(ended(attempt_at(before)), COMPLETED)
        found = await store.get(before.id)
        assert found is not None
        assert found.status is Status.IN_PROGRESS

    async def test_what_was_never_claimed_is_refused_alone(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        stranger = ended(attempt_at(callback(2)))
        results = await asyncio.gather(
            store.finish(stranger, COMPLETED),
            store.finish(ended(attempt_at(before)), COMPLETED),
            return_exceptions=True,
        )
        assert isinstance(results[0], IllegalState)
        assert results[1] is None
        assert (await store.summary()).attempts[Outcome.CONNECTED] == 1

    async def test_what_has_not_ended_is_refused(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        with pytest.raises(IllegalState, match="has not ended"):
            await store.finish(attempt_at(before), COMPLETED)

    async def test_many_at_once(self, store: SqlStore) -> None:
        new = await added(store, *range(700))
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        await asyncio.gather(*(store.finish(ended(attempt_at(each)), COMPLETED) for each in new))
        assert (await store.summary()).callbacks[Status.COMPLETED] == 700


async def in_doubt(store: SqlStore, number: int) -> tuple[Attempt, Callback]:
    """An attempt whose end nobody saw, and its callback, which waits for a person."""
    before, _ = await claimed(store, number)
    done = ended(attempt_at(before), Outcome.IN_DOUBT)
    await store.finish(done, REVIEW)
    after = await store.get(before.id)
    assert after is not None
    return done, after


async def states(store: SqlStore, of: Callback) -> tuple[list[Attempt], Callback | None]:
    return await store.attempts(of.id), await store.get(of.id)


class TestDoubts:
    async def test_those_that_wait_for_a_person_come_back_with_their_callbacks(self, store: SqlStore) -> None:
        doubts = [await in_doubt(store, number) for number in (1, 2)]
        before, _ = await claimed(store, 3)
        await store.finish(ended(attempt_at(before)), REVIEW)  # a person decides, but not for doubt
        await claimed(store, 4)
        assert await store.doubtful(NOON) == doubts
        assert await store.doubtful(NOON + SECOND) == []
        await store.resolve(doubts[0][1], Decision.FAILED, "ann", "gone away")
        assert await store.doubtful(NOON) == doubts[1:]

    async def test_evidence_amends_the_attempt_and_moves_the_callback_on(self, store: SqlStore) -> None:
        doubt, waiting = await in_doubt(store, 1)
        found = amended(doubt)
        await store.amend(found, COMPLETED)
        after = replace(waiting, status=Status.COMPLETED, reason="connected", version=waiting.version + 1)
        after = replace(after, customer_attempts=1, due_at=COMPLETED.due_at)
        assert await states(store, waiting) == ([found], after)

    async def test_amending_twice_is_amending_once(self, store: SqlStore) -> None:
        doubt, waiting = await in_doubt(store, 1)
        await store.amend(amended(doubt), AGAIN)
        once = await states(store, waiting)
        await store.amend(amended(doubt), AGAIN)
        await asyncio.gather(*(store.amend(amended(doubt, Outcome.CUSTOMER_BUSY), COMPLETED) for _ in range(3)))
        assert await states(store, waiting) == once

    @pytest.mark.parametrize("decision", Decision)
    async def test_what_a_person_decided_meanwhile_stands(self, store: SqlStore, decision: Decision) -> None:
        doubt, waiting = await in_doubt(store, 1)
        decided = await store.resolve(waiting, decision, "ann", "the customer said so")
        await store.amend(amended(doubt), COMPLETED)
        assert await states(store, waiting) == ([amended(doubt)], decided)

    async def test_an_earlier_doubt_does_not_move_a_callback_that_waits_for_a_later_one(self, store: SqlStore) -> None:
        doubt, waiting = await in_doubt(store, 1)
        again = await store.resolve(waiting, Decision.RETRY, "ann", "try again")
        assert await store.claim(claim_of(again))
        later = ended(attempt_at(again), Outcome.IN_DOUBT)
        await store.finish(later, REVIEW)
        second = await store.get(waiting.id)
        await store.amend(amended(doubt), COMPLETED)
        assert await states(store, waiting) == ([amended(doubt), later], second)

    @pytest.mark.parametrize("outcome", [None, Outcome.CONNECTED])
    async def test_what_is_not_in_doubt_stays_as_it_is(self, store: SqlStore, outcome: Outcome | None) -> None:
        before, _ = await claimed(store, 1)
        attempt = attempt_at(before)
        if outcome is not None:
            await store.finish(ended(attempt, outcome), REVIEW)
        untouched = await states(store, before)
        await store.amend(amended(ended(attempt), Outcome.CUSTOMER_BUSY), AGAIN)
        assert await states(store, before) == untouched

    async def test_an_amendment_needs_an_end(self, store: SqlStore) -> None:
        doubt, _ = await in_doubt(store, 1)
        with pytest.raises(IllegalState, match="has not ended"):
            await store.amend(replace(doubt, verdict=None), COMPLETED)

    async def test_many_at_once(self, store: SqlStore) -> None:
        doubts = [await in_doubt(store, number) for number in range(30)]
        await asyncio.gather(*(store.amend(amended(doubt), COMPLETED) for doubt, _ in doubts))
        summary = await store.summary()
        assert (summary.attempts[Outcome.CONNECTED], summary.callbacks[Status.COMPLETED]) == (30, 30)


class TestResolve:
    @pytest.mark.parametrize(
        ("decision", "status"),
        [
            (Decision.COMPLETED, Status.COMPLETED),
            (Decision.FAILED, Status.FAILED),
            (Decision.RETRY, Status.SCHEDULED),
        ],
    )
    async def test_a_person_decides_and_is_recorded(
        self, where: str, store: SqlStore, decision: Decision, status: Status
    ) -> None:
        _, waiting = await in_doubt(store, 1)
        later = NOON + timedelta(days=2)
        async with SqlStore.open(where, now=lambda: later) as people:
            after = await people.resolve(waiting, decision, "ann", "heard it on the line", forced=True)
        due = later if decision is Decision.RETRY else waiting.due_at
        words = f"{decision}, forced, by ann: heard it on the line"
        assert after == replace(waiting, status=status, due_at=due, reason=words, version=waiting.version + 1)
        assert await store.get(waiting.id) == after
        (kept,) = await store.resolutions(waiting.id)
        assert kept == Resolution(decision, "ann", "heard it on the line", forced=True, decided_at=later)
        assert kept.words == words

    async def test_a_retry_can_be_claimed_and_its_attempt_takes_the_next_number(self, store: SqlStore) -> None:
        _, waiting = await in_doubt(store, 1)
        again = await store.resolve(waiting, Decision.RETRY, "ann", "asked for it")
        assert await store.upcoming("sales", NOON, 1) == [again]
        assert await store.claim(claim_of(again))
        assert [each.number for each in await store.attempts(waiting.id)] == [1, 2]

    async def test_only_while_it_waits_for_a_person(self, store: SqlStore) -> None:
        before, after = await claimed(store, 1)
        with pytest.raises(IllegalState, match="in_progress can no longer be resolved"):
            await store.resolve(after, Decision.FAILED, "ann", "impatient")
        with pytest.raises(IllegalState, match="there is no such callback"):
            await store.resolve(callback(2), Decision.FAILED, "ann", "impatient")
        assert await states(store, before) == ([attempt_at(before)], after)
        assert await store.resolutions(before.id) == []

    async def test_of_two_people_at_once_the_first_decides(self, store: SqlStore) -> None:
        _, waiting = await in_doubt(store, 1)
        answers = await asyncio.gather(
            store.resolve(waiting, Decision.RETRY, "ann", "once more"),
            store.resolve(waiting, Decision.FAILED, "bob", "enough"),
            return_exceptions=True,
        )
        assert isinstance(answers[0], Callback)
        assert isinstance(answers[1], IllegalState)
        assert "scheduled can no longer be resolved" in str(answers[1])
        assert [each.who for each in await store.resolutions(waiting.id)] == ["ann"]

    async def test_an_older_view_does_not_decide_on_a_later_attempt(self, store: SqlStore) -> None:
        _, waiting = await in_doubt(store, 1)
        again = await store.resolve(waiting, Decision.RETRY, "ann", "once more")
        await store.claim(claim_of(again))
        await store.finish(ended(attempt_at(again), Outcome.IN_DOUBT), REVIEW)
        with pytest.raises(IllegalState, match=r"changed meanwhile \(look at it again\)"):
            await store.resolve(waiting, Decision.RETRY, "bob", "once more")
        assert len(await store.resolutions(waiting.id)) == 1


class TestSweep:
    async def test_ended_attempts_of_a_pbx_between_two_ids_in_order(self, store: SqlStore) -> None:
        new = await added(store, *range(8))
        for each in new:
            claim = claim_of(each)
            await store.claim(replace(claim, attempt=replace(claim.attempt, pbx="pbx2")) if each is new[3] else claim)
        ids = [attempt_at(each).id for each in new]
        for each in reversed(new[:7]):  # the eighth lives on
            await store.finish(ended(attempt_at(each)), COMPLETED)
        assert await store.ended_attempts("pbx1", ids[0], AttemptId("B"), 100) == [ids[n] for n in (1, 2, 4, 5, 6)]
        assert await store.ended_attempts("pbx1", ids[0], ids[5], 2) == [ids[1], ids[2]]
        assert await store.ended_attempts("pbx1", ids[2], ids[5], 100) == [ids[4]]
        assert await store.ended_attempts("pbx2", AttemptId(""), AttemptId("B"), 100) == [ids[3]]


class TestNotes:
    async def test_the_latest_is_written_when_its_time_has_come(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(notes=0)) as store:
            before, _ = await claimed(store, 1)
            attempt = attempt_at(before)
            for step in ("originate_sent", "agent_ringing", "agent_answered"):
                attempt = progressed(attempt, step)
                store.note(attempt)
            await store.resume("anybody")  # any change takes along what is due
            assert await store.attempts(before.id) == [attempt]

    async def test_a_change_does_not_wait_for_those_that_are_not_due(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(notes=NEVER)) as store:
            before, _ = await claimed(store, 1)
            store.note(progressed(attempt_at(before), "originate_sent"))
            await store.resume("anybody")
            assert await store.attempts(before.id) == [attempt_at(before)]

    async def test_closing_writes_what_is_left(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(notes=NEVER)) as store:
            before, _ = await claimed(store, 1)
            noted = progressed(attempt_at(before), "originate_sent")
            store.note(noted)
        async with SqlStore.open(where) as store:
            assert await store.attempts(before.id) == [noted]

    async def test_a_late_one_does_not_undo_the_end(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(notes=0)) as store:
            before, _ = await claimed(store, 1)
            done = ended(attempt_at(before))
            await store.finish(done, COMPLETED)
            store.note(progressed(attempt_at(before), "agent_ringing"))
            await store.resume("anybody")
            assert await store.attempts(before.id) == [done]


class TestGroups:
    async def test_an_operation_that_breaks_the_transaction_fails_alone(self, store: SqlStore) -> None:
        (known, free) = await added(store, 1, 2)
        unwritable = replace(callback(3), visitor=replace(callback(3).visitor, name="\ud800"))
        naive = replace(callback(4), due_at=NOON.replace(tzinfo=None))
        results = await asyncio.gather(
            store.add([known]),
            store.add([unwritable]),
            store.add([naive]),
            store.add([callback(5)]),
            store.claim(claim_of(free)),
            store.cancel(known.id, "no longer wanted"),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StoreError, StoreError, StoreError, type(None), bool, Callback]
        assert results[4] is True
        assert {each.id for each in (await store.callbacks()).items} == {known.id, free.id, callback(5).id}

    async def test_no_error_tells_of_a_person(self, store: SqlStore) -> None:
        (known,) = await added(store, 1)
        for bad in (known, replace(known, id=CallbackId("X"), visitor=replace(known.visitor, message="\udfff"))):
            with pytest.raises(StoreError) as caught:
                await store.add([bad])
            told = repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
            assert not any(secret in told for secret in (PHONE, NAME, "example.com", "Line one", "udfff"))

    async def test_a_closed_store_says_so(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True) as store:
            pass
        with pytest.raises(StoreError, match="closed"):
            await store.cancel(CallbackId("C"), "")

    async def test_what_was_submitted_before_the_close_is_written(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(changes=NEVER)) as store:
            asking = asyncio.create_task(store.add([callback(1)]))
            await asyncio.sleep(0)  # let it submit
        await asking
        async with SqlStore.open(where) as store:
            assert await store.get(callback(1).id) == callback(1)


class TestUpcoming:
    async def test_earliest_first_and_by_id_within_a_moment(self, store: SqlStore) -> None:
        due = [NOON, NOON - SECOND, NOON, NOON + SECOND]
        new = [callback(number, due_at=at) for number, at in enumerate(due)]
        await store.add(new[::-1])
        assert [each.id for each in await store.upcoming("sales", NOON, 10)] == [new[1].id, new[0].id, new[2].id]
        assert [each.id for each in await store.upcoming("sales", NOON, 1)] == [new[1].id]

    async def test_only_the_department_s_scheduled_ones(self, store: SqlStore) -> None:
        await store.add([callback(1), callback(2, department="support"), callback(3), callback(4)])
        await store.claim(claim_of(callback(3)))
        await store.cancel(callback(4).id, "")
        assert await store.upcoming("sales", NOON, 10) == [callback(1)]


class TestPeople:
    async def test_cancel_and_reschedule_answer_with_the_callback_after_it(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        moved = await store.reschedule(new.id, NOON + SECOND)
        assert moved == replace(new, due_at=NOON + SECOND, version=2)
        over = await store.cancel(new.id, "asked to")
        assert over == replace(moved, status=Status.CANCELLED, reason="asked to", version=3)
        assert await store.get(new.id) == over

    async def test_only_while_it_is_scheduled(self, store: SqlStore) -> None:
        before, after = await claimed(store, 1)
        with pytest.raises(IllegalState, match="in_progress can no longer be cancelled"):
            await store.cancel(before.id, "")
        with pytest.raises(IllegalState, match="in_progress can no longer be rescheduled"):
            await store.reschedule(before.id, NOON)
        assert await store.get(before.id) == after

    async def test_a_stranger_is_named_by_its_id(self, store: SqlStore) -> None:
        with pytest.raises(IllegalState, match="nobody: there is no such callback"):
            await store.cancel(CallbackId("nobody"), "")

    async def test_a_pause_holds_until_it_is_lifted(self, store: SqlStore) -> None:
        assert not await store.paused()
        held = Pause("ann", "carrier down", NOON)
        assert await store.pause("ann", "carrier down") == held
        assert await store.pause("bob", "too") == held
        assert await store.paused()
        assert await store.pause_in_force() == held
        assert await store.resume("bob")
        assert not await store.paused()
        assert not await store.resume("bob")
        assert (await store.pause("bob", "again")).who == "bob"

    async def test_other_openers_see_it_at_once(self, store: SqlStore, where: str) -> None:
        async with SqlStore.open(where) as other:
            await other.pause("ann", "")
            await other.add([callback(1)])
        assert await store.paused()
        assert await store.get(callback(1).id) == callback(1)


class TestLists:
    async def test_pages_hold_everything_once_in_order(self, store: SqlStore) -> None:
        new = [callback(number, due_at=NOON + (number % 3) * SECOND) for number in range(11)]
        await store.add(new)
        seen: list[Callback] = []
        cursor = None
        while True:
            page = await store.callbacks(limit=4, cursor=cursor)
            seen += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == sorted(new, key=lambda each: (each.due_at, each.id))

    async def test_a_full_last_page_promises_no_more(self, store: SqlStore) -> None:
        await added(store, 1, 2)
        assert (await store.callbacks(limit=2)).cursor is None

    @pytest.mark.parametrize(
        ("which", "numbers"),
        [
            (CallbackFilter(), [0, 1, 2, 3]),
            (CallbackFilter(statuses=frozenset({Status.CANCELLED})), [0]),
            (CallbackFilter(statuses=frozenset({Status.CANCELLED, Status.SCHEDULED}), department="sales"), [0, 1, 2]),
            (CallbackFilter(department="support"), [3]),
            (CallbackFilter(due_from=NOON + SECOND, due_before=NOON + 3 * SECOND), [1, 2]),
            (CallbackFilter(department="nobody's"), []),
        ],
    )
    async def test_callbacks_by_filter(self, store: SqlStore, which: CallbackFilter, numbers: list[int]) -> None:
        departments = ("sales", "sales", "sales", "support")
        new = [callback(n, department=name, due_at=NOON + n * SECOND) for n, name in enumerate(departments)]
        await store.add(new)
        await store.cancel(new[0].id, "")
        assert [each.id for each in (await store.callbacks(which)).items] == [new[n].id for n in numbers]

    @pytest.mark.parametrize(
        ("which", "numbers"),
        [
            (CallFilter(), [3, 2, 1, 0]),
            (CallFilter(outcomes=frozenset({Outcome.CUSTOMER_BUSY})), [2, 0]),
            (CallFilter(since=NOON + SECOND, before=NOON + 3 * SECOND), [2, 1]),
            (CallFilter(department="support"), [3]),
        ],
    )
    async def test_calls_newest_first_by_filter(self, store: SqlStore, which: CallFilter, numbers: list[int]) -> None:
        departments = ("sales", "sales", "sales", "support", "sales")
        new = [callback(n, department=name) for n, name in enumerate(departments)]
        await store.add(new)
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        for n, each in enumerate(new[:4]):  # the fifth lives on
            outcome = Outcome.CONNECTED if n % 2 else Outcome.CUSTOMER_BUSY
            await store.finish(ended(attempt_at(each), outcome, NOON + n * SECOND), COMPLETED)
        page = await store.calls(which, limit=2)
        rest = await store.calls(which, limit=10, cursor=page.cursor) if page.cursor else None
        found = [*page.items, *(rest.items if rest else ())]
        assert [each.callback_id for each in found] == [new[n].id for n in numbers]

    @pytest.mark.parametrize("cursor", ["", "yesterday", "1e9.C", "9" * 400 + ".C"])
    async def test_a_made_up_cursor_is_refused(self, store: SqlStore, cursor: str) -> None:
        with pytest.raises(IllegalState, match="cursor"):
            await store.callbacks(cursor=cursor)

    async def test_the_summary_counts_every_status_and_outcome(self, store: SqlStore) -> None:
        await claimed(store, 1)
        before, _ = await claimed(store, 2)
        await store.finish(ended(attempt_at(before)), COMPLETED)
        summary = await store.summary()
        assert set(summary.callbacks) == set(Status)
        assert set(summary.attempts) == set(Outcome)
        assert {status: n for status, n in summary.callbacks.items() if n} == {
            Status.IN_PROGRESS: 1,
            Status.COMPLETED: 1,
        }
        assert {outcome: n for outcome, n in summary.attempts.items() if n} == {Outcome.CONNECTED: 1}
        assert summary.open_attempts == 1
