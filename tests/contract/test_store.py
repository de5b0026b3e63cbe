"""What the engine may rely on, whatever the database: callbacks and attempts from request to end."""

import asyncio
from dataclasses import asdict, replace
from datetime import date, timedelta, timezone
from itertools import permutations

import pytest

from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.errors import IllegalState, StoreError
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import EVERYTHING
from dialer.store.store import SqlStore
from dialer.store.writer import Pace
from tests.contract.life import added, claimed, found
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NAME,
    NOON,
    OTHER,
    PHONE,
    REVIEW,
    SECOND,
    attempt_at,
    callback,
    claim_by,
    claim_of,
    ended,
    progressed,
)

NEVER = 3600.0


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

    async def test_a_callback_with_all_that_its_life_adds(self, store: SqlStore) -> None:
        new = replace(
            callback(1),
            status=Status.IN_PROGRESS,
            attempts=3,
            customer_attempts=2,
            agent_rings=1,
            version=9,
            wanted_until=NOON + timedelta(microseconds=1),
            expires_at=NOON + timedelta(microseconds=2),
            day=date(2026, 3, 1),
            day_attempts=2,
            prefer_agent="anna",
            failed_trunks=("carrier", "the_other-1"),
            wish=Wish(WishKind.MOVE, "ünïcode", NOON + SECOND, NOON + 2 * SECOND, late=True),
            origin="a key",
        )
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

    @pytest.mark.parametrize("rang", [None, False, True])
    async def test_whether_the_customer_s_phone_rang_is_kept(self, store: SqlStore, *, rang: bool | None) -> None:
        before, _ = await claimed(store, 1)
        done = ended(attempt_at(before))
        assert done.verdict is not None
        done = replace(done, verdict=replace(done.verdict, rang=rang))
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
    async def test_against_a_cancellation_the_first_wins_and_both_are_told(
        self, store: SqlStore, *, cancel_first: bool
    ) -> None:
        (new,) = await added(store, 1)
        claim, cancel = store.claim(claim_of(new)), store.cancel(new.id, "by the visitor")
        tasks = [asyncio.ensure_future(each) for each in ((cancel, claim) if cancel_first else (claim, cancel))]
        await asyncio.wait(tasks)
        cancelling, claiming = tasks if cancel_first else reversed(tasks)
        after = await found(store, new)
        assert cancelling.result() == after
        if cancel_first:
            assert claiming.result() is False
            assert (after.status, after.reason, after.wish) == (Status.CANCELLED, "by the visitor", None)
            assert await store.open_attempts() == []
        else:
            assert claiming.result() is True
            assert (after.status, after.wish) == (Status.IN_PROGRESS, Wish(WishKind.CANCEL, "by the visitor"))

    async def test_an_agent_has_one_attempt_at_a_time(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        (new,) = await added(store, 2)
        same_agent = claim_by(attempt_at(before).agent, new)
        assert not await store.claim(same_agent)
        assert await found(store, new) == new
        assert await store.attempts(new.id) == []
        await store.finish(ended(attempt_at(before)), COMPLETED)
        assert await store.claim(same_agent)

    async def test_of_two_at_once_that_want_one_agent_the_first_wins(self, store: SqlStore) -> None:
        new = await added(store, *range(4))
        won = await asyncio.gather(
            *(store.claim(claim_by(agent, each)) for agent, each in zip("abab", new, strict=True))
        )
        assert won == [True, True, False, False]
        assert [attempt.agent for attempt, _ in await store.open_attempts()] == ["a", "b"]
        assert [await found(store, each) for each in new[2:]] == new[2:]

    async def test_a_number_that_is_never_called_is_rejected_instead(self, store: SqlStore) -> None:
        await store.object_to(PHONE, "ann", "asked us to stop")
        (listed,) = await added(store, 0)  # past the door
        others = [callback(n, phone=OTHER) for n in range(1, 600)]
        await store.add(others)
        won = await asyncio.gather(*(store.claim(claim_of(each)) for each in (listed, *others)))
        assert won == [False] + [True] * len(others)
        expected = replace(listed, status=Status.REJECTED, reason="objection", version=listed.version + 1)
        assert await found(store, listed) == expected
        assert await store.attempts(listed.id) == []

    async def test_a_change_of_due_time_makes_an_older_view_stale(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        moved = await store.reschedule(new.id, NOON + SECOND, None, None)
        assert not await store.claim(claim_of(new))
        assert await store.claim(claim_of(moved))

    async def test_it_survives_the_cancellation_of_who_asked(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        asking = asyncio.create_task(store.claim(claim_of(new)))
        await asyncio.sleep(0)  # let it submit
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await store.resume(EVERYTHING, "anybody")  # written together with the claim, or after it
        assert len(await store.open_attempts()) == 1


class TestPutAway:
    async def test_a_scheduled_callback_is_made_due_later_or_ends(self, store: SqlStore) -> None:
        first, second = await added(store, 1, 2)
        assert await store.defer(first, NOON + SECOND, "closed on Mondays")
        deferred = replace(first, due_at=NOON + SECOND, reason="closed on Mondays", version=2)
        assert await found(store, first) == deferred
        assert await store.close(second, Status.REJECTED, "number_premium")
        over = replace(second, status=Status.REJECTED, reason="number_premium", version=2)
        assert await found(store, second) == over

    async def test_only_as_it_was_seen(self, store: SqlStore) -> None:
        first, second = await added(store, 1, 2)
        moved = await store.reschedule(first.id, NOON + SECOND, None, None)
        await store.cancel(second.id, "")
        before = [moved, await found(store, second)]
        stale = [store.defer(each, NOON, "why") for each in (first, second)]
        stale += [store.close(each, Status.EXPIRED, "why") for each in (first, second, callback(3))]
        assert not any(await asyncio.gather(*stale))
        assert [await found(store, each) for each in (first, second)] == before

    async def test_those_who_come_second_among_many_lose_alone(self, store: SqlStore) -> None:
        new = await added(store, *range(600))
        for each in new[::100]:
            await store.cancel(each.id, "")
        won = await asyncio.gather(*(store.defer(each, NOON + SECOND, "why") for each in new))
        assert won == [n % 100 > 0 for n in range(600)]
        assert len(await store.upcoming("sales", NOON + SECOND, 1000)) == 594

    async def test_of_two_at_once_the_first_wins(self, store: SqlStore) -> None:
        (new,) = await added(store, 1)
        won = await asyncio.gather(store.defer(new, NOON + SECOND, "why"), store.close(new, Status.EXPIRED, "why"))
        assert tuple(won) == (True, False)
        assert (await found(store, new)).due_at == NOON + SECOND


class TestFinish:
    async def test_it_ends_the_attempt_and_moves_the_callback_on(self, store: SqlStore) -> None:
        before, after = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        assert await found(store, before) == replace(after, version=after.version + 1, **asdict(AGAIN))
        assert await store.open_attempts() == []

    async def test_the_next_attempt_takes_the_next_number(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        again = await found(store, before)
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

    async def test_of_two_ends_at_once_the_first_stands(self, store: SqlStore) -> None:
        """Whatever they make of the callback."""
        for number, steps in enumerate(permutations((AGAIN, COMPLETED, REVIEW))):
            before, after = await claimed(store, number)
            ends = [
                ended(attempt_at(before), outcome) for outcome in (Outcome.CUSTOMER_BUSY, *2 * (Outcome.CONNECTED,))
            ]
            await asyncio.gather(*(store.finish(end, step) for end, step in zip(ends, steps, strict=True)))
            assert await store.attempts(before.id) == ends[:1]
            assert await found(store, before) == replace(after, version=after.version + 1, **asdict(steps[0]))

    async def test_an_old_attempt_cannot_end_the_callback_of_a_newer_one(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), AGAIN)
        again = await found(store, before)
        await store.claim(claim_of(again))
        await store.finish(ended(attempt_at(before)), COMPLETED)
        assert (await found(store, before)).status is Status.IN_PROGRESS

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
            await store.resume(EVERYTHING, "anybody")  # any change takes along what is due
            assert await store.attempts(before.id) == [attempt]

    async def test_a_change_does_not_wait_for_those_that_are_not_due(self, where: str) -> None:
        async with SqlStore.open(where, exclusive=True, pace=Pace(notes=NEVER)) as store:
            before, _ = await claimed(store, 1)
            store.note(progressed(attempt_at(before), "originate_sent"))
            await store.resume(EVERYTHING, "anybody")
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
            await store.resume(EVERYTHING, "anybody")
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
