"""Times and names in a message's own words: dates in the site's language, a name only if it looks like one."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialer.domain import phone


class Language(StrEnum):
    """English and Welsh."""

    ENGLISH = "en"
    WELSH = "cy"


@dataclass(frozen=True, slots=True)
class _Words:
    days: tuple[str, ...]
    months: tuple[str, ...]
    at: str
    between: str


_WORDS: Mapping[Language, _Words] = {
    Language.ENGLISH: _Words(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        (
            *("January", "February", "March", "April", "May", "June"),
            *("July", "August", "September", "October", "November", "December"),
        ),
        at="{day} at {time} ({zone})",
        between="{day} between {time} and {until} ({zone})",
    ),
    Language.WELSH: _Words(
        tuple(f"dydd {day}" for day in ("Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul")),
        (
            *("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin"),
            *("Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
        ),
        at="{day} am {time} ({zone})",
        between="{day} rhwng {time} a {until} ({zone})",
    ),
}


@dataclass(frozen=True, slots=True)
class When:
    """A promised time in words: `day` ("Monday 2 March 2026"), `time` ("14:30"), `zone` ("GMT"), and all of it with the
    end of the visitor's window, where there is one, in `whole`."""

    day: str
    time: str
    zone: str
    whole: str


def when(at: datetime, until: datetime | None, zone: ZoneInfo, home: ZoneInfo, language: Language) -> When:
    """`at`, and the `until` of a window, by the clock of `zone`. The zone's letters tell the two readings apart of an
    hour that the clocks show twice; a zone that is not the site's own (`home`) is named by its place, too."""
    words = _WORDS[language]
    begins = _parts(at, zone, home, words)
    whole = words.at.format(**begins)
    if until is not None and until > at:
        ends = _parts(until, zone, home, words)
        if (begins["day"], begins["zone"]) == (ends["day"], ends["zone"]):
            whole = words.between.format(**begins, until=ends["time"])
        else:
            whole = f"{whole} \N{EN DASH} {words.at.format(**ends)}"
    return When(begins["day"], begins["time"], begins["zone"], whole)


def zone_of(number: str, home: ZoneInfo, at: datetime) -> ZoneInfo:
    """The zone by whose clock a visitor is told `at`: their number's where it has one and that clock shows another time
    than the site's; otherwise the site's own."""
    clocks = {at.astimezone(zone).replace(tzinfo=None): zone for zone in _zones(number)}
    if len(clocks) != 1 or at.astimezone(home).replace(tzinfo=None) in clocks:
        return home
    return next(iter(clocks.values()))


_LONGEST = 60
_MOST_MARKS = 3
_IN_NAMES = frozenset("' .,-\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{HYPHEN}")
_JOINERS = "\u200c\u200d"
_LIKE_AN_ADDRESS = re.compile(r"\w{2,}\.\w|\.\w{2,}|\bwww\b", re.IGNORECASE)


def name_of(text: str) -> str:
    """A visitor's name as a message may greet by it; '' for what does not look like one.

    Whoever books a call can write anything there, to anybody's address, in the site's name: so no digits, addresses or
    signs, nothing long, and nothing that could turn the reading direction or hide.
    """
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(char for char in composed if unicodedata.category(char) != "Cf" or char in _JOINERS)
    name = " ".join(visible.split())
    fit = all(char in _IN_NAMES or char in _JOINERS or unicodedata.category(char)[0] in "LM" for char in name)
    marks = max((len(run) for run in re.findall(r"[\u0300-\u036f]+", unicodedata.normalize("NFD", name))), default=0)
    if not fit or len(name) > _LONGEST or marks > _MOST_MARKS or _LIKE_AN_ADDRESS.search(name):
        return ""
    return name if any(unicodedata.category(char)[0] == "L" for char in name) else ""


def one_line(text: str, most: int) -> str:
    """Text for a header or an SMS: on one line, without what cannot be seen, at most so many characters."""
    shown = "".join(" " if unicodedata.category(char) in _BREAKS else char for char in text if not _is_hidden(char))
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


_BREAKS = frozenset({"Cc", "Zl", "Zp", "Zs"})


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in {"Cf", "Cs"} and char not in _JOINERS


def _zones(number: str) -> list[ZoneInfo]:
    found = []
    for name in phone.zones(number):
        try:
            found.append(ZoneInfo(name))
        except ZoneInfoNotFoundError:
            continue
    return found


def _parts(at: datetime, zone: ZoneInfo, home: ZoneInfo, words: _Words) -> dict[str, str]:
    local = at.astimezone(zone)
    letters = local.tzname() or ""
    if letters[:1] in {"+", "-", ""}:
        letters = f"UTC{letters}"
    if zone.key != home.key:
        letters = f"{zone.key.rpartition('/')[2].replace('_', ' ')}, {letters}"
    return {
        "day": f"{words.days[local.weekday()]} {local.day} {words.months[local.month - 1]} {local.year}",
        "time": f"{local:%H:%M}",
        "zone": letters,
    }
