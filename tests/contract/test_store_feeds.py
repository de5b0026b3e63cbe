"""Feeds in the store: a page and its cursor are one, each item counts once, and who won is said."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, RequestRefused, StoreError
from dialer.domain.ids import CallbackId
from dialer.intake.feed import Cancel, Item, ItemAnswer, Request
from dialer.intake.taking import Entry, Move
from dialer.store import tables
from dialer.store.feed_store import FeedStore
from dialer.store.feeds import Taken
from dialer.store.store import SqlStore
from tests.contract.life import found
from tests.contract.story import NOON, OTHER, SECOND, callback, claim_of
from tests.contract.test_store_admission import Rule

HOUR = timedelta(hours=1)
RULE = Rule()
A = ItemAnswer


def item(id_: str, digest: str = "d") -> Item:
    return Item(id_, Request({}, None), f'{{"id":"{id_}"}}', digest)


def request(id_: str, number: int, *, digest: str = "d", **more: Any) -> Entry:
    """An item that asks for the callback of this number; each is of a department of its own."""
    return Entry(item(id_, digest), callback(number, **{"department": f"d{number}", **more}))


def cancel(id_: str, of: str) -> Entry:
    return Entry(item(id_), Cancel(of, "feed"))


def move(id_: str, of: str) -> Entry:
    return Entry(item(id_), Move(of, NOON + HOUR, NOON + 2 * HOUR, NOON + HOUR, None))


def refused(id_: str, code: str = "number_invalid") -> Entry:
    return Entry(item(id_), RequestRefused(code, "phone", "no good", retry_at=NOON + HOUR))


@pytest.fixture
def feeds(store: SqlStore) -> FeedStore:
    return FeedStore(store)


async def take(feeds: FeedStore, *entries: Entry, cursor: str | None = "c", tell: bool = True) -> Taken:
    return await feeds.take("mi", entries, cursor, RULE, tell=tell)


async def answer(feeds: FeedStore, id_: str) -> ItemAnswer:
    kept = await feeds.item("mi", id_)
    assert kept is not None
    return kept.answer


async def external(store: SqlStore) -> dict[str, tuple[str, str]]:
    """Of every callback that a feed brought: its id and source, by its item."""
    c = tables.callback.c
    rows = await store.read(select(c.external_id, c.id, c.source).where(c.external_id.is_not(None)))
    return {row[0]: (row[1], row[2]) for row in rows}


class TestPages:
    async def test_the_cursor_moves_with_what_it_brought(self, store: SqlStore, feeds: FeedStore) -> None:
        assert await feeds.cursor("mi") is None
        got = await take(feeds, request("r-1", 1), request("r-2", 2), cursor="c1")
        assert (got.answers, got.differing, got.new) == ({A.ACCEPTED: 2}, 0, 2)
        assert await feeds.cursor("mi") == "c1"
        assert await external(store) == {"r-1": (callback(1).id, "feed:mi"), "r-2": (callback(2).id, "feed:mi")}
        await take(feeds, cursor=None)
        assert await feeds.cursor("mi") == "c1"
        assert await feeds.cursor("other") is None

    async def test_neither_moves_when_one_cannot(self, store: SqlStore, feeds: FeedStore) -> None:
        await take(feeds, request("r-1", 1), cursor="c1")
        with pytest.raises(StoreError):
            # A callback's id that is there already breaks the transaction.
            await take(feeds, request("r-2", 2), request("r-3", 1, department="other"), cursor="c2")
        assert await feeds.cursor("mi") == "c1"
        assert set(await external(store)) == {"r-1"}
        assert await feeds.item("mi", "r-2") is None

    async def test_what_comes_again_is_known_again(self, store: SqlStore, feeds: FeedStore) -> None:
        page = [request("r-1", 1), refused("r-2"), cancel("c-1", "r-1")]
        assert (await take(feeds, *page)).new == 3
        again = [request("r-1", 4), refused("r-2"), cancel("c-1", "r-1")]
        for _ in range(2):
            assert await take(feeds, *again, cursor="back") == Taken({}, (), 0)
        assert set(await external(store)) == {"r-1"}
        assert await store.get(callback(4).id) is None
        (state,) = await feeds.states()
        assert (state.taken, state.quarantined, state.cursor, state.untold) == (3, 1, "back", 2)

    async def test_twice_in_a_page_counts_once_and_other_content_is_told(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        twice = [request("r-1", 1), request("r-1", 2), request("r-1", 3, digest="other"), refused("r-1")]
        taken = await take(feeds, *twice)
        assert (taken.answers, taken.differing) == ({A.ACCEPTED: 1}, 1)
        assert [made.id for made in taken.made] == [callback(1).id]
        assert await external(store) == {"r-1": (callback(1).id, "feed:mi")}
        kept = await feeds.item("mi", "r-1")
        assert kept is not None
        assert (kept.differs, kept.untold) == (1, True)
        (report,) = await feeds.untold("mi", 10)
        await feeds.told(report)
        # A feed that repeats itself for ever is answered once.
        assert (await take(feeds, request("r-1", 4, digest="third"))).differing == 1
        assert await feeds.untold("mi", 10) == []

    async def test_a_callback_whose_item_is_forgotten_is_known_by_its_source(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        await take(feeds, request("r-1", 1))
        engine = store._database.writer()
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM feed_item"))
        await engine.dispose()
        assert (await take(feeds, request("r-1", 2))).answers == {A.ACCEPTED: 1}
        assert await external(store) == {"r-1": (callback(1).id, "feed:mi")}

    async def test_feeds_do_not_know_each_other_s_items(self, store: SqlStore, feeds: FeedStore) -> None:
        await take(feeds, request("r-1", 1))
        await feeds.take("other", [request("r-1", 2), cancel("c-1", "r-2")], "x", RULE, tell=False)
        assert (await feeds.states())[1].quarantined == 1
        assert await store.read(select(tables.callback.c.source).order_by("source")) == [("feed:mi",), ("feed:other",)]


class TestTheDoor:
    async def test_what_is_promised_already_is_answered_with_the_promise(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        first = callback(1)
        await store.add([first])
        assert (await take(feeds, Entry(item("r-1"), callback(2)))).answers == {A.DOUBLE: 1}
        kept = await feeds.item("mi", "r-1")
        assert kept is not None
        assert kept.callback_id == first.id
        assert await feeds.targets("mi", ["r-1", "r-2"]) == {"r-1": first}

    async def test_what_the_rule_refuses_is_in_quarantine_with_its_reason(self, feeds: FeedStore) -> None:
        await feeds.take("mi", [request("r-1", 1)], "c", Rule(lets_in=lambda new, seen: False), tell=True)
        kept = await feeds.item("mi", "r-1")
        assert kept is not None
        assert (kept.answer, kept.code, kept.field, kept.what) == (A.QUARANTINED, "limit", "phone", "too often")
        assert kept.raw == item("r-1").raw

    async def test_of_a_page_each_knows_those_before_it(self, feeds: FeedStore) -> None:
        rule = Rule(lets_in=lambda new, seen: len(seen.number_times) < 2)
        page = [request(f"r-{number}", number) for number in range(4)]
        got = await feeds.take("mi", page, "c", rule, tell=True)
        assert got.answers == {A.ACCEPTED: 2, A.QUARANTINED: 2}


class TestChanges:
    async def test_of_what_waits_they_hold(self, store: SqlStore, feeds: FeedStore) -> None:
        await take(feeds, request("r-1", 1), request("r-2", 2))
        got = await take(feeds, move("m-1", "r-1"), cancel("c-2", "r-2"))
        assert got.answers == {A.DONE: 2}
        moved, ended = await found(store, callback(1)), await found(store, callback(2))
        assert (moved.due_at, moved.expires_at, moved.wanted_at) == (NOON + HOUR, NOON + 2 * HOUR, NOON + HOUR)
        assert (ended.status, ended.reason) == (Status.CANCELLED, "feed")

    async def test_in_one_page_with_their_request(self, store: SqlStore, feeds: FeedStore) -> None:
        got = await take(feeds, request("r-1", 1), move("m-1", "r-1"), cancel("c-1", "r-1"), cancel("c-2", "r-1"))
        assert got.answers == {A.ACCEPTED: 1, A.DONE: 2, A.TOO_LATE: 1}
        assert (await found(store, callback(1))).status is Status.CANCELLED

    async def test_of_an_attempt_under_way_they_are_noted_and_not_waited_for(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        await take(feeds, request("r-1", 1))
        assert await store.claim(claim_of(await found(store, callback(1))))
        assert (await take(feeds, move("m-1", "r-1"), cancel("c-1", "r-1"))).answers == {A.NOTED: 2}
        assert (await found(store, callback(1))).wish is not None

    async def test_who_cancels_and_asks_anew_is_called_as_asked_anew(self, store: SqlStore, feeds: FeedStore) -> None:
        """All in one page; then the two that matter; and while the first one is being dialled."""
        first, second, third = (Entry(item(f"r-{number}"), callback(number)) for number in (1, 2, 3))
        got = await take(feeds, first, cancel("c-1", "r-1"), second)
        assert got.answers == {A.ACCEPTED: 2, A.DONE: 1}
        assert (await take(feeds, cancel("c-2", "r-2"), third)).answers == {A.DONE: 1, A.ACCEPTED: 1}
        assert (await found(store, callback(3))).status is Status.SCHEDULED
        assert await store.claim(claim_of(await found(store, callback(3))))
        got = await take(feeds, cancel("c-3", "r-3"), Entry(item("r-4"), callback(4)))
        assert got.answers == {A.NOTED: 1, A.ACCEPTED: 1}
        assert (await found(store, callback(4))).status is Status.SCHEDULED
        # A double of what stays is still one.
        assert (await take(feeds, Entry(item("r-5"), callback(5)))).answers == {A.DOUBLE: 1}
        assert (await feeds.targets("mi", ["r-5"]))["r-5"].id == callback(4).id

    async def test_of_what_is_over_they_are_too_late(self, store: SqlStore, feeds: FeedStore) -> None:
        await take(feeds, Entry(item("r-1"), replace(callback(1), status=Status.COMPLETED)))
        assert (await take(feeds, cancel("c-1", "r-1"), move("m-1", "r-1"))).answers == {A.TOO_LATE: 2}
        kept = await feeds.item("mi", "c-1")
        assert kept is not None
        assert (kept.callback_id, kept.raw) == (callback(1).id, None)
        assert "completed" in kept.what
        assert (await found(store, callback(1))).status is Status.COMPLETED

    async def test_before_their_request_they_wait_in_quarantine(self, store: SqlStore, feeds: FeedStore) -> None:
        assert (await take(feeds, cancel("c-1", "r-1"), request("r-1", 1))).answers == {A.QUARANTINED: 1, A.ACCEPTED: 1}
        (waiting,) = (await feeds.quarantined("mi")).items
        assert (waiting.item, waiting.code, waiting.field) == ("c-1", "item_unknown", "of")
        assert await feeds.retry("mi", cancel("c-1", "r-1"), RULE, tell=True) is A.DONE
        assert (await found(store, callback(1))).status is Status.CANCELLED

    async def test_of_what_was_not_taken_nothing_can_be_changed(self, feeds: FeedStore) -> None:
        got = await take(feeds, refused("r-1"), cancel("c-1", "r-1"), cancel("c-2", "c-1"), move("m-1", "never"))
        assert got.answers == {A.QUARANTINED: 4}

    async def test_of_a_double_they_reach_the_callback_that_it_was_answered_with(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        await store.add([callback(1)])
        got = await take(feeds, Entry(item("r-1"), callback(2)), cancel("c-1", "r-1"))
        assert got.answers == {A.DOUBLE: 1, A.DONE: 1}
        assert (await found(store, callback(1))).status is Status.CANCELLED


class TestQuarantine:
    async def test_what_is_retried_and_taken_is_there_no_more_and_nothing_of_it_is_kept(
        self, store: SqlStore, feeds: FeedStore
    ) -> None:
        await take(feeds, refused("r-1"))
        assert await feeds.retry("mi", request("r-1", 1), RULE, tell=True) is A.ACCEPTED
        kept = await feeds.item("mi", "r-1")
        assert kept is not None
        assert (kept.answer, kept.raw, kept.code, kept.retry_at) == (A.ACCEPTED, None, "", None)
        assert kept.callback_id == callback(1).id
        with pytest.raises(IllegalState, match="not in quarantine"):
            await feeds.retry("mi", request("r-1", 2), RULE, tell=True)
        assert set(await external(store)) == {"r-1"}

    async def test_what_still_cannot_be_taken_stays_with_its_new_reason(self, feeds: FeedStore) -> None:
        await take(feeds, refused("r-1"))
        assert await feeds.retry("mi", refused("r-1", "number_objected"), RULE, tell=True) is A.QUARANTINED
        kept = await feeds.item("mi", "r-1")
        assert kept is not None
        assert (kept.code, kept.raw) == ("number_objected", item("r-1").raw)

    async def test_pages_of_it(self, feeds: FeedStore) -> None:
        await take(feeds, *(refused(f"r-{number}") for number in range(5)), request("r-9", 9))
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await feeds.quarantined("mi", 2, cursor)
            seen += [each.item for each in page.items]
            if (cursor := page.cursor) is None:
                break
        assert seen == [f"r-{number}" for number in range(5)]
        assert (await feeds.quarantined("other")).items == ()
        with pytest.raises(IllegalState):
            await feeds.quarantined("mi", 2, "x")


class TestTelling:
    async def test_all_but_its_own_callbacks_is_told_in_order_and_once(self, store: SqlStore, feeds: FeedStore) -> None:
        await store.add([callback(1)])
        double = Entry(item("r-1"), callback(2))
        await take(feeds, double, request("r-2", 3), cancel("c-1", "r-2"), refused("r-3"), cancel("c-2", "r-2"))
        reports = await feeds.untold("mi", 3)
        assert [(report.item, report.answer) for report in reports] == [
            ("r-1", "double"),
            ("c-1", "done"),
            ("r-3", "quarantined"),
        ]
        assert reports[2].event_id == "item-r-3-1"
        assert (reports[2].code, reports[2].field, reports[2].retry_at) == ("number_invalid", "phone", NOON + HOUR)
        for report in reports:
            await feeds.told(report)
        assert [report.item for report in await feeds.untold("mi", 3)] == ["c-2"]

    async def test_who_does_not_listen_is_told_nothing(self, feeds: FeedStore) -> None:
        await take(feeds, refused("r-1"), refused("r-1"), Entry(item("r-1", "other"), callback(1)), tell=False)
        assert await feeds.untold("mi", 10) == []

    async def test_what_became_of_it_since_is_still_to_be_told(self, where: str) -> None:
        now = [NOON]
        async with SqlStore.open(where, exclusive=True, now=lambda: now[0]) as store:
            feeds = FeedStore(store)
            await take(feeds, refused("r-1"))
            (report,) = await feeds.untold("mi", 10)
            now[0] += SECOND
            await feeds.retry("mi", request("r-1", 1, phone=OTHER), RULE, tell=True)
            await feeds.told(report)
            (later,) = await feeds.untold("mi", 10)
            assert (later.answer, later.callback) == ("accepted", CallbackId(callback(1).id))
            await take(feeds, Entry(item("r-1", "other"), callback(2)))
            await feeds.told(later)
            (last,) = await feeds.untold("mi", 10)
            assert (last.answer, last.differs) == ("accepted", 1)
            # Whoever keeps the ids that they have seen hears each of them.
            assert [each.event_id for each in (report, later, last)] == ["item-r-1-1", "item-r-1-2", "item-r-1-3"]
            await feeds.told(last)
            assert await feeds.untold("mi", 10) == []


def test_nothing_personal_shows_in_what_is_printed() -> None:
    entry = request("r-1", 1)
    assert callback(1).visitor.phone not in repr(entry)
    assert isinstance(entry.work, Callback)
