"""The door: new callbacks are stored unless one is promised already or the door's rule refuses them. Made as
`operations` says, but for one thing: an answer depends on what is not there yet, and so on rows that no UPDATE locks.

On SQLite the transaction's first change takes the lock of the whole database, and what is asked after it cannot change
before what it led to is written. PostgreSQL will need a lock for each number, session and origin in its place, taken in
the order of their names (`pg_advisory_xact_lock`), by `Object`, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import Connection, insert, update

from dialer.domain.callback import Callback, WishKind
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import CallbackId
from dialer.intake.admission import AdmissionRule, Double, Seen
from dialer.store import queries
from dialer.store.operations import Operation, in_slices
from dialer.store.rows import callback_values, to_callback
from dialer.store.tables import callback

Answer = Callback | Double | RequestRefused
_Promise = tuple[str, str, str]
_Visitor = tuple[str, str]

_ASKED = {"session": queries.requests_in, "origin": queries.requests_from}

LOCK = update(callback).where(callback.c.id == "").values(version=callback.c.version)
"""Changes nothing, and is a change."""


@dataclass(frozen=True, slots=True)
class Admit(Operation[list[Answer]]):
    """Store each callback that came from `source`, unless an open one promises the same or the rule refuses it: it
    knows those that come before it in the group."""

    callbacks: tuple[Callback, ...]
    rule: AdmissionRule
    source: str

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[list[Answer]]:
        connection.execute(LOCK)
        door = Door(
            connection,
            [new for admit in group for new in admit.callbacks],
            max(admit.rule.horizon for admit in group),
        )
        answers = [[door.answer(new, admit.rule) for new in admit.callbacks] for admit in group]
        rows = [
            callback_values(answer, admit.source, now)
            for admit, its in zip(group, answers, strict=True)
            for answer in its
            if isinstance(answer, Callback)
        ]
        if rows:
            connection.execute(insert(callback), rows)
        return answers


class Door:
    """What bears on new callbacks: read at once for all of them, and kept up with those that are let in."""

    def __init__(self, connection: Connection, news: Sequence[Callback], horizon: timedelta) -> None:
        self._open: dict[_Promise, Callback] = {}
        self._objected: set[str] = set()
        self._times: dict[str, list[datetime]] = {}
        self._requests: dict[_Visitor, dict[CallbackId, tuple[datetime, str]]] = {}
        since = min(new.requested_at for new in news) - horizon
        self._read_numbers(connection, sorted({new.visitor.phone for new in news}), since)
        self._read_visitors(connection, sorted({key for new in news for key in _visitors(new)}), since)

    def _read_numbers(self, connection: Connection, numbers: Sequence[str], since: datetime) -> None:
        for some in in_slices(numbers):
            for row in connection.execute(queries.open_callbacks_of(some)):
                existing = to_callback(row)
                if not _is_to_end(existing):
                    self._open.setdefault(_promise(existing), existing)
            self._objected.update(connection.scalars(queries.listed(some)))
            for number, at in connection.execute(queries.requests_for(some, since)):
                self._times.setdefault(number, []).append(at)

    def _read_visitors(self, connection: Connection, visitors: Sequence[_Visitor], since: datetime) -> None:
        for kind, asked in _ASKED.items():
            for some in in_slices([key for its_kind, key in visitors if its_kind == kind]):
                for key, id_, at, number in connection.execute(asked(some, since)):
                    self._requests.setdefault((kind, key), {})[id_] = at, number

    def answer(self, new: Callback, rule: AdmissionRule) -> Answer:
        """The callback when it is let in."""
        if existing := self._open.get(_promise(new)):
            return Double(existing)
        refusal = rule(new, self._seen(new, new.requested_at - rule.horizon))
        if refusal is None:
            self._let_in(new)
        return refusal or new

    def forget(self, ended: Callback) -> None:
        """It promises nothing any more, or not beyond its attempt under way: who asks anew is not answered with it."""
        promise = _promise(ended)
        if promise in self._open and self._open[promise].id == ended.id:
            del self._open[promise]

    def _seen(self, new: Callback, since: datetime) -> Seen:
        number = new.visitor.phone
        # The same callback is often of the same session and from the same address.
        requests = {id_: each for key in _visitors(new) for id_, each in self._requests.get(key, {}).items()}
        return Seen(
            number_times=tuple(sorted(at for at in self._times.get(number, ()) if at >= since)),
            visitor_numbers=tuple(sorted(each for each in requests.values() if each[0] >= since)),
            objected=number in self._objected,
        )

    def _let_in(self, new: Callback) -> None:
        number = new.visitor.phone
        self._open[_promise(new)] = new
        self._times.setdefault(number, []).append(new.requested_at)
        for key in _visitors(new):
            self._requests.setdefault(key, {})[new.id] = new.requested_at, number


def _promise(of: Callback) -> _Promise:
    return of.visitor.phone, of.site, of.department


def _is_to_end(existing: Callback) -> bool:
    """Whether an open callback ends as soon as it can: it promises nobody a call any more."""
    return existing.wish is not None and existing.wish.kind is not WishKind.MOVE


def _visitors(new: Callback) -> list[_Visitor]:
    """By what a visitor is known again."""
    return [(kind, key) for kind, key in (("session", new.visitor.session), ("origin", new.origin)) if key]
