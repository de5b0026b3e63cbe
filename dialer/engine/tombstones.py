"""What the PBXs' databases hold of attempts goes once no late Originate can ask for it any more: step by small step."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from ulid import ULID

from dialer.domain.ids import AttemptId
from dialer.engine.ports import EngineStore, Pbx

log = structlog.get_logger()

KEEP = timedelta(hours=25)
"""How long the keys of an attempt stay after its making. The PBX refuses an attempt minutes after that; the rest is for
a clock of the PBX's that steps back."""

_STEP = 100
"""Attempts whose keys go in one step."""

_KNOWN_BACK = timedelta(days=7)
_ORPHANS_BACK = timedelta(days=30)
"""How far behind a daemon that was started begins to look."""

_PREFIX = 5
_SLICE_BITS = 25
"""Orphans are looked for by the first 5 of the 10 characters (of 5 bits each) that tell an id's time in milliseconds:
slices of 9.3 hours."""


@dataclass(slots=True)
class _Progress:
    after: AttemptId
    slice: int
    orphans: list[AttemptId] = field(default_factory=list)


class Tombstones:
    """Knows how far each PBX's database was swept. Attempts of this store are deleted by name. What else is found was
    left by a store that is gone, and is looked for once in 9.3 hours."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._progress: dict[str, _Progress] = {}

    async def step(self, pbx: Pbx, living: Collection[AttemptId]) -> None:
        """Delete the keys of at most a hundred attempts, none of them `living`. Time is the PBX's own: it is the PBX
        that refuses what comes late. Raises `PbxError` or `StoreError`; the next step then does the same again."""
        until = await pbx.now() - KEEP
        at = self._progress.setdefault(pbx.name, _begin(until))
        known = await self._store.ended_attempts(pbx.name, at.after, _first_of(until), _STEP)
        if known:
            await pbx.forget(known)
            at.after = known[-1]
            return
        if not at.orphans and _slice(until) > at.slice:
            found = await pbx.remembered(_prefix(at.slice))
            at.orphans = sorted(found.difference(living))
            at.slice += 1
        some = at.orphans[:_STEP]
        if some:
            log.info("pbx.orphans_deleted", pbx=pbx.name, attempts=len(some), note="keys of attempts of no known store")
            await pbx.forget(some)
            del at.orphans[:_STEP]


def _begin(until: datetime) -> _Progress:
    return _Progress(_first_of(until - _KNOWN_BACK), _slice(until - _ORPHANS_BACK))


def _first_of(moment: datetime) -> AttemptId:
    """Sorts before every id made at this moment or later."""
    return AttemptId(str(ULID.from_datetime(moment))[:10])


def _slice(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) >> _SLICE_BITS


def _prefix(slice_: int) -> str:
    return str(ULID.from_timestamp((slice_ << _SLICE_BITS) / 1000))[:_PREFIX]
