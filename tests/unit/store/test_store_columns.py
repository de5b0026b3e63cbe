"""Values on their way into columns and back."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from dialer.domain.attempt import Step
from dialer.domain.callback import Consent
from dialer.store.columns import ConsentText, Day, Ids, Instant, Timeline, from_micros, to_micros

DIALECT = sqlite.dialect()
INSTANTS = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(INSTANTS)
def test_an_instant_keeps_its_microsecond(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at
    assert from_micros(to_micros(at)).tzinfo is UTC


@given(INSTANTS, INSTANTS)
def test_instants_sort_as_their_columns_do(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_micros(one) < to_micros(other))


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(datetime(2026, 3, 2), DIALECT)  # noqa: DTZ001  # the point


@given(st.lists(st.builds(Step, st.text(), INSTANTS, st.text())))
def test_a_timeline_comes_back(steps: list[Step]) -> None:
    kept = Timeline().process_bind_param(steps, DIALECT)
    assert Timeline().process_result_value(kept, DIALECT) == tuple(steps)


def test_a_timeline_is_compact() -> None:
    step = Step("agent_ringing", datetime(2026, 3, 2, tzinfo=UTC), "é")
    assert Timeline().process_bind_param((step,), DIALECT) == '[["agent_ringing",1772409600000000,"é"]]'


@given(st.none() | st.builds(Consent, st.text(), INSTANTS, st.text()))
def test_consent_comes_back(consent: Consent | None) -> None:
    kept = ConsentText().process_bind_param(consent, DIALECT)
    assert ConsentText().process_result_value(kept, DIALECT) == consent


@given(st.none() | st.dates())
def test_a_date_comes_back(day: date | None) -> None:
    kept = Day().process_bind_param(day, DIALECT)
    assert Day().process_result_value(kept, DIALECT) == day


def test_a_date_reads_as_people_write_it() -> None:
    assert Day().process_bind_param(date(2026, 3, 2), DIALECT) == "2026-03-02"


@given(st.lists(st.from_regex(r"[a-z0-9_-]{1,40}", fullmatch=True)))
def test_ids_come_back_in_their_order(ids: list[str]) -> None:
    kept = Ids().process_bind_param(ids, DIALECT)
    assert Ids().process_result_value(kept, DIALECT) == tuple(ids)
