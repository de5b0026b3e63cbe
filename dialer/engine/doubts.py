"""Attempts in doubt, and the evidence that may still come: the record of an end that nobody saw in time."""

from datetime import datetime, timedelta

import structlog

from dialer.domain.attempt import Attempt, amend
from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import EndRecord, classify
from dialer.engine.ending import durably, next_step
from dialer.engine.ports import Clock, EngineStore, Pbx

log = structlog.get_logger()

_KEEP = timedelta(hours=24)
"""How long evidence is waited for. A little later the PBX's database is swept."""


class Doubts:
    """The recent attempts whose outcome is in doubt, with their callbacks, which wait for a person."""

    def __init__(self, store: EngineStore, directory: Directory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._open: dict[AttemptId, tuple[Attempt, Callback]] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def load(self) -> None:
        """Take up what earlier runs left in doubt. Raises `StoreError`."""
        for attempt, callback in await self._store.doubtful(self._clock.now() - _KEEP):
            self._open[attempt.id] = attempt, callback

    def add(self, attempt: Attempt, callback: Callback) -> None:
        """Remember one that just ended so."""
        self._forget(self._clock.now() - _KEEP)
        self._open[attempt.id] = attempt, callback

    async def look(self, pbx: Pbx) -> bool:
        """Ask a PBX for the ends of those that are pinned to it; True when one was found. Raises a `PbxError`."""
        pinned = [id_ for id_, (attempt, _) in self._open.items() if attempt.pbx == pbx.name]
        found = await pbx.traces(pinned) if pinned else {}
        ends = [(id_, traces.journal) for id_, traces in found.items() if isinstance(traces.journal, EndRecord)]
        return any([await self.settle(id_, record) for id_, record in ends])

    async def settle(self, id_: AttemptId, record: EndRecord) -> bool:
        """Amend an attempt by the record of its end, durably; False when it is not one of these."""
        known = self._open.pop(id_, None)
        if known is None:
            return False
        attempt, callback = known
        now = self._clock.now()
        amended, verdict = amend(attempt, record, now), classify(record)
        step = next_step(self._directory, attempt, callback, verdict, now)
        await durably(lambda: self._store.amend(amended, step))
        log.info(
            "attempt.amended",
            callback=attempt.callback_id,
            attempt=id_,
            outcome=verdict.outcome.value,
            callback_status=step.status.value,
        )
        return True

    def _forget(self, before: datetime) -> None:
        self._open = {id_: known for id_, known in self._open.items() if known[0].created_at >= before}
