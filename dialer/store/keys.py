"""The API's keys in the store. Made as `operations` says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from dialer.intake.keys import Key, KeyHolder, Scope
from dialer.store.key_tables import api_key
from dialer.store.operations import Alone
from dialer.store.reading import AnyRow
from dialer.store.store import SqlStore

_c = api_key.c
_SHOWN = select(
    *(_c.id, _c.site, _c.scopes, _c.prefix, _c.note, _c.made_by, _c.made_at, _c.last_used_at, _c.revoked_at)
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be kept: `hash` and `prefix` are all that is kept of it."""

    hash: str
    prefix: str
    site: str
    scopes: frozenset[Scope]
    note: str
    who: str


@dataclass(frozen=True, slots=True)
class _Make(Alone[int]):
    new: NewKey

    def change(self, connection: Connection, now: datetime) -> int:
        new = self.new
        values: dict[str, Any] = {
            "hash": new.hash,
            "prefix": new.prefix,
            "site": new.site,
            "scopes": sorted(new.scopes),
            "note": new.note,
            "made_by": new.who,
            "made_at": now,
        }
        made: int = connection.execute(insert(api_key).values(values).returning(_c.id)).scalar_one()
        return made


@dataclass(frozen=True, slots=True)
class _Revoke(Alone[bool]):
    id: int
    who: str

    def change(self, connection: Connection, now: datetime) -> bool:
        living = update(api_key).where(_c.id == self.id, _c.revoked_at.is_(None))
        return connection.execute(living.values(revoked_by=self.who, revoked_at=now)).rowcount > 0


@dataclass(frozen=True, slots=True)
class _Used(Alone[None]):
    ids: tuple[int, ...]

    def change(self, connection: Connection, now: datetime) -> None:
        connection.execute(update(api_key).where(_c.id.in_(self.ids)).values(last_used_at=now))


class Keys:
    """The keys of one store. Every method raises `StoreError`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def make(self, new: NewKey) -> int:
        """Keep a new key; its number."""
        return await self._store.write(_Make(new))

    async def revoke(self, id_: int, who: str) -> bool:
        """End a key for good; False when there is none in force by this number."""
        return await self._store.write(_Revoke(id_, who))

    async def all(self, site: str | None = None) -> list[Key]:
        """Every key that was ever made, revoked ones, too; first to last."""
        ours = _SHOWN if site is None else _SHOWN.where(_c.site == site)
        return [_key(row) for row in await self._store.read(ours.order_by(_c.id))]

    async def find(self, hash_: str) -> KeyHolder | None:
        """Who holds the key of this hash; None when it is unknown or revoked."""
        rows = await self._store.read(by_hash(hash_))
        return KeyHolder(rows[0].id, rows[0].site, _scopes(rows[0].scopes)) if rows else None

    async def used(self, ids: Iterable[int]) -> None:
        """Note that these keys were used just now."""
        await self._store.write(_Used(tuple(sorted(ids))))


def by_hash(hash_: str) -> Select[Any]:
    """The key in force of this hash."""
    return select(_c.id, _c.site, _c.scopes).where(_c.hash == hash_, _c.revoked_at.is_(None))


def _key(row: AnyRow) -> Key:
    id_, site, scopes, *rest = row
    return Key(id_, site, _scopes(scopes), *rest)


def _scopes(words: Iterable[str]) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in words)
