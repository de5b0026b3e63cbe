"""What the store answers to those who look: the engine for what is due, people for pages and counts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.outcome import Outcome
from dialer.engine.ports import Usage
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, CallFilter
from tests.contract.life import added, claimed
from tests.contract.story import COMPLETED, NOON, OTHER, PHONE, SECOND, attempt_at, callback, claim_of, ended


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

    async def test_only_numbers_that_begin_so(self, store: SqlStore) -> None:
        numbers = ("+442079460001", "+447400123456", "+353850123456", "+12125550123")
        new = [callback(place, phone=number) for place, number in enumerate(numbers)]
        await store.add(new)
        for beginnings, expected in (
            ((), [0, 1, 2, 3]),
            (("+44",), [0, 1]),
            (("+447", "+3538"), [1, 2]),
            (("+4",), [0, 1]),
            (("%",), []),
            (("_4",), []),
        ):
            found = await store.upcoming("sales", NOON, 10, beginnings)
            assert [each.id for each in found] == [new[place].id for place in expected], beginnings
        assert [each.id for each in await store.upcoming("sales", NOON, 1, ("+3538", "+1"))] == [new[2].id]


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


class TestExpired:
    async def test_scheduled_ones_whose_promise_is_given_up_the_longest_ago_first(self, store: SqlStore) -> None:
        ends = [NOON, NOON - SECOND, None, NOON + SECOND, NOON, NOON, NOON]
        new = [replace(callback(number), expires_at=end) for number, end in enumerate(ends)]
        await store.add(new)
        await store.claim(claim_of(new[4]))
        await store.cancel(new[5].id, "")
        assert await store.expired(NOON, 10) == [new[1], new[0], new[6]]
        assert await store.expired(NOON, 2) == [new[1], new[0]]
        assert await store.expired(NOON - 2 * SECOND, 10) == []

    async def test_one_that_is_given_up_is_not_found_again(self, store: SqlStore) -> None:
        new = replace(callback(1), expires_at=NOON)
        await store.add([new])
        assert await store.close(new, Status.EXPIRED, "its time ran out")
        assert await store.expired(NOON, 10) == []


class TestRings:
    @pytest.mark.parametrize(
        ("outcome", "rang", "counts"),
        [
            *((each, None, True) for each in Outcome if each.startswith("customer_")),
            (Outcome.CONNECTED, None, True),
            (Outcome.ABANDONED_BY_AGENT, None, True),
            (Outcome.IN_DOUBT, None, True),
            (Outcome.TRUNK_FAILURE, None, True),
            (Outcome.TRUNK_FAILURE, True, True),
            (Outcome.TRUNK_FAILURE, False, False),
            *((each, None, False) for each in Outcome if each.startswith("agent_")),
            *((each, None, False) for each in (Outcome.PBX_FAILURE, Outcome.NOT_PLACED, Outcome.CANCELLED)),
        ],
    )
    async def test_what_rang_a_number_or_may_have(
        self, store: SqlStore, outcome: Outcome, *, rang: bool | None, counts: bool
    ) -> None:
        before, _ = await claimed(store, 1)
        done = ended(attempt_at(before), outcome)
        assert done.verdict is not None
        await store.finish(replace(done, verdict=replace(done.verdict, rang=rang)), COMPLETED)
        assert await store.last_rings(NOON) == ({PHONE: NOON} if counts else {})

    async def test_the_last_end_of_each_number_since_a_moment(self, store: SqlStore) -> None:
        ends = [(PHONE, 2), (PHONE, 3), (PHONE, 1), (OTHER, 0), (OTHER, -1), ("+442079460999", -1)]
        new = [callback(number, phone=phone) for number, (phone, _) in enumerate(ends)]
        await store.add(new)
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        for each, (_, seconds) in zip(new, ends, strict=True):
            await store.finish(ended(attempt_at(each), at=NOON + seconds * SECOND), COMPLETED)
        await claimed(store, 9)  # without an end
        assert await store.last_rings(NOON) == {PHONE: NOON + 3 * SECOND, OTHER: NOON}


class TestUsage:
    async def test_attempts_made_since_a_moment_and_the_time_talked_in_them(self, store: SqlStore) -> None:
        made = [("sales", 0), ("sales", 5), ("sales", -1), ("support", 0), ("other", 0)]
        new = [callback(number, department=department) for number, (department, _) in enumerate(made)]
        await store.add(new)
        for each, (_, seconds) in zip(new, made, strict=True):
            claim = claim_of(each)
            await store.claim(replace(claim, attempt=replace(claim.attempt, created_at=NOON + seconds * SECOND)))
        for each in (new[0], new[2], new[3], new[4]):  # the second one lives on
            await store.finish(ended(attempt_at(each)), COMPLETED)
        talk = timedelta(seconds=61, microseconds=5)
        assert await store.usage(["support"], NOON) == Usage(1, talk)
        assert await store.usage(["sales"], NOON) == Usage(2, 2 * talk), (
            "the third began before, and was talked in since"
        )
        assert await store.usage(["sales", "support"], NOON) == Usage(3, 3 * talk)
        assert await store.usage(["sales"], NOON + SECOND) == Usage(1, timedelta(0))
        assert await store.usage(["nobody's"], NOON) == await store.usage([], NOON) == Usage(0, timedelta(0))


class TestLastBegun:
    async def test_the_last_beginning_by_department_and_trunk_ended_or_not(self, store: SqlStore) -> None:
        made = [("sales", "carrier", 3), ("sales", "carrier", 1), ("sales", "spare", 0), ("other", "carrier", 9)]
        made += [("support", "carrier", -1)]
        new = [callback(number, department=department) for number, (department, *_) in enumerate(made)]
        await store.add(new)
        for each, (_, trunk, seconds) in zip(new, made, strict=True):
            claim = claim_of(each)
            begun_at = NOON + seconds * SECOND
            await store.claim(replace(claim, attempt=replace(claim.attempt, trunk=trunk, created_at=begun_at)))
        await store.finish(ended(attempt_at(new[1])), COMPLETED)
        found = await store.last_begun(["sales", "support"], NOON)
        assert {(each.department, each.pbx, each.trunk, each.at) for each in found} == {
            ("sales", "pbx1", "carrier", NOON + 3 * SECOND),
            ("sales", "pbx1", "spare", NOON),
        }
