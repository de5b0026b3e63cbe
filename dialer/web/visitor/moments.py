"""Times in words, by the clock of the site and in the page's language."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dialer.web.visitor.texts import Texts

_UK = "Europe/London"


def day(at: datetime, texts: Texts) -> str:
    """The day of a local time: `Tuesday 14 May 2030`."""
    return f"{texts.days[at.weekday()]} {at.day} {texts.months[at.month - 1]} {at.year}"


def clock(at: datetime) -> str:
    """The time of day of a local time: `14:30`."""
    return f"{at:%H:%M}"


def zone_name(at: datetime, texts: Texts) -> str:
    """The zone of a local time, as people say it and as it is on that day: `UK time, BST`."""
    key = at.tzinfo.key if isinstance(at.tzinfo, ZoneInfo) else ""
    place = texts.uk_time if key == _UK else key.rpartition("/")[2].replace("_", " ")
    return f"{place}, {_short(at)}"


def _short(at: datetime) -> str:
    """`BST`; of zones that have only a number for a name, `UTC+04`."""
    name = at.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name
