"""The door: no double promise, the rule's word, and of two requests at one moment the second knows the first."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from dialer.domain.callback import OPEN, Callback, Status
from dialer.domain.errors import RequestRefused, StoreError
from dialer.intake.admission import Double, Seen
from dialer.store.store import SqlStore
from tests.contract.life import added, claimed, found
from tests.contract.story import NOON, OTHER, PHONE, SECOND, callback

HOUR = timedelta(hours=1)
ASKED = NOON - SECOND


@dataclass
class Rule:
    """Lets in what `lets_in` says, and remembers what it was told."""

    horizon: timedelta = HOUR
    lets_in: Callable[[Callback, Seen], bool] = lambda new, seen: True
    told: list[Seen] = field(default_factory=list)

    def __call__(self, new: Callback, seen: Seen) -> RequestRefused | None:
        self.told.append(seen)
        return None if self.lets_in(new, seen) else RequestRefused("limit", "phone", "too often")


def request(
    number: int, phone: str = PHONE, *, session: str = "", origin: str = "", at: datetime = ASKED, department: str = ""
) -> Callback:
    """A new callback; each is of a department of its own unless told otherwise, so that none is a double."""
    new = callback(number, department=department or f"d{number}", phone=phone, session=session)
    return replace(new, requested_at=at, origin=origin)


class TestDoubles:
    async def test_what_is_promised_already_is_answered_with_the_promise(self, store: SqlStore) -> None:
        (first,) = await added(store, 1)
        rule = Rule()
        assert await store.admit([callback(2)], rule) == [Double(first)]
        assert await store.get(callback(2).id) is None
        assert rule.told == []

    @pytest.mark.parametrize("status", Status)
    async def test_only_while_it_is_open(self, store: SqlStore, status: Status) -> None:
        first = replace(callback(1), status=status)
        await store.add([first])
        (answer,) = await store.admit([callback(2)], Rule())
        assert answer == (Double(first) if status in OPEN else callback(2))

    async def test_what_is_to_end_after_its_attempt_promises_nothing(self, store: SqlStore) -> None:
        (_, cancelled), (_, moved) = await claimed(store, 1), await claimed(store, 2)
        again = replace(callback(3), department="support")
        await store.cancel(cancelled.id, "no time")
        await store.reschedule(moved.id, NOON + HOUR, None, None)
        assert await store.admit([callback(4)], Rule()) == [Double(await found(store, moved))]
        await store.customer_called_in(PHONE, ["sales"])
        assert await store.admit([callback(5), again], Rule()) == [callback(5), again]
        assert await found(store, callback(5)) == callback(5)

    @pytest.mark.parametrize(
        "other",
        [
            callback(2, phone=OTHER),
            callback(2, department="support"),
            replace(callback(2), site="another"),
        ],
    )
    async def test_another_number_department_or_site_is_another_promise(self, store: SqlStore, other: Callback) -> None:
        await added(store, 1)
        assert await store.admit([other], Rule()) == [other]
        assert await found(store, other) == other

    async def test_within_one_request_and_among_those_that_are_stored_together(self, store: SqlStore) -> None:
        one, other = await asyncio.gather(
            store.admit([callback(1), callback(2)], Rule()), store.admit([callback(3)], Rule())
        )
        assert one == [callback(1), Double(callback(1))]
        assert other == [Double(callback(1))]
        assert (await store.callbacks()).items == (callback(1),)


class TestTheRule:
    async def test_what_it_refuses_is_not_stored_and_each_answer_has_its_place(self, store: SqlStore) -> None:
        rule = Rule(lets_in=lambda new, seen: new.visitor.phone == PHONE)
        news = [request(1), request(2, OTHER), request(3), replace(request(1), id=request(4).id)]
        first, second, third, fourth = await store.admit(news, rule, "a feed")
        assert (first, third, fourth) == (news[0], news[2], Double(news[0]))
        assert isinstance(second, RequestRefused)
        assert second.code == "limit"
        assert (await store.callbacks()).items == (news[0], news[2])

    async def test_it_sees_the_number_s_requests_as_far_back_as_it_looks(self, store: SqlStore) -> None:
        times = [ASKED - HOUR - timedelta(microseconds=1), ASKED - HOUR, ASKED, ASKED - SECOND]
        old = [request(n, at=at) for n, at in enumerate(times)]
        await store.add([*old, request(5, OTHER, at=ASKED)])
        await store.cancel(old[1].id, "over, but it was asked for")
        rule = Rule()
        await store.admit([request(9)], rule)
        assert rule.told == [Seen(number_times=(ASKED - HOUR, ASKED - SECOND, ASKED))]

    async def test_it_sees_the_requests_of_the_session_and_of_the_address_each_once(self, store: SqlStore) -> None:
        asked = [
            request(1, OTHER, session="s", origin="o", at=ASKED - 3 * SECOND),
            request(2, OTHER, session="s", origin="p", at=ASKED - 5 * SECOND),
            request(3, PHONE, session="t", origin="o", at=ASKED - 4 * SECOND),
            request(4, OTHER, session="t", origin="p", at=ASKED),
            request(5, OTHER, session="s", origin="o", at=ASKED - HOUR - SECOND),
        ]
        await store.add(asked)
        rule = Rule()
        await store.admit([request(9, "+442079460999", session="s", origin="o")], rule)
        (seen,) = rule.told
        assert seen.visitor_numbers == tuple(
            (ASKED - back * SECOND, phone) for back, phone in ((5, OTHER), (4, PHONE), (3, OTHER))
        )

    async def test_who_gives_neither_is_not_taken_for_all_others_who_do_not(self, store: SqlStore) -> None:
        await store.add([request(1, OTHER)])
        rule = Rule()
        await store.admit([request(2)], rule)
        assert rule.told == [Seen()]

    async def test_a_session_is_not_an_address(self, store: SqlStore) -> None:
        await store.add([request(1, OTHER, session="x")])
        rule = Rule()
        await store.admit([request(2, origin="x")], rule)
        assert rule.told == [Seen()]

    async def test_it_sees_what_was_let_in_just_before_and_not_what_was_refused(self, store: SqlStore) -> None:
        rule = Rule(lets_in=lambda new, seen: len(seen.number_times) < 2)
        news = [request(n, session="s", origin="o") for n in range(4)]
        answers = await store.admit(news, rule)
        assert [isinstance(answer, Callback) for answer in answers] == [True, True, False, False]
        assert [len(seen.number_times) for seen in rule.told] == [0, 1, 2, 2]
        assert [len(seen.visitor_numbers) for seen in rule.told] == [0, 1, 2, 2]

    async def test_each_request_is_judged_by_its_own_rule_and_moment(self, store: SqlStore) -> None:
        await store.add([request(1, at=ASKED - 2 * HOUR)])
        near, far, early = Rule(HOUR), Rule(3 * HOUR), Rule(HOUR)
        await asyncio.gather(
            store.admit([request(2)], near),
            store.admit([request(3)], far),
            store.admit([request(4, at=ASKED - HOUR)], early),
        )
        times = [seen.number_times for rule in (near, far, early) for seen in rule.told]
        assert times == [(), (ASKED - 2 * HOUR, ASKED), (ASKED - 2 * HOUR, ASKED, ASKED)]

    async def test_it_is_told_of_objections(self, store: SqlStore) -> None:
        await store.object_to(PHONE, "ann", "")
        await store.object_to(OTHER, "ann", "")
        await store.allow_again(OTHER, "ann")
        rule = Rule()
        await store.admit([request(1), request(2, OTHER)], rule)
        assert [seen.objected for seen in rule.told] == [True, False]

    async def test_one_that_breaks_breaks_alone(self, store: SqlStore) -> None:
        def broken(_new: Callback, _seen: Seen) -> bool:
            raise ZeroDivisionError

        answers = await asyncio.gather(
            store.admit([request(1)], Rule(lets_in=broken)), store.admit([request(2)], Rule()), return_exceptions=True
        )
        assert isinstance(answers[0], StoreError)
        assert answers[1] == [request(2)]

    async def test_nothing_to_admit_is_fine(self, store: SqlStore) -> None:
        assert await store.admit([], Rule()) == []

    async def test_more_than_a_slice_s_worth_is_admitted_in_order(self, store: SqlStore) -> None:
        news = [callback(n, phone=f"+44207946{n % 1500:04}") for n in range(2500)]
        answers = await store.admit(news, Rule())
        assert answers == [*news[:1500], *(Double(first) for first in news[:1000])]
