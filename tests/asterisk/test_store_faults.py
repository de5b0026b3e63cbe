"""The store fails under a running daemon: nothing is rung that was not written first, and all goes on by itself.

Each fault comes while one call is up, whose end must be kept, and another callback is due, whose intent cannot be
written. The far end's records say who was rung.
"""

import contextlib
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import quiet
from tests.rig import Department, House, Piped

PAGE = 4096
TALKING, WAITING = "+4419149600{:02}", "+4419149601{:02}"
BUSY, FREE = "devstate change Custom:faults-ben INUSE", "devstate change Custom:faults-ben NOT_INUSE"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


@pytest.fixture
async def daemon(lab: Lab, tmp_path: Path) -> AsyncIterator[Piped]:
    """Anna is free; Ben is not, until his device says so."""
    await quiet(lab)
    lab.pbx.cli(BUSY)
    for agent in ("anna", "ben"):
        lab.agent(agent, Agent.accept())
    departments = [Department("sales", ["anna"]), Department("support", ["ben"])]
    house = House(
        lab,
        tmp_path,
        departments,
        devices={"ben": "Custom:faults-ben"},
        daemon={"state_dir": str(tmp_path / "state"), "poll_floor_seconds": 1, "drain_seconds": 2},
    )
    with Piped(house) as running:
        await running.until_logged("pbx.ready")
        yield running


async def two_callbacks(lab: Lab, daemon: Piped, number: int) -> list[CallbackId]:
    """One whose call is up, and one that is due and waits for Ben."""
    lab.customer(TALKING.format(number), Customer.answer())
    lab.customer(WAITING.format(number), Customer.answer(talk_ms=300))
    both = daemon.submit(
        [
            {"department": "sales", "phone": TALKING.format(number)},
            {"department": "support", "phone": WAITING.format(number)},
        ]
    )
    await daemon.until_step(both[0], "bridged")
    return both


async def struck(lab: Lab, daemon: Piped) -> None:
    """While the store fails: the call ends, and Ben becomes free. Neither can be written, and nobody is rung."""
    lab.far.cli("channel request hangup all")
    lab.pbx.cli(FREE)
    await daemon.until_logged("store.outcome_not_written")
    await daemon.until_logged("store.failed")
    assert set(lab.channels().values()) == {0}


async def recovered(lab: Lab, daemon: Piped, number: int, both: Sequence[CallbackId]) -> None:
    """The cause has gone: both callbacks are completed, by one attempt each that the far end knows, too."""
    rows = await daemon.until_settled(both, final=True)
    assert {row.status for row in rows.values()} == {Status.COMPLETED}
    assert daemon.stop() == 0
    await quiet(lab)
    attempts = [attempt for callback in both for attempt in await daemon.attempts(callback)]
    assert [attempt.verdict.outcome for attempt in attempts if attempt.verdict] == [Outcome.CONNECTED] * 2
    seen = [call for call in lab.far_end_calls() if call.dialled in {TALKING.format(number), WAITING.format(number)}]
    assert Counter(call.dialled for call in seen) == {TALKING.format(number): 1, WAITING.format(number): 1}
    rung = Counter(call.callback_id for call in lab.far_end_calls() if call.callback_id in both)
    assert rung == Counter(attempt.callback_id for attempt in attempts), "agents: each call has its intent"


def said(daemon: Piped, what: str, remedy: str) -> None:
    """Both faults were told in one clear line."""
    for event in ("store.outcome_not_written", "store.failed"):
        told = daemon.logged(event)[0]
        assert what in told["why"]
        assert remedy in told["remedy"]
        assert told["level"] == "error"
    assert "Traceback" not in daemon.tail(1000)


async def test_a_full_disk(lab: Lab, daemon: Piped) -> None:
    both = await two_callbacks(lab, daemon, 1)
    with daemon.full_disk():
        await struck(lab, daemon)
        said(daemon, "the disk", "free")
    await recovered(lab, daemon, 1, both)


