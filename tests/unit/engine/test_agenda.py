"""The read-ahead of due callbacks, on a real store."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialer.domain.callback import Callback
from dialer.engine import agenda as module
from dialer.engine.agenda import Agenda
from dialer.store.store import SqlStore
from tests.contract.story import NOON, SECOND, callback


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as opened:
        yield opened


async def due(agenda: Agenda, now: datetime, *departments: str) -> list[str]:
    found = await agenda.due(dict.fromkeys(departments or ("sales",), ()), now)
    return [one.id for waiting in found.waiting.values() for one in waiting]


async def take(agenda: Agenda, now: datetime, count: int) -> list[str]:
    found = (await agenda.due({"sales": ()}, now)).waiting.get("sales", ())[:count]
    for one in found:
        agenda.take(one)
    return [one.id for one in found]


async def test_due_callbacks_come_earliest_first_and_once(store: SqlStore) -> None:
    late, early, later = (callback(n, due_at=NOON + n * SECOND) for n in (2, 1, 3))
    await store.add([late, early, later])
    agenda = Agenda(store)
    assert (await agenda.due({"sales": ()}, NOON)).next_at == early.due_at
    assert await take(agenda, NOON, 5) == []
    assert await take(agenda, NOON + 2 * SECOND, 5) == [early.id, late.id]
    assert await take(agenda, NOON + 2 * SECOND, 5) == []
    assert (await agenda.due({"sales": ()}, NOON)).next_at == later.due_at


async def test_what_is_not_taken_stays(store: SqlStore) -> None:
    await store.add([callback(n) for n in range(5)])
    agenda = Agenda(store)
    assert len(await take(agenda, NOON, 2)) == 2
    assert len(await due(agenda, NOON)) == 3
    assert len(await take(agenda, NOON, 9)) == 3


async def test_one_may_be_taken_out_of_the_middle(store: SqlStore) -> None:
    first, second, third = (callback(n, due_at=NOON + n * SECOND) for n in range(3))
    await store.add([first, second, third])
    agenda = Agenda(store)
    found = await agenda.due({"sales": ()}, NOON + 5 * SECOND)
    agenda.take(found.waiting["sales"][1])
    assert await due(agenda, NOON + 5 * SECOND) == [first.id, third.id]


async def test_what_was_taken_does_not_come_again_before_its_claim_is_decided(store: SqlStore) -> None:
    one = callback(1)
    await store.add([one])
    agenda = Agenda(store)
    assert await take(agenda, NOON, 1) == [one.id]
    agenda.invalidate()
    assert await due(agenda, NOON) == []
    agenda.settle(one.id)
    agenda.invalidate()
    assert await due(agenda, NOON) == [one.id]


async def test_news_are_seen_after_a_poke(store: SqlStore) -> None:
    agenda = Agenda(store)
    assert await due(agenda, NOON) == []
    one = callback(1)
    await store.add([one])
    assert await due(agenda, NOON) == []
    agenda.invalidate()
    assert await due(agenda, NOON) == [one.id]
    await store.cancel(one.id, "no longer")
    agenda.invalidate()
    assert await due(agenda, NOON) == []


async def test_departments_do_not_wait_for_each_other(store: SqlStore) -> None:
    await store.add([callback(n) for n in range(3)] + [callback(9, department="support")])
    agenda = Agenda(store)
    assert len(await due(agenda, NOON, "support")) == 1
    assert len(await due(agenda, NOON, "sales")) == 3
    assert len(await due(agenda, NOON, "support", "sales")) == 4


async def test_a_long_backlog_is_read_page_by_page(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    everything = [callback(n, due_at=NOON - timedelta(hours=1) + n * SECOND) for n in range(8)]
    await store.add(everything)
    agenda = Agenda(store)
    seen = []
    while taken := await take(agenda, NOON, 2):
        seen += taken
    assert seen == [one.id for one in everything]


async def test_a_page_that_ran_out_says_so_as_long_as_the_store_may_hold_more(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    await store.add([callback(n) for n in range(4)])
    agenda = Agenda(store)
    ran_out = [agenda.ran_out]
    for _ in range(2):
        await take(agenda, NOON, 3)
        ran_out.append(agenda.ran_out)
    assert ran_out == [False, True, False]


async def test_a_claim_that_is_decided_while_a_page_is_read_is_not_on_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (callback(n, due_at=NOON + n * SECOND) for n in range(2))
    await store.add([one, two])
    agenda = Agenda(store)
    found = await agenda.due({"sales": ()}, NOON)
    agenda.take(found.waiting["sales"][0])
    read = store.upcoming

    async def upcoming(department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()) -> list[Callback]:
        rows = await read(department, until, limit)
        agenda.settle(one.id)  # its claim became durable after the read's snapshot was taken
        return rows

    monkeypatch.setattr(store, "upcoming", upcoming)
    agenda.invalidate()
    found = await agenda.due({"sales": ()}, NOON + SECOND)
    assert [each.id for each in found.waiting["sales"]] == [two.id]


async def test_what_is_passed_over_does_not_hide_what_is_due_behind_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E.g. a number that is left in peace, or that only a resting trunk takes."""
    monkeypatch.setattr(module, "_PAGE", 2)
    everything = [callback(n, due_at=NOON + n * SECOND) for n in range(4)]
    await store.add(everything)
    agenda = Agenda(store)
    later = NOON + 9 * SECOND
    await agenda.due({"sales": ()}, later)
    agenda.pass_over({"sales": 2})
    assert agenda.ran_out
    found = await agenda.due({"sales": ()}, later)
    assert [each.id for each in found.waiting["sales"]] == [each.id for each in everything]


