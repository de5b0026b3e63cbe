"""A callback that was taken in goes onto the page that is in memory: as if the page had been read again, unread."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.callback import Callback
from dialer.engine import agenda as module
from dialer.engine.agenda import Agenda
from dialer.store.store import SqlStore
from tests.contract.story import NOON, SECOND, callback


class Shelf:
    """The store's only question that an agenda asks, on a list; counts how often it is asked."""

    def __init__(self) -> None:
        self.held: list[Callback] = []
        self.reads = 0

    async def upcoming(
        self, department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()
    ) -> list[Callback]:
        self.reads += 1
        due = [one for one in self.held if one.department == department and one.due_at <= until]
        return sorted(due, key=lambda one: (one.due_at, one.id))[:limit]


def on(shelf: Shelf) -> Agenda:
    return Agenda(shelf)  # type: ignore[arg-type]  # it asks nothing else


async def due(agenda: Agenda, now: datetime, department: str = "sales") -> list[Callback]:
    return list((await agenda.due({department: ()}, now)).waiting.get(department, ()))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as opened:
        yield opened


async def test_it_costs_no_reading(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    agenda = Agenda(store)
    assert await due(agenda, NOON) == []
    monkeypatch.setattr(store, "upcoming", None)
    later, sooner = callback(1, due_at=NOON + 9 * SECOND), callback(2, due_at=NOON + 5 * SECOND)
    assert agenda.take_in(later)
    assert agenda.take_in(sooner)
    assert (await agenda.due({"sales": ()}, NOON)).next_at == sooner.due_at
    assert await due(agenda, NOON + 9 * SECOND) == [sooner, later]


async def test_where_no_page_is_the_next_use_reads_it() -> None:
    shelf = Shelf()
    agenda, one = on(shelf), callback(1)
    shelf.held.append(one)
    assert agenda.take_in(one)
    assert await due(agenda, NOON) == [one]
    assert shelf.reads == 1


async def test_what_is_far_ahead_is_left_to_a_later_page() -> None:
    shelf = Shelf()
    agenda = on(shelf)
    await due(agenda, NOON)
    assert not agenda.take_in(callback(1, due_at=NOON + timedelta(hours=1, seconds=1)))
    assert agenda.take_in(callback(2, due_at=NOON + timedelta(hours=1)))
    assert shelf.reads == 1


async def test_what_lies_past_a_page_s_end_is_left_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    shelf = Shelf()
    shelf.held = [callback(n, due_at=NOON + n * SECOND) for n in (1, 3, 5)]
    agenda = on(shelf)
    await due(agenda, NOON)
    beyond, within = callback(9, due_at=NOON + 4 * SECOND), callback(8, due_at=NOON + 2 * SECOND)
    shelf.held += [beyond, within]
    assert not agenda.take_in(beyond)
    assert agenda.take_in(within)
    seen = []
    while found := await due(agenda, NOON + 9 * SECOND):
        agenda.take(found[0])
        shelf.held.remove(found[0])
        agenda.settle(found[0].id)
        seen.append(found[0].due_at)
    assert seen == sorted(one.due_at for one in (*shelf.held, beyond, within)) or len(seen) == 5
    assert seen == sorted(seen)


async def test_a_flood_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    shelf = Shelf()
    agenda = on(shelf)
    await due(agenda, NOON)
    flood = [callback(n, due_at=NOON - n * SECOND) for n in range(50)]
    for one in flood:
        shelf.held.append(one)
        agenda.take_in(one)
    assert len(agenda._pages["sales"].waiting) == 3
    assert await due(agenda, NOON) == sorted(flood, key=lambda one: one.due_at)[:3]
    assert shelf.reads == 1


async def test_it_comes_once_though_the_page_has_it_already() -> None:
    shelf = Shelf()
    one = callback(1)
    shelf.held.append(one)
    agenda = on(shelf)
    assert await due(agenda, NOON) == [one]
    assert not agenda.take_in(one)
    assert await due(agenda, NOON) == [one]


async def test_it_does_not_come_back_once_it_is_taken() -> None:
    shelf = Shelf()
    one = callback(1)
    shelf.held.append(one)
    agenda = on(shelf)
    await due(agenda, NOON)
    agenda.take(one)
    assert not agenda.take_in(one)
    assert await due(agenda, NOON) == []


@pytest.mark.parametrize("seen", [True, False])
async def test_what_comes_while_a_page_is_read_is_on_it(seen: bool) -> None:  # noqa: FBT001  # a case
    """Whether the reading saw it or not."""

    class Slow(Shelf):
        async def upcoming(
            self, department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()
        ) -> list[Callback]:
            found = await super().upcoming(department, until, limit, numbers)
            assert agenda.take_in(new)
            assert agenda.take_in(replace(elsewhere, id=new.id))
            return [*found, new] if seen else found

    new, elsewhere = callback(1), callback(2, department="support")
    shelf = Slow()
    agenda = on(shelf)
    assert await due(agenda, NOON) == [new]
    assert shelf.reads == 1
    assert await due(agenda, NOON) == [new]


async def test_a_reading_that_fails_leaves_nothing_behind() -> None:
    class Failing(Shelf):
        async def upcoming(
            self, department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()
        ) -> list[Callback]:
            if not self.reads:
                self.reads += 1
                agenda.take_in(callback(1))
                raise RuntimeError("the store failed")
            return await super().upcoming(department, until, limit, numbers)

    shelf = Failing()
    agenda = on(shelf)
    with pytest.raises(RuntimeError):
        await due(agenda, NOON)
    assert await due(agenda, NOON) == []
    assert agenda.take_in(callback(2))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("in"), st.integers(0, 40)),
            st.tuples(st.just("take"), st.integers(0, 5)),
            st.tuples(st.just("poke"), st.just(0)),
            st.tuples(st.just("later"), st.integers(1, 10)),
        ),
        max_size=60,
    )
)
async def test_whatever_happens_the_earliest_that_is_due_is_the_next(steps: list[tuple[str, int]]) -> None:
    """Against the store itself: no order is lost, and none is given twice, whatever the page's size."""
    shelf, now = Shelf(), NOON
    agenda = on(shelf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PAGE", 3)
        for number, (step, value) in enumerate(steps):
            if step == "in":
                new = callback(number, due_at=NOON + value * SECOND)
                shelf.held.append(new)
                agenda.take_in(new)
            elif step == "poke":
                agenda.invalidate()
            elif step == "later":
                now += value * SECOND
            waiting = sorted((one for one in shelf.held if one.due_at <= now), key=lambda one: (one.due_at, one.id))
            found = await due(agenda, now)
            if not found and agenda.ran_out:
                found = await due(agenda, now)
            assert found == waiting[: len(found)]
            assert bool(found) == bool(waiting)
            for one in found[:value] if step == "take" else ():
                agenda.take(one)
                shelf.held.remove(one)
                agenda.settle(one.id)
