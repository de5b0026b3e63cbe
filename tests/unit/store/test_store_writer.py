"""How many statements and transactions the writer spends."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from dialer.domain.callback import Status
from dialer.domain.errors import StoreError
from dialer.domain.stop import EVERYTHING
from dialer.store import operations
from dialer.store.store import SqlStore
from dialer.store.writer import Pace
from tests.contract.story import AGAIN, COMPLETED, REVIEW, Door, attempt_at, callback, claim_of, ended, progressed


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """What reaches the database: each statement's first two words with its number of rows, and each commit."""
    seen: list[str] = []

    def statement(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001  # SQLAlchemy's signature
        seen.append(f"{' '.join(sql.split()[:2])} x{len(parameters) if many else 1}")

    def commit(_connection: Any) -> None:
        seen.append("commit")

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    yield seen
    event.remove(Engine, "before_cursor_execute", statement)
    event.remove(Engine, "commit", commit)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dialer.db"


async def test_a_group_is_two_statements_and_one_commit(path: Path, sent: list[str]) -> None:
    new = [callback(n) for n in range(20)]
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add(new)
        sent.clear()
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        assert sent == ["UPDATE callback x20", "INSERT INTO x20", "commit"]
        sent.clear()
        await asyncio.gather(*(store.finish(ended(attempt_at(each)), COMPLETED) for each in new))
        assert sent == ["UPDATE attempt x20", "UPDATE callback x20", "commit"]


async def test_losers_cost_a_group_two_statements_however_many_they_are(path: Path, sent: list[str]) -> None:
    new = [callback(n) for n in range(20)]
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add(new)
        for each in new[::2]:
            await store.cancel(each.id, "")
        sent.clear()
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
    assert sent == [
        "UPDATE callback x20",
        "SELECT callback.attempt_id x1",
        "UPDATE callback x1",
        "INSERT INTO x10",
        "commit",
    ]


async def test_ends_cost_a_group_a_statement_for_each_kind_of_next_step(path: Path, sent: list[str]) -> None:
    new = [callback(n) for n in range(20)]
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add(new)
        await asyncio.gather(*(store.claim(claim_of(each)) for each in new))
        sent.clear()
        steps = [AGAIN, REVIEW, COMPLETED, replace(COMPLETED, status=Status.FAILED)] * 5
        await asyncio.gather(*(store.finish(ended(attempt_at(o)), step) for o, step in zip(new, steps, strict=True)))
    assert sent == ["UPDATE attempt x20", "UPDATE callback x5", "UPDATE callback x5", "UPDATE callback x10", "commit"]


async def test_the_door_asks_once_for_a_whole_group(path: Path, sent: list[str]) -> None:
    new = [callback(n, phone=f"+44207946{n:04}", session=f"s{n}") for n in range(20)]
    async with SqlStore.open(path, exclusive=True) as store:
        await asyncio.gather(*(store.admit([each], Door()) for each in new))
    questions = [each for each in sent if each.startswith("SELECT")][-4:]
    assert sent[-7:] == ["UPDATE callback x1", *questions, "INSERT INTO x20", "commit"]


async def test_an_end_that_waits_is_taken_along_by_a_claim(path: Path, sent: list[str]) -> None:
    async with SqlStore.open(path, exclusive=True, pace=Pace(ends=3600)) as store:
        await store.add([callback(1), callback(2)])
        await store.claim(claim_of(callback(1)))
        sent.clear()
        ending = asyncio.create_task(store.finish(ended(attempt_at(callback(1))), COMPLETED))
        await asyncio.sleep(0)  # let it submit
        await store.claim(claim_of(callback(2)))
        await ending
        assert sent.count("commit") == 1


async def test_many_notes_of_an_attempt_cost_one_row_and_none_once_it_ends(path: Path, sent: list[str]) -> None:
    async with SqlStore.open(path, exclusive=True, pace=Pace(notes=3600)) as store:
        await store.add([callback(1), callback(2)])
        for each in (callback(1), callback(2)):
            await store.claim(claim_of(each))
            attempt = attempt_at(each)
            for n in range(50):
                attempt = progressed(attempt, f"step {n}")
                store.note(attempt)
        await store.finish(ended(attempt_at(callback(2))), COMPLETED)
        sent.clear()
    assert sent == ["UPDATE attempt x1", "commit"]


async def test_notes_alone_are_written_in_their_time(path: Path) -> None:
    async with SqlStore.open(path, exclusive=True, pace=Pace(notes=0.001)) as store:
        await store.add([callback(1)])
        await store.claim(claim_of(callback(1)))
        noted = attempt_at(callback(1))
        store.note(progressed(noted, "originate_sent"))
        async with asyncio.timeout(10):
            while not noted.timeline:
                (noted,) = await store.attempts(noted.callback_id)
        assert [step.name for step in noted.timeline] == ["originate_sent"]


async def test_more_than_one_group_s_worth_is_all_written(path: Path) -> None:
    async with SqlStore.open(path, exclusive=True) as store:
        await asyncio.gather(*(store.add([callback(n)]) for n in range(1200)))
        assert len((await store.callbacks(limit=2000)).items) == 1200


async def test_a_fault_of_our_own_is_told_with_its_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with SqlStore.open(path, exclusive=True) as store:
        monkeypatch.setattr(operations.Add, "write", broken)
        results = await asyncio.gather(
            store.add([callback(1)]), store.pause(EVERYTHING, "ann", ""), return_exceptions=True
        )
        assert isinstance(results[0], StoreError)
        assert isinstance(results[0].__cause__, ZeroDivisionError)
        assert await store.stops() == {EVERYTHING}
