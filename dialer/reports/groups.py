"""By what figures are told apart, and the sums of each group."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, assert_never
from zoneinfo import ZoneInfo

from dialer.domain.directory import Directory
from dialer.reports.rows import Call, Visit

Row_contra = TypeVar("Row_contra", contravariant=True)
Figures_co = TypeVar("Figures_co", covariant=True)

Key = tuple[str, ...]

UTC_ZONE = ZoneInfo("UTC")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class By(StrEnum):
    """What tells groups apart. The last three go by the wall clock of the site's zone: an hour that the clocks show
    twice is one group."""

    SITE = "site"
    DEPARTMENT = "department"
    AGENT = "agent"
    HOUR = "hour"
    WEEKDAY = "weekday"
    DAY = "day"


class Sums(Protocol[Row_contra, Figures_co]):
    """What is added up of one group."""

    def add(self, row: Row_contra) -> None:
        """Count one more."""

    def figures(self, key: Key) -> Iterable[Figures_co]:
        """What came out, of the group with this key."""


class Tally(Generic[Row_contra, Figures_co]):
    """Rows sorted into groups by `key_of`, each with sums of its own. Only the sums are kept. Groups of `always` are
    there without any row; `place_of` orders the keys."""

    def __init__(
        self,
        sums: Callable[[], Sums[Row_contra, Figures_co]],
        key_of: Callable[[Row_contra], Key],
        always: Iterable[Key] = (),
        place_of: Callable[[Key], object] | None = None,
    ) -> None:
        self._sums = sums
        self._key_of = key_of
        self._place_of = place_of
        self._groups: dict[Key, Sums[Row_contra, Figures_co]] = {key: sums() for key in always}

    def take(self, rows: Iterable[Row_contra]) -> None:
        """Count some rows."""
        groups, key_of = self._groups, self._key_of
        for row in rows:
            key = key_of(row)
            group = groups.get(key)
            if group is None:
                group = groups[key] = self._sums()
            group.add(row)

    def figures(self) -> list[Figures_co]:
        """What came out, group by group in their order."""
        keys = sorted(self._groups, key=self._place_of)  # type: ignore[arg-type]  # places are comparable
        return [figures for key in keys for figures in self._groups[key].figures(key)]


def grouped(
    sums: Callable[[], Sums[Row_contra, Figures_co]], by: By | None, directory: Directory
) -> Tally[Row_contra, Figures_co]:
    """A tally with a group for each value of `by`; without one, all is one group, which is there also when it is
    empty."""
    if by is None:
        return Tally(sums, lambda _: ("",), always=[("",)])
    place = (lambda key: _WEEKDAYS.index(key[0])) if by is By.WEEKDAY else None
    return Tally(sums, lambda row: (_label(by, row, directory),), place_of=place)  # type: ignore[arg-type]  # both kinds of row


def zone_of(site: str, directory: Directory) -> ZoneInfo:
    """A site's zone; UTC for one that is no longer in the configuration."""
    known = directory.sites.get(site)
    return known.zone if known else UTC_ZONE


def _label(by: By, row: Call | Visit, directory: Directory) -> str:
    match by:
        case By.SITE:
            return row.site
        case By.DEPARTMENT:
            return row.department if isinstance(row, Call) else ""
        case By.AGENT:
            return row.agent if isinstance(row, Call) else ""
        case By.HOUR:
            return f"{_local(row, directory).hour:02}"
        case By.WEEKDAY:
            return _WEEKDAYS[_local(row, directory).weekday()]
        case By.DAY:
            return _local(row, directory).date().isoformat()
        case _:
            assert_never(by)


def _local(row: Call | Visit, directory: Directory) -> datetime:
    at = row.begun_at if isinstance(row, Call) else row.at
    return at.astimezone(zone_of(row.site, directory))
