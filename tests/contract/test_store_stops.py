"""What is not to be called: stops, and the numbers of those who objected."""

import asyncio
from dataclasses import replace

import pytest

from dialer.domain.callback import OPEN, Status, Wish, WishKind
from dialer.domain.errors import IllegalState
from dialer.domain.stop import EVERYTHING, Scope, Stop
from dialer.store.store import SqlStore
from dialer.store.views import Decision, Objected, Objection, Pause
from tests.contract.life import added, claimed, found, in_doubt
from tests.contract.story import NOON, OTHER, PHONE, callback

SALES, ANNA = Stop(Scope.DEPARTMENT, "sales"), Stop(Scope.AGENT, "anna")


class TestPauses:
    async def test_a_pause_holds_until_it_is_lifted(self, store: SqlStore) -> None:
        assert await store.stops() == frozenset()
        held = Pause(EVERYTHING, "ann", "carrier down", NOON)
        assert await store.pause(EVERYTHING, "ann", "carrier down") == held
        assert await store.pause(EVERYTHING, "bob", "too") == held
        assert await store.pauses() == [held]
        assert await store.stops() == {EVERYTHING}
        assert await store.resume(EVERYTHING, "bob")
        assert await store.stops() == frozenset()
        assert not await store.resume(EVERYTHING, "bob")
        assert (await store.pause(EVERYTHING, "bob", "again")).who == "bob"

    async def test_each_thing_has_a_pause_of_its_own(self, store: SqlStore) -> None:
        namesake = Stop(Scope.TRUNK, "sales")
        stops = (EVERYTHING, SALES, ANNA, namesake)
        made = await asyncio.gather(*(store.pause(stop, f"who {n}", "why") for n, stop in enumerate(stops)))
        assert made == [Pause(stop, f"who {n}", "why", NOON) for n, stop in enumerate(stops)]
        assert await store.pauses() == made
        lifted = await asyncio.gather(*(store.resume(stop, "bob") for stop in (SALES, SALES, EVERYTHING)))
        assert lifted == [True, False, True]
        assert await store.stops() == {ANNA, namesake}

    async def test_other_openers_see_it_at_once(self, store: SqlStore, where: str) -> None:
        async with SqlStore.open(where) as other:
            await other.pause(SALES, "ann", "")
            await other.add([callback(1)])
        assert await store.stops() == {SALES}
        assert await store.get(callback(1).id) == callback(1)


class TestObjections:
    async def test_what_waits_is_rejected_and_what_is_in_progress_is_told(self, store: SqlStore) -> None:
        _, running = await claimed(store, 1)
        _, doubtful = await in_doubt(store, 2)
        waiting = [callback(3), callback(4, department="support")]
        untouched = [
            callback(5, phone=OTHER),
            *(replace(callback(10 + n), status=each) for n, each in enumerate(Status) if each not in OPEN),
        ]
        await store.add([*waiting, *untouched])
        told = await store.object_to(PHONE, "ann", "asked us to stop")
        assert set(told.rejected) == {each.id for each in (doubtful, *waiting)}
        assert told.in_progress == (running.id,)
        for each in (doubtful, *waiting):
            rejected = replace(each, status=Status.REJECTED, reason="objection", version=each.version + 1)
            assert await found(store, each) == rejected
        wished = replace(running, wish=Wish(WishKind.OBJECTION, "objection"), version=running.version + 1)
        assert await found(store, running) == wished
        for each in untouched:
            assert await found(store, each) == each

    async def test_a_number_is_listed_once_by_each_until_it_is_allowed_again(self, store: SqlStore) -> None:
        listed = Objection(PHONE, "ann", "asked us to stop", NOON)
        assert not await store.objected(PHONE)
        await store.object_to(PHONE, "ann", "asked us to stop")
        assert await store.object_to(PHONE, "ann", "again") == Objected((), ())
        assert (await store.objections()).items == (listed,)
        assert await store.object_to(PHONE, "bob", "again") == Objected((), ())
        assert (await store.objections()).items == (listed, Objection(PHONE, "bob", "again", NOON))
        assert await store.objected(PHONE)
        assert not await store.objected(OTHER)
        assert await asyncio.gather(*(store.allow_again(PHONE, "bob") for _ in range(2))) == [True, False]
        assert not await store.objected(PHONE)
        assert (await store.objections()).items == ()
        await store.object_to(PHONE, "bob", "again")
        assert (await store.objections()).items == (Objection(PHONE, "bob", "again", NOON),)

    async def test_a_second_objection_rejects_what_came_in_between(self, store: SqlStore) -> None:
        await store.object_to(PHONE, "ann", "")
        (new,) = await added(store, 1)  # past the door
        assert await store.object_to(PHONE, "ann", "") == Objected((new.id,), ())

    async def test_a_number_that_was_allowed_again_can_be_called(self, store: SqlStore) -> None:
        await store.object_to(PHONE, "ann", "")
        await store.allow_again(PHONE, "ann")
        assert (await claimed(store, 1))[1].status is Status.IN_PROGRESS

    async def test_the_list_comes_in_pages_in_its_order(self, store: SqlStore) -> None:
        numbers = [f"+44207946{n:04}" for n in range(7)]
        for number in numbers:
            await store.object_to(number, "ann", "")
        await store.allow_again(numbers[2], "ann")
        seen: list[str] = []
        cursor = None
        while True:
            page = await store.objections(2, cursor)
            seen += (each.number for each in page.items)
            cursor = page.cursor
            if cursor is None:
                break
            assert not any(number in cursor for number in numbers)
        assert seen == numbers[:2] + numbers[3:]

    @pytest.mark.parametrize("cursor", ["", "1", "1.C", "1." + "9" * 400, f"1.{2**63}"])
    async def test_a_made_up_cursor_is_refused(self, store: SqlStore, cursor: str) -> None:
        with pytest.raises(IllegalState, match="cursor"):
            await store.objections(cursor=cursor)

    async def test_no_retry_of_a_number_that_is_listed(self, store: SqlStore) -> None:
        """Also where its callback came to wait for a person after the objection, and bears no wish."""
        await store.object_to(PHONE, "ann", "")
        waiting = replace(callback(1), status=Status.NEEDS_REVIEW)
        await store.add([waiting])
        with pytest.raises(IllegalState, match="objected"):
            await store.resolve(waiting, Decision.RETRY, "bob", "once more")
        assert await found(store, waiting) == waiting
        assert (await store.resolve(waiting, Decision.FAILED, "bob", "objected")).status is Status.FAILED

    async def test_no_text_of_an_objection_or_a_pause_is_told_by_its_repr(self, store: SqlStore) -> None:
        await store.object_to(PHONE, "ann", "my ex-husband")
        await store.pause(EVERYTHING, "ann", "my ex-husband")
        told = repr(await store.objections()) + repr(await store.pauses())
        assert PHONE not in told
        assert "husband" not in told
