"""How SQLite goes about what the API asks: by an index, however many callbacks and sites there are."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select

from dialer.domain.callback import Callback, Status
from dialer.domain.outcome import Outcome
from dialer.intake.listing import Wanted, WantedCalls
from dialer.intake.once import Asked, Once
from dialer.store import keys, submissions
from dialer.store.site import (
    SiteViews,
    callbacks_named_too,
    callbacks_of,
    calls_of,
    departments_of,
    objections_of,
)
from dialer.store.store import SqlStore
from tests.contract.story import NOON, OTHER, SECOND, Door, callback
from tests.unit.store.plans import plan_of, scanning, statements

PLANS: list[tuple[Select[Any], str]] = [
    (callbacks_of("example", Wanted(), 50, None), "INDEX ix_callback_site_due_at"),
    (callbacks_of("example", Wanted(due_from=NOON, due_before=NOON), 50, "1.C"), "INDEX ix_callback_site_due_at"),
    (callbacks_of("example", Wanted(frozenset({Status.FAILED})), 50, None), "INDEX ix_callback_"),
    (callbacks_of("example", Wanted(source="api:x", external_id="y"), 50, None), "INDEX sqlite_autoindex_callback_2"),
    (calls_of("example", "sales", WantedCalls(), 50, None), "INDEX ix_attempt_department_ended_at_id"),
    (calls_of("example", "sales", WantedCalls(since=NOON), 50, "1.A"), "INDEX ix_attempt_department_ended_at_id"),
    (calls_of("example", "sales", WantedCalls(frozenset({Outcome.IN_DOUBT})), 50, None), "INDEX ix_attempt_"),
    (objections_of("api:example", 50, "1.1"), "INDEX ix_do_not_call_who"),
    (submissions.answers_of([(1, "k"), (2, "l")]), "INDEX uq_answer_holder_key"),
    (submissions.named([("api:x", "y"), ("api:x", "z")]), "INDEX sqlite_autoindex_callback_2"),
    (callbacks_named_too("example", Wanted(source="api:x", external_id="y"), 50, None), "autoindex_other_name_1"),
    (submissions.named_too([("api:x", "y"), ("api:x", "z")]), "INDEX sqlite_autoindex_other_name_1"),
    (keys.by_hash("h"), "INDEX sqlite_autoindex_api_key_1"),
    (submissions.given_before(NOON), "INDEX ix_answer_at"),
]


@pytest.fixture(scope="module")
async def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty thousand callbacks, a few of them another site's."""
    path = tmp_path_factory.mktemp("many") / "dialer.db"
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add([callback(n, due_at=NOON + (n // 100) * SECOND) for n in range(30_000)])
    return path


@pytest.mark.parametrize(("query", "index"), PLANS)
async def test_every_question_of_the_api_s_is_answered_by_an_index(many: Path, query: Select[Any], index: str) -> None:
    plan = " / ".join(plan_of(many, query))
    assert index in plan
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "").replace("SCAN 2-COLUMN VALUES CLAUSE", "")
    assert "TEMP B-TREE" not in plan


async def test_a_site_s_departments_are_found_in_as_many_steps_as_there_are(many: Path) -> None:
    """Not by looking through its callbacks: every other scan would be of what was found."""
    index = "USING COVERING INDEX ix_callback_site_department"
    looks = [step for step in plan_of(many, departments_of("example")) if "callback" in step]
    assert looks == [
        f"SEARCH callback {index} (site=?)",
        f"SEARCH callback {index} (site=? AND department>?)",
    ]


async def test_no_change_of_the_api_s_reads_more_than_its_own_rows(many: Path, tmp_path: Path) -> None:
    path = tmp_path / "dialer.db"
    shutil.copy(many, path)

    def worded(callback: Callback, external_id: str | None, *, double: bool) -> tuple[int, str]:
        del double
        return 201, f"{callback.id} {external_id}"

    async with SqlStore.open(path, exclusive=True, now=lambda: NOON) as store:
        with statements() as sent:
            made = keys.Keys(store)
            id_ = await made.make(keys.NewKey("h", "mi_", "example", frozenset(), "", "ann"))
            door = submissions.Submissions(store)
            new = [callback(n, phone=OTHER, department=f"d{n}") for n in range(200_000, 200_005)]
            asked = [Asked(one, "api:x", one.id, Once(id_, one.id, "f"), Door(), worded) for one in new]
            await asyncio.gather(*(door.take_in(each) for each in asked))
            assert await door.writable()
            assert await door.forget(NOON + SECOND) == 5
            await store.object_to(OTHER, "api:x", "")
            assert await SiteViews(store).withdraw(OTHER, "api:x")
            await made.used([id_])
            await made.revoke(id_, "ann")
    assert sum(sql.startswith(("INSERT", "UPDATE", "DELETE")) for sql in sent) >= 9
    assert scanning(path, sent) == []
