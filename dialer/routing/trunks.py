"""Which way out: the trunks that take a call, in order, and which of them rest after failures."""

from collections.abc import Collection
from datetime import datetime, timedelta

from dialer.domain.directory import Department, Directory, Trunk

_FAILURES = 3
"""How many in a row before a trunk rests."""

_FIRST_REST = timedelta(seconds=30)
_LONGEST_REST = timedelta(minutes=15)


def serving(department: Department, directory: Directory, number: str, pbx: str) -> list[Trunk]:
    """The department's trunks on this PBX that take the number (E.164 with its +), in the order to try them."""
    trunks = (directory.trunks[trunk] for trunk in department.trunks)
    return [trunk for trunk in trunks if trunk.pbx == pbx and _takes(trunk, number)]


def reachable(department: Department, directory: Directory, away: Collection[str]) -> tuple[str, ...]:
    """How the numbers begin that a trunk of the department takes while those `away` take nothing (none: as they like,
    also where all of them are away)."""
    here = [directory.trunks[trunk] for trunk in department.trunks if trunk not in away]
    if len(here) == len(department.trunks) or not all(trunk.prefixes for trunk in here):
        return ()
    return tuple(sorted({prefix for trunk in here for prefix in trunk.prefixes}))


def _takes(trunk: Trunk, number: str) -> bool:
    return not trunk.prefixes or number.startswith(trunk.prefixes)


class TrunkHealth:
    """Which trunks rest. Three failures in a row begin a rest of 30 s; each further failure after a rest begins one
    twice as long, up to 15 min; one success ends the series.

    A failure during a rest is of a call begun before it: it says nothing new. Times are of one clock, the caller's.
    """

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._rests: dict[str, datetime] = {}

    def failed(self, trunk: str, now: datetime) -> datetime | None:
        """Count a failure; the end of the rest that it begins, or None when it begins none."""
        if self.rests_until(trunk, now) is not None:
            return None
        failures = self._failures[trunk] = self._failures.get(trunk, 0) + 1
        if failures < _FAILURES:
            return None
        # Bounded before it is doubled: a trunk may fail for years.
        doublings = min(failures - _FAILURES, _LONGEST_REST // _FIRST_REST)
        self._rests[trunk] = now + min(_FIRST_REST * 2**doublings, _LONGEST_REST)
        return self._rests[trunk]

    def worked(self, trunk: str) -> None:
        """A call got through: whatever failed before is forgiven, a rest ends."""
        self._failures.pop(trunk, None)
        self._rests.pop(trunk, None)

    def rests_until(self, trunk: str, now: datetime) -> datetime | None:
        """When the trunk's rest ends; None when it does not rest."""
        end = self._rests.get(trunk)
        return end if end is not None and now < end else None

    def next_back(self, now: datetime) -> datetime | None:
        """When the next of the resting trunks comes back; None when none rests."""
        return min((end for end in self._rests.values() if now < end), default=None)

    def forget(self) -> None:
        """Forget everything: the clock was set, and no end of a rest means anything any more."""
        self._failures.clear()
        self._rests.clear()
