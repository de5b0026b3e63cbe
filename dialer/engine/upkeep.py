"""What needs a look now and then: promises that ran out, keys that may go, and what a person should know."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime

import structlog

from dialer.domain.callback import Status
from dialer.domain.errors import PbxError, StoreError
from dialer.engine.attempts import Attempts, Changed
from dialer.engine.capacity import Capacity
from dialer.engine.decision import OUT_OF_TIME
from dialer.engine.ports import Alerting, AlertKind, EngineStore, Pbx
from dialer.engine.tombstones import Tombstones

log = structlog.get_logger()

_AT_ONCE = 200
"""Promises given up by one look into the store."""


class Upkeep:
    """`sweep` is called every few seconds; what takes longer is one task at a time, made by `spawn`. `ready` holds the
    names of the PBXs that can be dialled through."""

    def __init__(
        self,
        *,
        store: EngineStore,
        attempts: Attempts,
        capacity: Capacity,
        pbxs: Mapping[str, Pbx],
        ready: Mapping[str, datetime],
        alerts: Alerting,
        spawn: Callable[[Coroutine[None, None, None]], object],
        changed: Changed,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._capacity = capacity
        self._pbxs = pbxs
        self._ready = ready
        self._alerts = alerts
        self._spawn = spawn
        self._changed = changed
        self._tombstones = Tombstones(store)
        self._tidying = False
        self._down: set[str] = set()
        """The PBXs that were down at the last sweep."""

    def sweep(self, now: datetime) -> None:
        """Tell what stands in the way of calls, and begin what is to be tidied at `now` (UTC)."""
        self._capacity.tidy(now)
        self._tell_pbxs()
        self._tell_caps(now)
        if not self._tidying:
            self._tidying = True
            self._spawn(self._tidy(now))

    def _tell_pbxs(self) -> None:
        # At a start, or while a lost link is made again, a PBX is down for a moment, and nobody has to look at that.
        down = self._pbxs.keys() - self._ready.keys()
        for name in down & self._down:
            self._alerts.raised(
                AlertKind.PBX_DOWN, name, f"no calls go through PBX {name}", "see the daemon's log, and: dialer doctor"
            )
        self._down = down

    def _tell_caps(self, now: datetime) -> None:
        for account in self._capacity.capped():
            if self._capacity.allowance(account, now) > now:
                what = f"account {account.id} has used up what it may call in a day"
                self._alerts.raised(AlertKind.ACCOUNT_CAP, account.id, what, "raise its cap, or wait for its next day")
            else:
                self._alerts.cleared(AlertKind.ACCOUNT_CAP, account.id)

    async def _tidy(self, now: datetime) -> None:
        try:
            await self._expire(now)
        except StoreError as error:
            log.warning("callback.not_expired", why=error.what)
        for name in list(self._ready):
            try:
                await self._tombstones.step(self._pbxs[name], self._attempts.of_pbx(name))
            except (PbxError, StoreError) as error:
                log.debug("pbx.not_swept", pbx=name, why=error.what)
        self._tidying = False

    async def _expire(self, now: datetime) -> None:
        """End callbacks that nobody could take in time, also where nothing is dialled at all."""
        while found := await self._store.expired(now, _AT_ONCE):
            ended = [callback for callback in found if await self._store.close(callback, Status.EXPIRED, OUT_OF_TIME)]
            for callback in ended:
                log.info("callback.expired", callback=callback.id, department=callback.department)
            self._changed(requeued=True)
            if not ended:
                return  # all of them were changed meanwhile
