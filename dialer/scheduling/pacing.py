"""How fast calls may begin, and how many may be in progress: of a trunk, a PBX, a department, an account."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.directory import Pace

PaceKey = tuple[str, str]
"""What is paced: its kind and its id, such as `("trunk", "carrier")`."""


@dataclass(slots=True)
class _Lane:
    """`spacing` lies between two beginnings, `free_at` is the next of them (None: at once)."""

    spacing: timedelta | None
    at_once: int | None
    in_progress: int = 0
    free_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        return self.at_once is not None and self.in_progress >= self.at_once


class Pacing:
    """Keeps every key to its pace; one that has none is not bounded.

    Beginnings are evenly spaced: what was not used is not made up for, so that no burst follows on an outage or on the
    opening of the doors. Instants are UTC.
    """

    def __init__(self, paces: Mapping[PaceKey, Pace]) -> None:
        self._lanes = {key: _Lane(_spacing(pace), pace.at_once) for key, pace in paces.items()}

    def earliest(self, keys: Sequence[PaceKey], now: datetime) -> datetime | None:
        """The first moment from `now` on at which a call on all of these may begin; None while one of them has as many
        in progress as it may."""
        moment = now
        for lane in self._of(keys):
            if lane.is_full:
                return None
            if lane.free_at is not None and lane.free_at > moment:
                moment = lane.free_at
        return moment

    def begin(self, keys: Sequence[PaceKey], now: datetime) -> None:
        """A call begins: it takes a slot of each, and is in progress until its `end`."""
        for lane in self._of(keys):
            lane.in_progress += 1
            if lane.spacing is not None:
                lane.free_at = now + lane.spacing

    def hold(self, keys: Sequence[PaceKey]) -> None:
        """A call that began elsewhere is in progress: it takes no slot (see `resume`)."""
        for lane in self._of(keys):
            lane.in_progress += 1

    def resume(self, keys: Sequence[PaceKey], begun_at: datetime) -> None:
        """A call began then, elsewhere: the next slot of each comes after it."""
        for lane in self._of(keys):
            if lane.spacing is not None:
                lane.free_at = max(begun_at + lane.spacing, lane.free_at or begun_at)

    def end(self, keys: Sequence[PaceKey]) -> None:
        """A call is over."""
        for lane in self._of(keys):
            lane.in_progress -= 1

    def forget_slots(self) -> None:
        """The clock was set: slots reckoned by the old one may lie hours ahead."""
        for lane in self._lanes.values():
            lane.free_at = None

    def _of(self, keys: Sequence[PaceKey]) -> Iterator[_Lane]:
        return (self._lanes[key] for key in keys if key in self._lanes)


def _spacing(pace: Pace) -> timedelta | None:
    """Rounded up: a rate is never exceeded, not by a microsecond either."""
    if pace.per_second is None:
        return None
    return timedelta(microseconds=math.ceil(1_000_000 / pace.per_second))
