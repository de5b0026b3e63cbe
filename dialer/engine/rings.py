"""When each customer's number was last rung: one ring of a number at a time, and a least gap between two. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_EVER = datetime.min.replace(tzinfo=UTC)


class Rings:
    """Knows numbers by E.164, for as long as the longest gap matters."""

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep
        self._under_way: set[str] = set()
        self._last: dict[str, datetime] = {}

    def load(self, last: Mapping[str, datetime]) -> None:
        """Take up what earlier runs rang: each number's last end (UTC)."""
        self._last.update(last)

    def free_at(self, number: str, gap: timedelta) -> datetime | None:
        """From when on (UTC) the number may be rung again; None while an attempt at it is under way."""
        if number in self._under_way:
            return None
        last = self._last.get(number)
        return _EVER if last is None else last + gap

    def begin(self, number: str) -> None:
        """An attempt at this number begins."""
        self._under_way.add(number)

    def end(self, number: str, rang_until: datetime | None) -> None:
        """It is over; `rang_until` is its end (UTC) where the number rang or may have rung."""
        self._under_way.discard(number)
        if rang_until is not None:
            self._last[number] = rang_until

    def forget_old(self, now: datetime) -> None:
        """Drop what no gap reaches any more, and what a clock that was set back leaves in the future."""
        self._last = {number: at for number, at in self._last.items() if now - self._keep < at <= now}