async def test_killed_on_a_full_disk_the_end_is_settled_from_the_journal(lab: Lab, daemon: Piped) -> None:
    both = await two_callbacks(lab, daemon, 2)
    with daemon.full_disk():
        await struck(lab, daemon)
        daemon.kill()
        daemon.start()
    await recovered(lab, daemon, 2, both)


async def test_stopped_on_a_full_disk_it_waits_no_longer_than_it_may(lab: Lab, daemon: Piped) -> None:
    both = await two_callbacks(lab, daemon, 7)
    with daemon.full_disk():
        await struck(lab, daemon)
        assert daemon.stop() == 0
        assert daemon.logged("drain.calls_left")
        daemon.start()
    await recovered(lab, daemon, 7, both)


async def test_locked_by_another_process_for_longer_than_we_wait(lab: Lab, daemon: Piped) -> None:
    both = await two_callbacks(lab, daemon, 3)
    with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await struck(lab, daemon)
        other.execute("ROLLBACK")
    said(daemon, "another process keeps the database locked", "fuser")
    await recovered(lab, daemon, 3, both)


async def test_the_state_folder_gone(lab: Lab, daemon: Piped, tmp_path: Path) -> None:
    both = await two_callbacks(lab, daemon, 4)
    daemon.house.state.rename(tmp_path / "elsewhere")
    await struck(lab, daemon)
    said(daemon, "moved, deleted or replaced", "put it back")
    (tmp_path / "elsewhere").rename(daemon.house.state)
    await recovered(lab, daemon, 4, both)


def overwrite(file: Path, content: bytes, start: int = 0) -> None:
    with file.open("r+b") as handle:
        handle.seek(start)
        handle.write(content)


def spoil_header(daemon: Piped) -> None:
    overwrite(daemon.database, os.urandom(100))


def spoil_pages(daemon: Piped) -> None:
    overwrite(daemon.database, os.urandom(daemon.database.stat().st_size - PAGE), PAGE)


def take_rights(daemon: Piped) -> None:
    daemon.database.chmod(0o440)


def take_rights_on_the_folder(daemon: Piped) -> None:
    daemon.house.state.chmod(0o550)


def take_folder(daemon: Piped) -> None:
    shutil.rmtree(daemon.house.state)


AT_THE_START: dict[str, tuple[Callable[[Piped], None], str]] = {
    "header": (spoil_header, "the file is not a database (name another file, or restore the last backup)"),
    "pages": (spoil_pages, "the database file is damaged (stop, keep the file, and restore the last backup)"),
    "rights": (take_rights, "the database is read-only (give the file and its folder to the daemon's user)"),
    "folder's rights": (take_rights_on_the_folder, "the database is read-only (give the file and its folder to the"),
    "folder": (take_folder, "the lock cannot be taken: No such file or directory (create the folder and give it to"),
}


@pytest.mark.parametrize("case", AT_THE_START)
async def test_a_fault_at_the_start_is_one_line_and_a_daemon_that_ends(lab: Lab, daemon: Piped, case: str) -> None:
    number = 10 + list(AT_THE_START).index(case)
    spoil, what = AT_THE_START[case]
    both = await two_callbacks(lab, daemon, number)
    daemon.kill()
    lab.far.cli("channel request hangup all")
    lab.pbx.cli(FREE)
    await quiet(lab)
    with contextlib.closing(sqlite3.connect(daemon.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = daemon.database.read_bytes()
    spoil(daemon)
    daemon.start()
    assert daemon.wait() == 1
    (told,) = [line["raw"] for line in daemon.log() if "raw" in line]
    assert told.startswith(f"dialer: {daemon.database}")
    assert what in told
    assert {call.dialled for call in lab.far_end_calls()}.isdisjoint({WAITING.format(number)})
    shutil.rmtree(daemon.house.state, ignore_errors=True)
    daemon.house.state.mkdir()
    daemon.database.write_bytes(sound)
    daemon.start()
    await recovered(lab, daemon, number, both)
