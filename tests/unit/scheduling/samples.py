"""Hours and departments as the tables of this folder write them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from dialer.domain.directory import Interval, Nation, OpeningHours
from tests.unit import plain

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")


def spans(text: str) -> tuple[Interval, ...]:
    """`09:00-12:30 13:30-17:30`; `24:00` is midnight."""
    return tuple(Interval(time.fromisoformat(span[:5]), _end(span[6:])) for span in text.split())


def _end(text: str) -> time | None:
    return None if text == "24:00" else time.fromisoformat(text)


def hours(
    zone: ZoneInfo,
    daily: str = "",
    *,
    mon_fri: str = "",
    fri: str = "",
    sun: str = "",
    exceptions: Mapping[str, str] | None = None,
    nation: Nation | None = None,
    on_holidays: str = "",
) -> OpeningHours:
    """What is said of a day holds in the place of `daily`."""
    workday, weekend = spans(mon_fri or daily), spans(daily)
    week = (*[workday] * 4, spans(fri) if fri else workday, weekend, spans(sun) if sun else weekend)
    dates = {date.fromisoformat(day): spans(text) for day, text in (exceptions or {}).items()}
    return OpeningHours(zone, week, dates, nation, spans(on_holidays))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DEPARTMENT = plain.department(hours=hours(LONDON, mon_fri="09:00-18:00"), max_call=3600)
