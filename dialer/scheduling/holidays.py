"""Bank holidays of the United Kingdom's four nations, by the `holidays` library."""

from datetime import date
from functools import lru_cache

import holidays

from dialer.domain.directory import Nation

_SUBDIVISIONS = {
    Nation.ENGLAND: "ENG",
    Nation.WALES: "WLS",
    Nation.SCOTLAND: "SCT",
    Nation.NORTHERN_IRELAND: "NIR",
}


def is_bank_holiday(nation: Nation, day: date) -> bool:
    """Whether a date is a bank holiday there. Of a holiday on a weekend both count: the day itself, and the working day
    that stands in for it."""
    return day in _of_year(nation, day.year)


@lru_cache(64)
def _of_year(nation: Nation, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISIONS[nation], years=year))
