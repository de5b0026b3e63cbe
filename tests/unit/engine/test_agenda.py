"""The read-ahead of due callbacks, on a real store."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.callback import Status
from dialer.engine import agenda as module
from dialer.engine.agenda import Agenda
from dialer.store.store import SqlStore
from tests.contract.story import NOON, SECOND, callback


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as opened:
        yield opened


async def test_due_callbacks_come_earliest_first_and_once(store: SqlStore) -> None:
    late, early, later = (callback(n, due_at=NOON + n * SECOND) for n in (2, 1, 3))
    await store.add([late, early, later])
    agenda = Agenda(store)
    assert await agenda.first("sales", NOON) == early.due_at
    assert await agenda.take("sales", NOON, 5) == []
    taken = await agenda.take("sales", NOON + 2 * SECOND, 5)
    assert [one.id for one in taken] == [early.id, late.id]
    assert await agenda.take("sales", NOON + 2 * SECOND, 5) == []
    assert await agenda.first("sales", NOON) == later.due_at


async def test_no_more_than_asked_for(store: SqlStore) -> None:
    await store.add([callback(n) for n in range(5)])
    agenda = Agenda(store)
    assert len(await agenda.take("sales", NOON, 2)) == 2
    assert len(await agenda.take("sales", NOON, 9)) == 3


async def test_what_was_taken_does_not_come_again_before_its_claim_is_decided(store: SqlStore) -> None:
    one = callback(1)
    await store.add([one])
    agenda = Agenda(store)
    assert len(await agenda.take("sales", NOON, 1)) == 1
    agenda.invalidate()
    assert await agenda.take("sales", NOON, 1) == []
    agenda.settle(one.id)
    agenda.invalidate()
    assert len(await agenda.take("sales", NOON, 1)) == 1


async def test_news_are_seen_after_a_poke(store: SqlStore) -> None:
    agenda = Agenda(store)
    assert await agenda.first("sales", NOON) is None
    one = callback(1)
    await store.add([one])
    assert await agenda.first("sales", NOON) is None
    agenda.invalidate()
    assert await agenda.first("sales", NOON) == one.due_at
    await store.cancel(one.id, "no longer")
    agenda.invalidate()
    assert await agenda.first("sales", NOON) is None


async def test_departments_do_not_wait_for_each_other(store: SqlStore) -> None:
    await store.add([callback(n) for n in range(3)] + [callback(9, department="support")])
    agenda = Agenda(store)
    assert len(await agenda.take("support", NOON, 5)) == 1
    assert len(await agenda.take("sales", NOON, 5)) == 3


async def test_a_long_backlog_is_read_page_by_page(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    everything = [callback(n, due_at=NOON - timedelta(hours=1) + n * SECOND) for n in range(8)]
    await store.add(everything)
    agenda = Agenda(store)
    seen = []
    while taken := await agenda.take("sales", NOON, 2):
        seen += [one.id for one in taken]
    assert seen == [one.id for one in everything]
    assert all(one.status is Status.SCHEDULED for one in everything)
