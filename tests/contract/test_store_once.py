"""Requests of programs in the store: the callback and its answer together, each of a group knowing those before it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import RequestRefused, StoreError
from dialer.intake.keys import Scope
from dialer.intake.listing import Wanted
from dialer.intake.once import Asked, Given, Once
from dialer.store import submissions as module
from dialer.store.keys import Keys, NewKey
from dialer.store.site import SiteViews
from dialer.store.store import SqlStore
from dialer.store.submissions import Submissions
from tests.contract import story
from tests.contract.story import NOON, Door

SECOND = timedelta(seconds=1)


def worded(callback: Callback, external_id: str | None, *, double: bool) -> tuple[int, str]:
    return (200 if double else 201), f"{callback.id} {external_id}"


def asked(
    number: int, *, key: str = "", fingerprint: str = "f", external_id: str | None = None, phone: str = ""
) -> Asked:
    """A request for a callback to a number of its own."""
    new = story.callback(number, phone=phone or f"+4420794{number:05}", session="")
    once = Once(1, key, fingerprint) if key else None
    return Asked(new, "api:example", external_id, once, Door(), worded)


@pytest.fixture
async def door(store: SqlStore) -> Submissions:
    key = NewKey("a hash", "mi_12345678", "example", frozenset({Scope.SUBMIT}), "", "ann")
    assert await Keys(store).make(key) == 1
    return Submissions(store)


async def together(door: Submissions, *requests: Asked) -> Sequence[Given | RequestRefused]:
    """In one group of the writer's."""
    return await asyncio.gather(*(door.take_in(request) for request in requests))


async def test_a_group_knows_those_before_it(store: SqlStore, door: Submissions) -> None:
    first, twin, other = asked(1, key="k"), asked(2, key="k"), asked(3, key="k", fingerprint="g")
    one, two, three = await together(door, first, twin, other)
    assert one == Given(201, f"{first.callback.id} None", first.callback)
    assert two == Given(201, f"{first.callback.id} None")
    assert isinstance(three, RequestRefused)
    assert [await store.get(each.callback.id) for each in (first, twin, other)] == [first.callback, None, None]
    assert await door.given(Once(1, "k", "f")) == two
    assert isinstance(await door.given(Once(1, "k", "g")), RequestRefused)
    assert await door.given(Once(2, "k", "f")) is None


async def test_of_one_external_id_there_is_one(store: SqlStore, door: Submissions) -> None:
    requests = [asked(number, external_id="order") for number in range(4)]
    answers = await together(door, *requests)
    assert [answer.new for answer in answers if isinstance(answer, Given)] == [requests[0].callback, None, None, None]
    assert await door.known("api:example", "order") == requests[0].callback
    assert await door.known("api:other", "order") is None
    (known,) = (await SiteViews(store).callbacks("example", Wanted(), 10, None)).items
    assert (known.callback, known.external_id) == (requests[0].callback, "order")


async def test_what_is_refused_leaves_nothing(store: SqlStore, door: Submissions) -> None:
    request = asked(1, key="k", external_id="order")
    await store.object_to(request.callback.visitor.phone, "ann", "")
    assert isinstance(await door.take_in(request), RequestRefused)
    assert await door.given(Once(1, "k", "f")) is None
    assert await store.get(request.callback.id) is None


async def test_beside_other_ways_in_no_promise_is_made_twice(store: SqlStore, door: Submissions) -> None:
    """What a feed or a command admits in the same transaction is seen, whichever comes first."""
    by_api, by_command = asked(1, phone="+442079460777"), story.callback(2, phone="+442079460777")
    given, admitted = await asyncio.gather(door.take_in(by_api), store.admit([by_command], Door()))
    stored = [await store.get(each.id) for each in (by_api.callback, by_command)]
    assert sum(each is not None for each in stored) == 1
    assert isinstance(given, Given)
    assert (given.new is None) != (admitted != [by_command])
    assert given.body.startswith(next(each.id for each in stored if each))


async def test_a_failed_write_is_no_answer(store: SqlStore, door: Submissions) -> None:
    """Neither the callback without its answer, nor the answer without its callback."""
    fine, nobody_s = asked(1, key="k"), replace(asked(2), once=Once(999, "k", "f"))
    results = await asyncio.gather(door.take_in(fine), door.take_in(nobody_s), return_exceptions=True)
    assert isinstance(results[0], Given)
    assert isinstance(results[1], StoreError)
    assert await store.get(nobody_s.callback.id) is None
    assert (await door.take_in(fine)) == Given(201, f"{fine.callback.id} None")


async def test_it_is_there_when_the_store_is_opened_again(where: str) -> None:
    request = asked(1, key="k", external_id="order")
    async with SqlStore.open(where, exclusive=True, now=lambda: NOON) as store:
        await Keys(store).make(NewKey("h", "mi_", "example", frozenset(), "", ""))
        given = await Submissions(store).take_in(request)
    assert isinstance(given, Given)
    async with SqlStore.open(where, exclusive=True, now=lambda: NOON) as store:
        assert await Submissions(store).given(Once(1, "k", "f")) == replace(given, new=None)
        assert await Submissions(store).known("api:example", "order") == request.callback


async def test_old_answers_go_in_slices(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    now = [NOON]
    async with SqlStore.open(where, exclusive=True, now=lambda: now[0]) as store:
        await Keys(store).make(NewKey("h", "mi_", "example", frozenset(), "", ""))
        door = Submissions(store)
        for number in range(5):
            now[0] = NOON + number * SECOND
            await door.take_in(asked(number, key=f"k{number}"))
        assert await door.forget(NOON + 3 * SECOND) == 3
        kept = [await door.given(Once(1, f"k{number}", "f")) is not None for number in range(5)]
    assert kept == [False, False, False, True, True]


async def test_the_probe_tells_whether_a_change_can_be_made(store: SqlStore, door: Submissions, tmp_path: Path) -> None:
    assert await door.writable()
    (tmp_path / "dialer.db").rename(tmp_path / "moved.db")
    assert not await door.writable()
    (tmp_path / "moved.db").rename(tmp_path / "dialer.db")
    assert await door.writable()


async def test_a_key_is_found_by_its_hash_while_it_is_in_force(store: SqlStore) -> None:
    keys = Keys(store)
    new = NewKey("h", "mi_12345678", "example", frozenset({Scope.READ, Scope.SUBMIT}), "a note", "ann")
    id_ = await keys.make(new)
    found = await keys.find("h")
    assert found is not None
    assert (found.id, found.site, found.scopes, found.publishable) == (id_, "example", new.scopes, False)
    assert await keys.find("g") is None
    with pytest.raises(StoreError):
        await keys.make(new)
    await keys.used([id_])
    assert await keys.revoke(id_, "bob")
    assert await keys.find("h") is None
    (kept,) = await keys.all("example")
    assert (kept.note, kept.made_by, kept.made_at, kept.last_used_at, kept.revoked_at) == (
        "a note",
        "ann",
        NOON,
        NOON,
        NOON,
    )
    assert await keys.all("other") == []


async def test_the_status_of_what_is_known_is_that_of_now(store: SqlStore, door: Submissions) -> None:
    request = asked(1, external_id="order")
    await door.take_in(request)
    await store.cancel(request.callback.id, "")
    known = await door.known("api:example", "order")
    assert known is not None
    assert known.status is Status.CANCELLED
