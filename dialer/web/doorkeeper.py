"""Keys as they are held by whoever comes: known again, counted, and their use noted behind."""

import math
from collections import OrderedDict
from collections.abc import Callable

from dialer.domain.errors import StoreError
from dialer.intake.keys import KeyHolder, hash_of, is_token
from dialer.web.pace import Pacer
from dialer.web.ports import KeyStore
from dialer.web.problems import Problem
from dialer.web.proxies import network

_FRESH = 0.5
"""Seconds for which a key once found is taken to be in force: a revoked one opens nothing a second later."""
_NOTED = 60.0
"""Seconds between two notes of a key's last use."""
_MOST = 1_000
"""Keys that are remembered."""

BY_KEY = {"www-authenticate": "Bearer"}


class Doorkeeper:
    """Knows keys again, and how often each was used. `clock` gives seconds that only grow."""

    def __init__(self, keys: KeyStore, per_key: Pacer, per_address: Pacer, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._per_key = per_key
        self._per_address = per_address
        self._clock = clock
        self._found: OrderedDict[str, tuple[float, KeyHolder]] = OrderedDict()
        self._noted: dict[int, float] = {}
        self._unnoted: set[int] = set()

    async def holder(self, token: str, address: str) -> KeyHolder:
        """Who holds this key. Raises `Problem` where nobody does, or they ask too often; `StoreError`."""
        hash_ = hash_of(token)
        holder = self._remembered(hash_)
        if holder is None:
            holder = await self._keys.find(hash_) if is_token(token) else None
            if holder is None:
                self.keyless(address)
                raise Problem(401, "key_unknown", "this key is unknown or was revoked", headers=BY_KEY)
            self._remember(hash_, holder)
        if holder.publishable:
            self.keyless(address)  # anybody may have read it
        _hold_to(self._per_key, holder.id)
        self._note(holder.id)
        return holder

    def keyless(self, address: str) -> None:
        """Count a request that needs no secret. Raises `Problem` when there were too many from this address."""
        _hold_to(self._per_address, network(address))

    async def note_uses(self) -> None:
        """Write down which keys were used since the last time; keeps them for the next time when that fails."""
        ids, self._unnoted = self._unnoted, set()
        if not ids:
            return
        try:
            await self._keys.used(ids)
        except StoreError:
            self._unnoted |= ids

    def _remembered(self, hash_: str) -> KeyHolder | None:
        since, holder = self._found.get(hash_, (-math.inf, None))
        return holder if self._clock() - since < _FRESH else None

    def _remember(self, hash_: str, holder: KeyHolder) -> None:
        self._found[hash_] = self._clock(), holder
        self._found.move_to_end(hash_)
        if len(self._found) > _MOST:
            self._found.popitem(last=False)

    def _note(self, id_: int) -> None:
        now = self._clock()
        if now - self._noted.get(id_, -math.inf) >= _NOTED:
            self._noted[id_] = now
            self._unnoted.add(id_)


def _hold_to(pacer: Pacer, asker: int | str) -> None:
    if wait := pacer.wait(asker):
        raise Problem(429, "rate", "too many requests", headers={"retry-after": str(max(1, math.ceil(wait)))})
