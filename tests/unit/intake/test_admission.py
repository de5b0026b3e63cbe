"""What is let in: doubles, limits and allowances, all in one write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.domain.callback import Callback
from dialer.domain.directory import Account, Site
from dialer.domain.errors import RequestRefused, StoreError
from dialer.domain.phone import DEFAULT_POLICY
from dialer.intake.admission import AdmissionRule, Double
from dialer.intake.limits import Limit, LimitRule, Limits
from dialer.intake.submission import submit
from dialer.store import schema
from dialer.store.store import SqlStore
from tests.unit.intake.places import DIRECTORY, GOOD, LONDON, NEW_YORK, NOW, with_account

NO_LIMITS = LimitRule(Limits())


@dataclass(frozen=True)
class Used:
    attempts: int
    talk: timedelta


class Shelf:
    """A store that keeps what it is given, or cannot; `used` is what it says of every account."""

    def __init__(self, *, broken: bool = False, used: Used = Used(0, timedelta(0))) -> None:
        self.writes: list[list[Callback]] = []
        self.asked: list[tuple[Sequence[str], datetime]] = []
        self._broken = broken
        self._used = used

    async def admit(
        self, callbacks: Sequence[Callback], rule: AdmissionRule
    ) -> list[Callback | Double | RequestRefused]:
        if self._broken:
            raise StoreError("disk full")
        self.writes.append(list(callbacks))
        return list(callbacks)

    async def usage(self, departments: Sequence[str], since: datetime) -> Used:
        self.asked.append((departments, since))
        return self._used


async def test_submit_stores_what_it_accepts_in_one_write_and_answers_in_order() -> None:
    shelf = Shelf()
    unreadable = RequestRefused("line_not_json", "", "not JSON")
    answers = await submit(shelf, DIRECTORY, [GOOD, {}, unreadable, GOOD], NOW, NO_LIMITS)
    first, missing, passed, last = answers
    assert isinstance(first, Callback)
    assert isinstance(missing, RequestRefused)
    assert missing.code == "field_missing"
    assert passed is unreadable
    assert isinstance(last, Callback)
    assert shelf.writes == [[first, last]]
    assert first.id < last.id
    assert shelf.asked == []  # no account has a cap


async def test_submit_writes_nothing_when_all_is_refused() -> None:
    shelf = Shelf()
    await submit(shelf, DIRECTORY, [{}, None], NOW, NO_LIMITS)
    assert shelf.writes == []


async def test_a_store_that_cannot_is_not_hidden() -> None:
    with pytest.raises(StoreError):
        await submit(Shelf(broken=True), DIRECTORY, [GOOD], NOW, NO_LIMITS)


async def test_the_store_answers_with_what_is_promised_already_and_with_what_is_too_much(tmp_path: Path) -> None:
    database = tmp_path / "dialer.db"
    await schema.upgrade(database)
    rule = LimitRule(Limits(per_number=(Limit(2, timedelta(hours=1)),), per_visitor=(Limit(2, timedelta(hours=1)),)))
    requests = [
        GOOD,
        GOOD | {"name": "Zoë", "address": "192.0.2.1"},
        GOOD | {"phone": "020 7946 0001", "session": "s"},
        GOOD | {"phone": "020 7946 0002", "session": "s"},
        {},
        GOOD | {"phone": "020 7946 0003", "session": "s"},
        GOOD | {"department": "care"},
        GOOD | {"department": "elsewhere"},
    ]
    async with SqlStore.open(database, now=lambda: NOW) as store:
        answers = await submit(store, DIRECTORY, requests, NOW, rule)
        stored = (await store.callbacks()).items
    first, double, *_, care, elsewhere = answers
    assert isinstance(first, Callback)
    assert double == Double(first)
    assert isinstance(care, Callback)
    codes = {at: answer.code for at, answer in enumerate(answers) if isinstance(answer, RequestRefused)}
    assert codes == {4: "field_missing", 5: "limit_visitor", 7: "limit_number"}
    assert isinstance(elsewhere, RequestRefused)
    assert elsewhere.retry_at == NOW + timedelta(hours=1)
    assert {each.id for each in stored} == {answer.id for answer in answers if isinstance(answer, Callback)}


@pytest.mark.parametrize(
    ("attempts", "minutes", "used", "refused_"),
    [
        (10, None, Used(9, timedelta(hours=9)), False),
        (10, None, Used(10, timedelta(0)), True),
        (10, None, Used(11, timedelta(0)), True),
        (0, None, Used(0, timedelta(0)), True),
        (None, 10, Used(999, timedelta(minutes=9, seconds=59)), False),
        (None, 10, Used(0, timedelta(minutes=10)), True),
        (10, 10, Used(9, timedelta(minutes=10)), True),
        (10, 10, Used(10, timedelta(minutes=9)), True),
        (10, 10, Used(9, timedelta(minutes=9)), False),
    ],
)
async def test_the_accounts_allowance_of_a_day(
    attempts: int | None, minutes: int | None, used: Used, *, refused_: bool
) -> None:
    directory = with_account(max_attempts_a_day=attempts, max_minutes_a_day=minutes)
    shelf = Shelf(used=used)
    today, again, tomorrow, missing = await submit(
        shelf, directory, [GOOD, GOOD, GOOD | {"at": "2030-05-14T09:00"}, {}], NOW, NO_LIMITS
    )
    assert isinstance(today, RequestRefused) is isinstance(again, RequestRefused) is refused_
    assert isinstance(tomorrow, Callback)
    assert isinstance(missing, RequestRefused)
    if isinstance(today, RequestRefused):
        assert (today.code, today.retry_at) == ("account_cap", datetime(2030, 5, 13, 23, 0, tzinfo=UTC))
    midnight = datetime(2030, 5, 12, 23, 0, tzinfo=UTC)
    assert shelf.asked == [(list(DIRECTORY.departments), midnight)]  # once, however many requests


async def test_a_day_is_the_accounts_own() -> None:
    shelf = Shelf(used=Used(1, timedelta(0)))
    directory = with_account(max_attempts_a_day=1, zone=NEW_YORK)
    early = datetime(2030, 5, 13, 3, 30, tzinfo=UTC)  # 23:30 the day before in New York, 04:30 in London
    (next_day,) = await submit(shelf, directory, [GOOD], early, NO_LIMITS)  # due at 09:00 in London: tomorrow there
    assert isinstance(next_day, Callback)
    assert shelf.asked == []
    (same_day,) = await submit(shelf, directory, [GOOD], NOW, NO_LIMITS)
    assert isinstance(same_day, RequestRefused)
    assert same_day.retry_at == datetime(2030, 5, 14, 4, 0, tzinfo=UTC)


async def test_another_accounts_allowance_is_its_own() -> None:
    directory = replace(
        DIRECTORY,
        accounts={
            "default": Account("default", "Default", LONDON, DEFAULT_POLICY, max_attempts_a_day=1),
            "second": Account("second", "Second", LONDON, DEFAULT_POLICY),
        },
        sites={**DIRECTORY.sites, "other": Site("other", "Other", LONDON, "GB", "second")},
    )
    shelf = Shelf(used=Used(1, timedelta(0)))
    capped, free = await submit(shelf, directory, [GOOD, GOOD | {"department": "elsewhere"}], NOW, NO_LIMITS)
    assert isinstance(capped, RequestRefused)
    assert isinstance(free, Callback)
    ((departments, _),) = shelf.asked
    assert "elsewhere" not in departments
