"""How SQLite goes about what the API asks: by an index, however many callbacks and sites there are."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from dialer.domain.callback import Status
from dialer.domain.outcome import Outcome
from dialer.intake.listing import Wanted, WantedCalls
from dialer.store import keys, submissions
from dialer.store.site import callbacks_of, calls_of, objections_of
from dialer.store.store import SqlStore
from tests.contract.story import NOON, SECOND, callback
from tests.unit.store.test_store_plans import explained

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
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    plan = explained(many, str(compiled), [None] * len(compiled.positiontup or ()))
    assert index in plan
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "").replace("SCAN 2-COLUMN VALUES CLAUSE", "")
    assert "TEMP B-TREE" not in plan