async def test_thousands_that_wait_for_a_trunk_hide_nothing_that_another_takes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    monkeypatch.setattr(module, "_PAST", 3)
    mobiles = [callback(n, phone=f"+4474001234{n:02}", due_at=NOON + n * SECOND) for n in range(9)]
    landline = callback(9, phone="+442079460001", due_at=NOON + 9 * SECOND)
    await store.add([*mobiles, landline])
    agenda = Agenda(store)
    later = NOON + 10 * SECOND

    async def found(*numbers: str) -> list[str]:
        return [each.id for each in (await agenda.due({"sales": numbers}, later)).waiting["sales"]]

    assert await found() == [each.id for each in mobiles[:2]]
    agenda.pass_over({"sales": 2})
    assert await found("+442") == [landline.id]
    agenda.pass_over({"sales": 0})
    assert await found("+442079", "+4420") == [landline.id], "they are all on the page"
    assert await found("+44") == [each.id for each in mobiles[:2]]
    agenda.pass_over({"sales": 9})
    assert agenda.ran_out
    assert await found() == [each.id for each in mobiles[:5]]
    assert not agenda.ran_out, "there is an end to it"


async def test_a_page_of_all_numbers_is_read_no_further_for_some(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add([callback(1), callback(2)])
    agenda = Agenda(store)
    await agenda.due({"sales": ()}, NOON)
    monkeypatch.setattr(store, "upcoming", None)
    assert len((await agenda.due({"sales": ("+44",)}, NOON)).waiting["sales"]) == 2


async def test_a_refusal_that_was_not_the_callbacks_change_is_the_agents(store: SqlStore) -> None:
    changed, unchanged = (callback(n, due_at=NOON + n * SECOND) for n in range(2))
    await store.add([changed, unchanged])
    agenda = Agenda(store)
    later = NOON + 2 * SECOND
    assert await take(agenda, later, 2) == [changed.id, unchanged.id]
    assert await store.defer(changed, NOON + SECOND, "elsewhere")
    for one, agent in ((changed, "anna"), (unchanged, "ben")):
        agenda.refuse(one, agent)
        agenda.settle(one.id)
    agenda.invalidate()
    found = await agenda.due({"sales": ()}, later)
    assert found.refused == {"ben"}
    assert len(found.waiting["sales"]) == 2
    agenda.invalidate()
    assert (await agenda.due({"sales": ()}, later)).refused == frozenset()
