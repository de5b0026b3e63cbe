"""Requests of programs, each taken in once: the callback and the answer to it in one transaction. Made as `admission`
says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, Select, delete, insert, select

from dialer.domain.callback import Callback
from dialer.domain.errors import RequestRefused, StoreError
from dialer.engine.ports import Usage
from dialer.intake.admission import Double
from dialer.intake.once import Asked, Given, Once, reused
from dialer.store.admission import LOCK, Door
from dialer.store.key_tables import answer, other_name
from dialer.store.operations import Alone, Operation, in_slices
from dialer.store.rows import CALLBACK_COLUMNS, callback_values, to_callback
from dialer.store.store import SqlStore
from dialer.store.tables import callback

KEPT = timedelta(days=7)
"""How long an answer is kept for its request's repetition."""

_AT_ONCE = 500

_OnceKey = tuple[int, str]
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TakeIn(Operation[tuple[Given | RequestRefused]]):
    """Store the callback and its answer; or tell the answer that was given before, or why it is refused."""

    asked: Asked

    @classmethod
    def write(
        cls, connection: Connection, group: Sequence[Self], now: datetime
    ) -> Sequence[tuple[Given | RequestRefused]]:
        connection.execute(LOCK)
        taking = _Taking(connection, [each.asked for each in group])
        results = [(taking.answer(each.asked),) for each in group]
        rows = [
            {**callback_values(asked.callback, asked.source, now), "external_id": asked.external_id}
            for asked in taking.stored
        ]
        if rows:
            connection.execute(insert(callback), rows)
        if taking.answers:
            connection.execute(insert(answer), [{**row, "at": now} for row in taking.answers])
        if taking.names:
            connection.execute(insert(other_name), taking.names)
        return results


class _Taking:
    """What bears on a group of requests: read at once for all of them, and kept up with those that are taken in."""

    def __init__(self, connection: Connection, group: Sequence[Asked]) -> None:
        self.stored: list[Asked] = []
        self.answers: list[dict[str, Any]] = []
        self.names: list[dict[str, str]] = []
        self._given: dict[_OnceKey, tuple[str, Given]] = {}
        self._known: dict[_Name, Callback] = {}
        keys = [_key_of(asked.once) for asked in group if asked.once is not None]
        for some in in_slices(keys):
            for row in connection.execute(answers_of(some)):
                self._given[row.holder, row.key] = row.fingerprint, Given(row.status, row.body)
        names = [(asked.source, asked.external_id) for asked in group if asked.external_id is not None]
        for some_names in in_slices(names):
            for query in (named(some_names), named_too(some_names)):
                for row in connection.execute(query):
                    self._known[row[-2], row[-1]] = to_callback(row[:-2])
        horizon = max(asked.rule.horizon for asked in group)
        self._door = Door(connection, [asked.callback for asked in group], horizon)

    def answer(self, asked: Asked) -> Given | RequestRefused:
        """The answer to one of them."""
        once = asked.once
        if once is not None and (before := self._given.get(_key_of(once))) is not None:
            return _if_the_same(once, *before)
        found = self._found(asked)
        if isinstance(found, RequestRefused):
            return found
        double = found is not asked.callback
        given = Given(*asked.wording(found, asked.external_id, double=double), new=None if double else found)
        if not double:
            self.stored.append(asked)
        if asked.external_id is not None:
            self._know(asked.source, asked.external_id, found, stored=not double)
        if once is not None:
            self._keep(once, found, given)
        return given

    def _found(self, asked: Asked) -> Callback | RequestRefused:
        """The callback that is promised, new or not."""
        if asked.external_id is not None and (known := self._known.get((asked.source, asked.external_id))):
            return known
        answer = self._door.answer(asked.callback, asked.rule)
        return answer.existing if isinstance(answer, Double) else answer

    def _know(self, source: str, external_id: str, found: Callback, *, stored: bool) -> None:
        """Whoever asks by it again gets the same one, also when that is over."""
        if (source, external_id) not in self._known and not stored:
            self.names.append({"source": source, "external_id": external_id, "callback_id": found.id})
        self._known[source, external_id] = found

    def _keep(self, once: Once, of: Callback, given: Given) -> None:
        self._given[_key_of(once)] = once.fingerprint, Given(given.status, given.body)
        kept = {"holder": once.holder, "key": once.key, "fingerprint": once.fingerprint}
        self.answers.append({**kept, "callback_id": of.id, "status": given.status, "body": given.body})


