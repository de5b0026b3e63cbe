"""Who asks, when, and for what: requests as they come in at the door."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from dialer.domain.directory import Directory
from tests.year.numbers import CALLED, NEVER, Number, Range
from tests.year.world import Firm

_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 15, 16, 16, 15, 14, 12, 10, 8, 7, 6, 4, 3)
"""How many of a day's requests come in each hour of its firm's clock."""

_BY_WEEKDAY = (12, 11, 11, 10, 10, 6, 4)
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Request:
    """`fields` as they are sent; `number` is what its phone is known to be."""

    fields: dict[str, object]
    number: Number
    department: str


class Visitors:
    """Draws them; some come back, some are after something else."""

    def __init__(self, random: Random, firms: Sequence[Firm], directory: Directory) -> None:
        self._random = random
        self._firms = firms
        self._weights = [firm.share for firm in firms]
        self._regions = {site.account: site.region for site in directory.sites.values()}
        self._recent: deque[Request] = deque(maxlen=400)

    def of_day(self, day: date, callbacks: int) -> Iterator[tuple[datetime, Firm]]:
        """When that day's requests come, and to whom."""
        for firm in self._random.choices(self._firms, self._weights, k=callbacks):
            yield self._moment(day, firm.zone), firm

    def _moment(self, day: date, zone: ZoneInfo) -> datetime:
        (hour,) = self._random.choices(range(24), _BY_HOUR)
        there = datetime.combine(day, time(hour), zone).astimezone(UTC)
        return there + timedelta(seconds=self._random.uniform(0, 3600))

    def request(self, firm: Firm | None, now: datetime) -> Request:
        """One request, to this firm or to any."""
        random = self._random
        if firm is None:
            (firm,) = random.choices(self._firms, self._weights)
        dice = random.random()
        if dice < 0.02 and self._recent:
            again = random.choice(self._recent)
            return Request({**again.fields, "at": None, "until": None}, again.number, again.department)
        department = random.choice(firm.departments)
        number = self._number(firm, dice)
        fields: dict[str, object] = {"department": department, "phone": number.text, **self._visitor(dice)}
        fields |= self._wish(now, firm.zone)
        request = Request(fields, number, department)
        self._recent.append(request)
        return request

    def _number(self, firm: Firm, dice: float) -> Number:
        if 0.02 <= dice < 0.06 and self._recent:
            known = self._random.choice(self._recent).number
            return replace(known, text=known.e164)
        ranges: Sequence[Range] = firm.at_home
        if dice < 0.15:
            ranges = firm.others
        elif dice < 0.17:
            ranges = CALLED
        elif dice < 0.19:
            ranges = NEVER
        return self._random.choice(ranges).draw(self._random, self._regions[firm.account])

    def _visitor(self, dice: float) -> dict[str, object]:
        """One in a hundred sits at a machine from which many ask."""
        if dice > 0.99:
            return {"session": f"s{self._random.randrange(3)}", "address": f"192.0.2.{self._random.randrange(3)}"}
        return {"session": f"{self._random.getrandbits(64):016x}", "name": "Zoë Łącka" if dice < 0.1 else None}

    def _wish(self, now: datetime, zone: ZoneInfo) -> dict[str, object]:
        random = self._random
        dice = random.random()
        if dice < 0.65:
            return {}
        days = int(random.choice((0, 1, 2, 5, 10)) * random.random())
        at = max(self._moment(now.date() + days * _DAY, zone), now)
        begins = _written(at, zone, random)
        if dice < 0.9:
            return {"at": begins}
        return {"at": begins, "until": _written(at + random.randint(30, 500) * _MINUTE, zone, random)}


def _written(at: datetime, zone: ZoneInfo, random: Random) -> str:
    """A whole minute, mostly with an offset; else by the site's clock, which may show it twice or never."""
    there = at.astimezone(zone).replace(second=0, microsecond=0)
    return there.isoformat() if random.random() < 0.8 else there.replace(tzinfo=None).isoformat()


def by_day(days: Sequence[date], callbacks: int, random: Random) -> list[int]:
    """So many callbacks on these days: fewer on weekends, and never the same."""
    weights = [_BY_WEEKDAY[day.weekday()] * random.uniform(0.8, 1.2) for day in days]
    total = sum(weights)
    until = [round(callbacks * share / total) for share in accumulate(weights)]
    return [after - before for before, after in zip([0, *until], until, strict=False)]
