"""Percentiles of a histogram beside those of the sorted values."""

import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dialer.reports.spread import Spread, share

MICROS = st.integers(-(10**7), 10**12)


def spread_of(values: list[int]) -> Spread:
    spread = Spread()
    for value in values:
        spread.add(timedelta(microseconds=value))
    return spread


@given(st.lists(MICROS, min_size=1), st.integers(1, 100))
def test_within_four_thousandths_of_the_exact_percentile(values: list[int], percent: int) -> None:
    exact = sorted(values)[math.ceil(percent * len(values) / 100) - 1] / 1e6
    found = spread_of(values).percentile(percent)
    assert found is not None
    assert abs(found - exact) <= abs(exact) * 0.004 + 0.0005  # it is told to the millisecond


@given(st.lists(MICROS, min_size=1))
def test_count_extremes_total_and_mean_are_exact(values: list[int]) -> None:
    spread = spread_of(values)
    assert spread.count == len(values)
    assert spread.most == round(max(values) / 1e6, 3)
    assert spread.percentile(100) is not None
    assert spread.total == round(sum(values) / 1e6, 3)
    assert spread.mean == round(sum(values) / len(values) / 1e6, 3)


@given(st.lists(MICROS), st.lists(MICROS))
def test_percentiles_never_fall(some: list[int], more: list[int]) -> None:
    spread = spread_of(some + more)
    found = [value for percent in range(1, 101) if (value := spread.percentile(percent)) is not None]
    assert found == sorted(found)


def test_one_value_is_told_exactly() -> None:
    spread = spread_of([123_456_789])
    assert [spread.percentile(percent) for percent in (1, 50, 100)] == [123.457] * 3


def test_of_nothing_there_is_nothing() -> None:
    spread = Spread()
    assert (spread.percentile(50), spread.most, spread.mean, spread.total) == (None, None, None, 0.0)
    assert share(0, 0) is None


def test_memory_does_not_grow_with_the_values() -> None:
    spread = spread_of([value * value for value in range(100_000)])
    assert len(spread._counts) < 4_000