@dataclass(frozen=True, slots=True)
class _Forget(Alone[int]):
    before: datetime

    def change(self, connection: Connection, now: datetime) -> int:  # noqa: ARG002  # an operation's signature
        old = given_before(self.before).limit(_AT_ONCE)
        return connection.execute(delete(answer).where(answer.c.id.in_(old))).rowcount


@dataclass(frozen=True, slots=True)
class _Touch(Alone[None]):
    """Changes nothing, but takes the lock that a change takes."""

    quiet: ClassVar[bool] = True

    def change(self, connection: Connection, now: datetime) -> None:  # noqa: ARG002  # an operation's signature
        connection.execute(LOCK)


class Submissions:
    """The door of one store for programs. Implements `TakingStore`; every method but `writable` raises `StoreError`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def usage(self, departments: Sequence[str], since: datetime) -> Usage:
        """As the store's own."""
        return await self._store.usage(departments, since)

    async def given(self, once: Once) -> Given | RequestRefused | None:
        """The answer that was given to this request before; a refusal where its key belongs to another request."""
        rows = await self._store.read(answers_of([_key_of(once)]))
        if not rows:
            return None
        return _if_the_same(once, rows[0].fingerprint, Given(rows[0].status, rows[0].body))

    async def known(self, source: str, external_id: str) -> Callback | None:
        """The callback that came from there by this id, or answered the request that did."""
        for query in (named([(source, external_id)]), named_too([(source, external_id)])):
            if rows := await self._store.read(query):
                return to_callback(rows[0][:-2])
        return None

    async def take_in(self, asked: Asked) -> Given | RequestRefused:
        """Store the callback and its answer in one transaction, unless it is there already, or the rule refuses it."""
        (answer,) = await self._store.write(TakeIn(asked))
        return answer

    async def forget(self, before: datetime) -> int:
        """Drop answers that were given before then, in small transactions; how many."""
        count = 0
        while dropped := await self._store.write(_Forget(before)):
            count += dropped
        return count

    async def writable(self) -> bool:
        """Whether the store takes a change now."""
        try:
            await self._store.write(_Touch())
        except StoreError:
            return False
        return True


def _key_of(once: Once) -> _OnceKey:
    return once.holder, once.key


def _if_the_same(once: Once, fingerprint: str, given: Given) -> Given | RequestRefused:
    return given if fingerprint == once.fingerprint else reused()


def given_before(moment: datetime) -> Select[Any]:
    """The answers that were given before then, the longest ago first."""
    return select(answer.c.id).where(answer.c.at < moment).order_by(answer.c.at)


def answers_of(keys: Sequence[_OnceKey]) -> Select[Any]:
    """The answers that were given to these holders' keys, and to some others of theirs."""
    c, holders, words = answer.c, {holder for holder, _ in keys}, [key for _, key in keys]
    # Not by pairs: for those SQLite would look through all.
    return select(c.holder, c.key, c.fingerprint, c.status, c.body).where(c.holder.in_(holders), c.key.in_(words))


def named(names: Sequence[_Name]) -> Select[Any]:
    """The callbacks that came from there by these ids, and perhaps some others; as above."""
    c, sources, ids = callback.c, {source for source, _ in names}, [id_ for _, id_ in names]
    return select(*CALLBACK_COLUMNS, c.source, c.external_id).where(c.source.in_(sources), c.external_id.in_(ids))


def named_too(names: Sequence[_Name]) -> Select[Any]:
    """The callbacks that answered requests from there by these ids, and perhaps some others; as above."""
    c, sources, ids = other_name.c, {source for source, _ in names}, [id_ for _, id_ in names]
    found = select(*CALLBACK_COLUMNS, c.source, c.external_id).join(other_name, c.callback_id == callback.c.id)
    return found.where(c.source.in_(sources), c.external_id.in_(ids))
