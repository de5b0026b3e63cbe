"""Every change of a callback is in the outbox, once for each who wants it, as it was in its own transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Connection, text

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, StoreError
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.notify.outbox import BY_A_PERSON, Change, DeliveryState, Subscriber
from dialer.store.deliveries import Deliveries
from dialer.store.operations import Alone
from dialer.store.outbox import NO_LONGER_CONFIGURED, SqlOutbox
from dialer.store.store import SqlStore
from dialer.store.views import Decision
from dialer.store.writer import Pace
from tests.contract.life import added, claimed, found, in_doubt
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NOON,
    OTHER,
    PHONE,
    REVIEW,
    SECOND,
    Door,
    amended,
    attempt_at,
    callback,
    claim_of,
    ended,
)

ALL, SHOP = Subscriber("webhook:all"), Subscriber("webhook:shop", site="example")
HOUR = timedelta(hours=1)


@pytest.fixture
async def outbox(store: SqlStore) -> SqlOutbox:
    outbox = SqlOutbox(store)
    await outbox.subscribe([ALL, SHOP])
    return outbox


async def noted(store: SqlStore, of: CallbackId, name: str = ALL.name) -> list[Change]:
    """All that waits for a subscriber of one callback, in the order of its changes."""
    page = await Deliveries(store).page(100_000, None, name)
    changes = [delivery.change for delivery in page.items if delivery.change.callback == of]
    return sorted(changes, key=lambda change: change.version)


async def walked(store: SqlStore, of: CallbackId) -> list[tuple[Status, Status | None, str, Outcome | None]]:
    return [(each.status, each.previous, each.reason, each.outcome) for each in await noted(store, of)]


def told_of(change: Change) -> tuple[object, ...]:
    return (
        *(change.callback, change.version, change.status, change.due_at, change.wanted_at, change.wanted_until),
        *(change.expires_at, change.attempts, change.customer_attempts, change.site, change.department),
        change.requested_at,
    )


def state_of(of: Callback) -> tuple[object, ...]:
    return (
        *(of.id, of.version, of.status, of.due_at, of.wanted_at, of.wanted_until),
        *(of.expires_at, of.attempts, of.customer_attempts, of.site, of.department),
        of.requested_at,
    )


async def close(store: SqlStore, of: Callback) -> None:
    await store.close(of, Status.EXPIRED, "out_of_time")


async def defer(store: SqlStore, of: Callback) -> None:
    await store.defer(of, NOON + HOUR, "closed")


async def claim(store: SqlStore, of: Callback) -> None:
    await store.claim(claim_of(of))


async def claim_twice(store: SqlStore, of: Callback) -> None:
    await asyncio.gather(store.claim(claim_of(of)), store.claim(claim_of(of, twin="B")))


async def latest(store: SqlStore, of: Callback) -> Attempt | None:
    attempts = await store.attempts(of.id)
    return attempts[-1] if attempts else None


def finish(outcome: Outcome, step: object) -> Callable[[SqlStore, Callback], Awaitable[None]]:
    async def finishing(store: SqlStore, of: Callback) -> None:
        attempt = await latest(store, of)
        if attempt:
            await store.finish(ended(attempt, outcome), step)  # type: ignore[arg-type]  # a table's

    return finishing


async def amend(store: SqlStore, of: Callback) -> None:
    attempt = await latest(store, of)
    if attempt:
        await store.amend(amended(attempt), COMPLETED)


async def amend_thrice(store: SqlStore, of: Callback) -> None:
    await asyncio.gather(*(amend(store, of) for _ in range(3)))


def resolve(decision: Decision) -> Callable[[SqlStore, Callback], Awaitable[None]]:
    async def resolving(store: SqlStore, of: Callback) -> None:
        await store.resolve(of, decision, "ann", "Zoë said so")

    return resolving


async def note(store: SqlStore, of: Callback) -> None:
    attempt = await latest(store, of)
    if attempt:
        store.note(attempt)


STEPS: list[Callable[[SqlStore, Callback], Awaitable[object]]] = [
    close,
    defer,
    claim,
    claim,
    claim_twice,
    finish(Outcome.CONNECTED, COMPLETED),
    finish(Outcome.CUSTOMER_BUSY, AGAIN),
    finish(Outcome.CUSTOMER_BUSY, AGAIN),
    finish(Outcome.IN_DOUBT, REVIEW),
    finish(Outcome.IN_DOUBT, REVIEW),
    amend,
    amend_thrice,
    resolve(Decision.RETRY),
    resolve(Decision.FAILED),
    note,
    lambda store, of: store.cancel(of.id, "asked_to"),
    lambda store, of: store.reschedule(of.id, NOON + HOUR, NOON + 2 * HOUR, NOON + HOUR, NOON + 2 * HOUR),
    lambda store, of: store.too_late(of.id),
    lambda store, of: store.customer_called_in(of.visitor.phone, [of.department]),
    lambda store, of: store.object_to(of.visitor.phone, "ann", ""),
    lambda store, of: store.allow_again(of.visitor.phone, "ann"),
]


class TestWhatIsNoted:
    @pytest.mark.parametrize("seed", range(2))
    async def test_every_change_of_every_kind_is_noted_once_for_each_subscriber_as_it_was(
        self, where: str, seed: int
    ) -> None:
        async with SqlStore.open(where, exclusive=True, now=lambda: NOON, pace=Pace(0, 0, 0)) as store:
            await SqlOutbox(store).subscribe([ALL, SHOP])
            used = await self._walk(store, Random(seed))
        assert used >= set(Status) - {Status.FAILED}

    async def _walk(self, store: SqlStore, random: Random) -> set[Status]:
        used: set[Status] = set()
        for number in range(1, 31):
            new = callback(number, phone=f"+4420794604{number:02}", department=f"d{number}")
            await (store.add([new]) if random.random() < 0.5 else store.admit([new], Door()))
            states = [await found(store, new)]
            for step in random.choices(STEPS, k=12):
                try:
                    await step(store, states[-1])
                except IllegalState:
                    assert await found(store, new) == states[-1]
                now = await found(store, new)
                if now.version != states[-1].version:
                    states.append(now)
            for name in (ALL.name, SHOP.name):
                changes = await noted(store, new.id, name)
                assert [told_of(change) for change in changes] == [state_of(state) for state in states]
                assert [change.previous for change in changes] == [None, *(state.status for state in states[:-1])]
            used.update(state.status for state in states)
        return used

    async def test_a_whole_life_is_told_with_the_outcomes_of_its_attempts(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before), Outcome.CUSTOMER_BUSY), AGAIN)
        again = await found(store, before)
        await store.claim(claim_of(again))
        await store.finish(ended(attempt_at(again)), COMPLETED)
        scheduled, in_progress, completed = Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED
        assert await walked(store, before.id) == [
            (scheduled, None, "", None),
            (in_progress, scheduled, "", None),
            (scheduled, in_progress, "busy", Outcome.CUSTOMER_BUSY),
            (in_progress, scheduled, "busy", None),
            (completed, in_progress, "connected", Outcome.CONNECTED),
        ]

    async def test_what_is_found_later_is_told_as_it_was_found(self, store: SqlStore, outbox: SqlOutbox) -> None:
        doubt, waiting = await in_doubt(store, 1)
        await asyncio.gather(*(store.amend(amended(doubt), COMPLETED) for _ in range(3)))
        assert (await walked(store, waiting.id))[2:] == [
            (Status.NEEDS_REVIEW, Status.IN_PROGRESS, "in_doubt", Outcome.IN_DOUBT),
            (Status.COMPLETED, Status.NEEDS_REVIEW, "connected", Outcome.CONNECTED),
        ]

    async def test_what_a_person_wrote_in_words_is_not_passed_on(self, store: SqlStore, outbox: SqlOutbox) -> None:
        _, waiting = await in_doubt(store, 1)
        await store.resolve(waiting, Decision.RETRY, "ann", "Zoë rang and said +44 20 7946 0123")
        await store.cancel(waiting.id, "Zoë again")
        assert [each.reason for each in await noted(store, waiting.id)][3:] == [BY_A_PERSON, BY_A_PERSON]

    async def test_a_transaction_that_fails_leaves_nothing(self, store: SqlStore, outbox: SqlOutbox) -> None:
        (new,) = await added(store, 1)
        with pytest.raises(StoreError):
            await store.write(_CancelAndFail(new.id))
        with pytest.raises(StoreError):
            await store.add([callback(2), callback(2)])
        assert [each.version for each in await noted(store, new.id)] == [1]
        assert await noted(store, callback(2).id) == []

    async def test_each_hears_of_its_own_site_and_source_only(self, store: SqlStore) -> None:
        outbox = SqlOutbox(store)
        wanted = {
            "here": Subscriber("here", site="example", source="feed:mi"),
            "elsewhere": Subscriber("elsewhere", site="another"),
            "by_feed": Subscriber("by_feed", source="feed:mi"),
        }
        await outbox.subscribe(wanted.values())
        await store.add([callback(1)], "feed:mi")
        await store.add([replace(callback(2), site="another")], "feed:mi")
        await store.add([callback(3, phone=OTHER)], "cli")
        heard = {name: [each.callback for each in await outbox.ready(name, NOON, 9)] for name in wanted}
        first, second = callback(1).id, callback(2).id
        assert heard == {"here": [first], "elsewhere": [second], "by_feed": [first, second]}

    async def test_nobody_asked_nothing_noted(self, store: SqlStore) -> None:
        before, _ = await claimed(store, 1)
        await store.finish(ended(attempt_at(before)), COMPLETED)
        outbox = SqlOutbox(store)
        await outbox.subscribe([ALL])
        assert await noted(store, before.id) == []
        await added(store, 2)
        assert len(await noted(store, callback(2).id)) == 1


class _CancelAndFail(Alone[None]):
    def __init__(self, id_: CallbackId) -> None:
        self._id = id_

    def change(self, connection: Connection, now: object) -> None:
        change = "UPDATE callback SET status = 'cancelled', version = version + 1 WHERE id = :id"
        connection.execute(text(change), {"id": self._id})
        connection.execute(text("SELECT count(*) FROM outbox"))
        raise ValueError("power cut")


class TestWhatIsReady:
    async def test_of_each_callback_only_the_oldest_and_the_longest_due_first(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        await claimed(store, 2)
        await claimed(store, 1)
        ready = await outbox.ready(ALL.name, NOON, 9)
        assert [(each.callback, each.version) for each in ready] == [(callback(2).id, 1), (callback(1).id, 1)]
        assert await outbox.ready(ALL.name, NOON, 1) == ready[:1]
        assert await outbox.ready(ALL.name, NOON - SECOND, 9) == []
        await outbox.delivered(ready[:1])
        after = await outbox.ready(ALL.name, NOON, 9)
        assert {(each.callback, each.version) for each in after} == {(callback(2).id, 2), (callback(1).id, 1)}
        assert len(await noted(store, callback(2).id, SHOP.name)) == 2  # each has a line of its own

    async def test_what_is_postponed_keeps_its_callback_back_and_no_other(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        await claimed(store, 1)
        await added(store, 2)
        first, second = await outbox.ready(ALL.name, NOON, 9)
        await outbox.postpone(first, NOON + HOUR, "it answered 503")
        await outbox.delivered([second])
        assert await outbox.ready(ALL.name, NOON + HOUR - SECOND, 9) == []
        assert await outbox.next_at(ALL.name) == NOON + HOUR
        (again,) = await outbox.ready(ALL.name, NOON + HOUR, 9)
        assert again == replace(first, tries=1)
        await outbox.delivered([again])
        (next_one,) = await outbox.ready(ALL.name, NOON + HOUR, 9)
        assert next_one.version == 2
        await outbox.delivered([next_one])
        assert await outbox.next_at(ALL.name) is None

    async def test_what_was_given_up_lets_the_next_go_on(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await claimed(store, 1)
        (first,) = await outbox.ready(ALL.name, NOON, 9)
        await outbox.give_up(first, "it answered 410")
        await outbox.delivered([first])  # too late
        await outbox.postpone(first, NOON, "as well")
        (second,) = await outbox.ready(ALL.name, NOON, 9)
        assert second.version == 2
        dead = await Deliveries(store).get(first.id)
        assert (dead.state, dead.why, dead.change.tries) == (DeliveryState.DEAD, "it answered 410", 1)
        assert dead.settled_at == NOON

    async def test_all_that_is_old_is_given_up_at_once(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await added(store, *range(1, 1200))
        assert await outbox.give_up_before(ALL.name, NOON, "it is down") == 0
        assert await outbox.give_up_before(ALL.name, NOON + SECOND, "it is down") == 1199
        assert await outbox.ready(ALL.name, NOON, 9) == []
        assert len(await outbox.ready(SHOP.name, NOON, 9)) == 9


class TestWhoSubscribes:
    async def test_who_is_gone_is_told_no_more_and_what_waited_is_given_up(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        (new,) = await added(store, 1)
        await outbox.subscribe([SHOP])
        await store.cancel(new.id, "")
        assert [each.version for each in await noted(store, new.id)] == [1]
        dead = await Deliveries(store).page(9, None, ALL.name, DeliveryState.DEAD)
        assert [each.why for each in dead.items] == [NO_LONGER_CONFIGURED]
        assert len(await noted(store, new.id, SHOP.name)) == 2
        with pytest.raises(IllegalState, match="webhook:all is not told of anything any more"):
            await Deliveries(store).retry(dead.items[0].change.id)
        with pytest.raises(IllegalState, match="not told"):
            await Deliveries(store).retry_all(ALL.name)

    async def test_to_subscribe_again_changes_nothing_but_what_is_wanted(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        (new,) = await added(store, 1)
        await outbox.subscribe([replace(ALL, site="another"), SHOP])
        await store.cancel(new.id, "")
        assert [each.version for each in await outbox.ready(ALL.name, NOON, 9)] == [1]
        assert len(await noted(store, new.id)) == 1
        await outbox.subscribe([])
        assert await outbox.next_at(ALL.name) is None


class TestPeople:
    async def test_what_was_given_up_can_be_told_again(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await added(store, *range(1, 1100))
        deliveries = Deliveries(store)
        await outbox.give_up_before(ALL.name, NOON + SECOND, "it is down")
        (first, *_) = (await deliveries.page(1, None, ALL.name)).items
        again = await deliveries.retry(first.change.id)
        assert (again.state, again.change.since, again.change.tries) == (DeliveryState.WAITING, NOON, 0)
        assert await outbox.ready(ALL.name, NOON, 9) == [again.change]
        assert await deliveries.retry_all(ALL.name) == 1098
        assert await deliveries.retry_all(ALL.name) == 0
        assert len(await outbox.ready(ALL.name, NOON, 5000)) == 1099

    async def test_each_is_told_again_once_though_it_is_given_up_at_once(
        self, store: SqlStore, outbox: SqlOutbox
    ) -> None:
        """A receiver that answers 410 to everything."""
        await added(store, *range(1, 600))
        await outbox.give_up_before(ALL.name, NOON + SECOND, "it answered 410")

        async def gives_up() -> None:
            while True:
                for change in await outbox.ready(ALL.name, NOON, 5000):
                    await outbox.give_up(change, "it answered 410")
                await asyncio.sleep(0)

        giving_up = asyncio.create_task(gives_up())
        try:
            async with asyncio.timeout(60):
                assert await Deliveries(store).retry_all(ALL.name) == 599
        finally:
            giving_up.cancel()
            await asyncio.wait([giving_up])

    async def test_what_waits_can_be_told_now(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await added(store, 1)
        (change,) = await outbox.ready(ALL.name, NOON, 9)
        await outbox.postpone(change, NOON + HOUR, "it answered 500")
        await Deliveries(store).retry(change.id)
        assert [each.tries for each in await outbox.ready(ALL.name, NOON, 9)] == [1]

    async def test_what_was_delivered_or_never_was_cannot(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await added(store, 1)
        (change,) = await outbox.ready(ALL.name, NOON, 9)
        await outbox.delivered([change])
        deliveries = Deliveries(store)
        with pytest.raises(IllegalState, match="it was delivered"):
            await deliveries.retry(change.id)
        for ask in (deliveries.retry, deliveries.get):
            with pytest.raises(IllegalState, match="there is no such delivery"):
                await ask(4711)
        assert (await deliveries.get(change.id)).state is DeliveryState.DELIVERED

    async def test_pages_follow_each_other(self, store: SqlStore, outbox: SqlOutbox) -> None:
        await added(store, *range(1, 6))
        deliveries = Deliveries(store)
        seen, cursor = [], None
        while True:
            page = await deliveries.page(2, cursor, SHOP.name, DeliveryState.WAITING)
            seen += [each.change.callback for each in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == [callback(number).id for number in range(1, 6)]
        assert (await deliveries.page(9, None, state=DeliveryState.DEAD)).items == ()


async def test_what_was_settled_long_ago_is_deleted_in_slices_and_what_waits_stays(
    store: SqlStore, outbox: SqlOutbox
) -> None:
    await added(store, *range(1, 8))
    ready = await outbox.ready(ALL.name, NOON, 9)
    await outbox.delivered(ready[:4])
    await outbox.give_up(ready[4], "")
    assert await outbox.prune(NOON, 9) == 0
    assert [await outbox.prune(NOON + SECOND, 3) for _ in range(3)] == [3, 2, 0]
    assert len(await outbox.ready(ALL.name, NOON, 9)) == 2
    assert len(await outbox.ready(SHOP.name, NOON, 9)) == 7


async def test_whoever_listens_hears_of_each_commit_that_may_concern_a_callback(
    store: SqlStore, outbox: SqlOutbox
) -> None:
    heard: list[int] = []
    with store.heard_by(lambda: heard.append(1)):
        (new,) = await added(store, 1)
        assert len(heard) == 1
        await store.cancel(new.id, "")
        assert len(heard) == 2
        await outbox.delivered(await outbox.ready(ALL.name, NOON, 9))
        with pytest.raises(StoreError):
            await store.add([new])
        assert len(heard) == 2
    await added(store, 2)
    assert len(heard) == 2
    assert PHONE not in repr(await outbox.ready(ALL.name, NOON, 9))
