"""Attempts whose end nobody saw: evidence that comes later, and what a person decides without any."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from dialer.store.views import Decision, Resolution
from tests.contract.life import claimed, in_doubt
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NOON,
    REVIEW,
    SECOND,
    amended,
    attempt_at,
    callback,
    claim_of,
    ended,
)


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

    @pytest.mark.parametrize(("left", "kept"), [(SECOND, True), (0 * SECOND, False), (-SECOND, False)])
    async def test_a_promise_that_ran_out_meanwhile_is_not_held_against_a_retry(
        self, store: SqlStore, left: timedelta, *, kept: bool
    ) -> None:
        waiting = replace(callback(1), status=Status.NEEDS_REVIEW, expires_at=NOON + left, wanted_until=NOON + left)
        await store.add([waiting])
        again = await store.resolve(waiting, Decision.RETRY, "ann", "once more")
        assert again.expires_at == (waiting.expires_at if kept else None)
        assert again.wanted_until == (waiting.wanted_until if kept else None), "or it could never be rung"

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
