"""How SQLite goes about what it is asked: by an index, however many callbacks there are."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select

from dialer.domain.callback import Status
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.stop import EVERYTHING
from dialer.notify.outbox import DeliveryState, Subscriber
from dialer.store import deliveries, feed_store, outbox, queries
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, CallFilter, Decision
from tests.contract.life import found
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
from tests.unit.store.plans import plan_of, scanning, statements

LATER = NOON + timedelta(days=1)
NUMBERS = [PHONE, OTHER]
PLANS: list[tuple[Select[Any], str]] = [
    (queries.upcoming("sales", LATER, 50), "INDEX ix_callback_department_status_due_at_id"),
    (queries.OPEN_ATTEMPTS, "INDEX ix_attempt_ended_at_id"),
    (queries.WAITING, "INDEX ix_callback_status_due_at_id"),
    (queries.NEWEST_ATTEMPT, "INDEX sqlite_autoindex_attempt_1"),
    (queries.callback_by_id(CallbackId("C")), "INDEX sqlite_autoindex_callback_1"),
    (queries.attempts_of(CallbackId("C")), "INDEX sqlite_autoindex_attempt_2"),
    (queries.callbacks(CallbackFilter(), 50, f"{1_000_000}.C"), "INDEX ix_callback_due_at_id"),
    (queries.callbacks(CallbackFilter(frozenset({Status.FAILED})), 50, None), "INDEX ix_callback_status_due_at_id"),
    (queries.calls(CallFilter(since=NOON), 50, f"{1_000_000}.A"), "INDEX ix_attempt_ended_at_id"),
    (queries.calls(CallFilter(department="sales"), 50, None), "INDEX ix_attempt_department_ended_at_id"),
    (queries.calls(CallFilter(frozenset({Outcome.IN_DOUBT})), 50, None), "INDEX ix_attempt_outcome_ended_at_id"),
    (queries.ended_attempts("main", AttemptId("A"), AttemptId("B"), 100), "INDEX sqlite_autoindex_attempt_1"),
    (queries.doubtful(NOON), "INDEX ix_attempt_outcome_ended_at_id"),
    (queries.resolutions_of(CallbackId("C")), "INDEX ix_resolution_callback_id"),
    (queries.WISHES, "INDEX ix_callback_status_due_at_id"),
    (queries.expired(LATER, 200), "INDEX ix_callback_expiring"),
    (queries.open_callbacks_of(NUMBERS), "INDEX ix_callback_phone_requested_at"),
    (queries.requests_for(NUMBERS, NOON), "INDEX ix_callback_phone_requested_at"),
    (queries.requests_in(["s-1", "s-2"], NOON), "INDEX ix_callback_session"),
    (queries.requests_from(["a key", "another"], NOON), "INDEX ix_callback_origin"),
    (queries.listed(NUMBERS), "INDEX uq_do_not_call_in_force"),
    (queries.rings(NOON), "INDEX ix_attempt_ended_at_id"),
    (queries.usage(["sales", "support"], NOON), "INDEX ix_attempt_department_created_at"),
    (queries.STOPS, "INDEX uq_pause_in_force"),
    (queries.PAUSES, "INDEX uq_pause_in_force"),
    (queries.objections_after(50, "1.1"), "INTEGER PRIMARY KEY"),
    (queries.STATUSES, "INDEX ix_callback_status_due_at_id"),
    (queries.OUTCOMES, "INDEX ix_attempt_outcome_ended_at_id"),
    (outbox.ready("webhook:crm", NOON, 8), "INDEX ix_outbox_ready"),
    (outbox.ready("webhook:crm", NOON, 8), "INDEX uq_outbox_line (subscriber=? AND callback_id=? AND version<?)"),
    (outbox.next_at("webhook:crm"), "INDEX ix_outbox_ready"),
    (outbox.old("webhook:crm", NOON, 500), "INDEX uq_outbox_line (subscriber=?)"),
    (outbox.ownerless({"webhook:crm"}, 500), "INDEX ix_outbox_ready"),
    (feed_store.cursor_of("mi"), "INDEX sqlite_autoindex_feed_1"),
    (feed_store.targets_of("mi", ["r-1", "r-2"]), "INDEX sqlite_autoindex_feed_item_1"),
    (feed_store.untold_of("mi", 100), "INDEX ix_feed_item_untold (feed=? AND id>?)"),
    (feed_store.item_of("mi", "r-1"), "INDEX sqlite_autoindex_feed_item_1"),
    (feed_store.quarantined_of("mi", 7, 100), "INDEX ix_feed_item_quarantined (feed=? AND id>?)"),
    (feed_store.QUARANTINES, "INDEX ix_feed_item_quarantined"),
    (feed_store.UNTOLDS, "INDEX ix_feed_item_untold"),
    (deliveries.undelivered(None, None, 7, 100), "INDEX ix_outbox_undelivered (id>?)"),
    (deliveries.undelivered("webhook:crm", DeliveryState.WAITING, 7, 100), "INDEX ix_outbox_undelivered (id>?)"),
]
FEW = {queries.OPEN_ATTEMPTS, queries.PAUSES, queries.WAITING}
"""Rows, or groups of them, that are never many, and wanted in order."""


@pytest.fixture(scope="module")
async def backlog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred thousand callbacks, most of them far away, and a tenth of them due at one moment."""
    path = tmp_path_factory.mktemp("backlog") / "dialer.db"
    async with SqlStore.open(path, exclusive=True) as store:
        await store.add([callback(n, due_at=NOON + (n // 10_000) * 3600 * SECOND) for n in range(100_000)])
    return path


@pytest.mark.parametrize(("query", "index"), PLANS)
async def test_every_question_is_answered_by_an_index_without_sorting(
    backlog: Path, query: Select[Any], index: str
) -> None:
    plan = " / ".join(plan_of(backlog, query))
    assert index in plan
    assert "TEMP B-TREE" not in plan or query in FEW


async def test_no_change_reads_more_than_its_own_rows(backlog: Path, tmp_path: Path) -> None:
    """All that an `UPDATE`, an `INSERT` or a question in between looks at is found by an index."""
    path = tmp_path / "dialer.db"
    shutil.copy(backlog, path)
    async with SqlStore.open(path, exclusive=True, now=lambda: NOON) as store:
        told = outbox.SqlOutbox(store)
        await told.subscribe([Subscriber("webhook:crm")])
        new = [replace(callback(n, phone=OTHER, department=f"d{n}"), origin="o") for n in range(200_000, 200_010)]
        with statements() as sent:
            await store.admit(new, Door())
            for each in new[:5]:
                await store.claim(claim_of(each))
                await store.claim(claim_of(each, twin="B"))
            await store.cancel(new[0].id, "")
            await store.reschedule(new[1].id, LATER, None, LATER)
            await store.too_late(new[1].id)
            await store.customer_called_in(OTHER, ["d200005"])
            await store.finish(ended(attempt_at(new[0])), AGAIN)
            await store.finish(ended(attempt_at(new[2]), Outcome.IN_DOUBT), REVIEW)
            await store.finish(ended(attempt_at(new[3]), Outcome.IN_DOUBT), REVIEW)
            await store.finish(ended(attempt_at(new[4])), COMPLETED)
            await store.amend(amended(ended(attempt_at(new[2]))), COMPLETED)
            await store.resolve(await found(store, new[3]), Decision.RETRY, "ann", "")
            await store.defer(new[6], LATER, "")
            await store.close(new[6], Status.EXPIRED, "")
            await store.object_to(OTHER, "ann", "")
            await store.allow_again(OTHER, "ann")
            first, second, *_ = await told.ready("webhook:crm", LATER, 9)
            await told.postpone(first, LATER, "it answered 503")
            await told.delivered([second])
            await told.prune(LATER, 10)
            await deliveries.Deliveries(store).retry(first.id)
            await store.pause(EVERYTHING, "ann", "")
            await store.resume(EVERYTHING, "ann")
    assert sum(sql.startswith("UPDATE callback") for sql in sent) >= 10
    assert scanning(path, sent) == []


async def test_a_due_page_of_a_large_backlog_holds_the_earliest(backlog: Path) -> None:
    async with SqlStore.open(backlog) as store:
        earliest = await store.upcoming("sales", LATER, 50)
    assert earliest == [callback(n) for n in range(50)]
