"""Feeds in the store: a page's cursor moves in the transaction that makes its callbacks, or neither does. Made as
`operations` says."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection, case, insert, select, true, update

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.ids import CallbackId, feed_source
from dialer.intake.admission import AdmissionRule, Double
from dialer.intake.feed import Cancel, ItemAnswer
from dialer.intake.taking import Entry, Move, unknown
from dialer.store import decisions
from dialer.store.admission import Door
from dialer.store.decisions import Reschedule
from dialer.store.feed_tables import QUARANTINED, UNTOLD, feed, feed_item
from dialer.store.operations import Alone, in_slices
from dialer.store.rows import callback_values
from dialer.store.tables import ONE_MORE, callback

_TARGETED = (ItemAnswer.ACCEPTED, ItemAnswer.DOUBLE)
"""Items that a callback came of."""


_CHANGES = frozenset({ItemAnswer.DONE, ItemAnswer.NOTED})

_told = feed_item.c.told
_TO_TELL = {"untold": true(), "told": case((UNTOLD, _told + ONE_MORE), else_=_told)}
"""There is something else to tell. What was to be told before may be on its way, or there: this has another number."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a page brought: new items by what became of them, the callbacks that were made, and how many ids came again
    with other content."""

    answers: Mapping[ItemAnswer, int]
    made: tuple[Callback, ...] = field(repr=False)
    differing: int

    @property
    def new(self) -> int:
        """Items that were not known."""
        return sum(self.answers.values())

    @property
    def quarantined(self) -> int:
        """Of the new ones, those that could not be taken."""
        return self.answers.get(ItemAnswer.QUARANTINED, 0)

    @property
    def changed(self) -> bool:
        """Whether callbacks that were there before, or came with this page, were changed."""
        return bool(self.answers.keys() & _CHANGES)


@dataclass(frozen=True, slots=True)
class TakePage(Alone[Taken]):
    """Take a page in and move its feed's cursor (None: it stays). Of one id, the first content counts. `tell`: the
    feed wants to hear what became of its items."""

    feed: str
    entries: tuple[Entry, ...] = field(repr=False)
    cursor: str | None = field(repr=False)
    rule: AdmissionRule
    tell: bool

    def change(self, connection: Connection, now: datetime) -> Taken:
        self._move_cursor(connection, now)
        known = self._known(connection)
        fresh = {entry.item.id: entry for entry in reversed(self.entries) if entry.item.id not in known}
        taking = _Taking(connection, self.feed, self.rule, now, list(fresh.values()))
        rows: dict[str, dict[str, Any]] = {}
        differing = 0
        for entry in self.entries:
            id_, digest = entry.item.id, entry.item.digest
            if id_ in rows:
                differing += _differs_in_page(rows[id_], digest, tell=self.tell)
            elif id_ in known:
                differing += digest != known[id_]
                if digest != known[id_]:
                    self._note_difference(connection, id_)
            else:
                rows[id_] = self._row(entry, taking.answer(entry), now)
        made = taking.write()
        if rows:
            connection.execute(insert(feed_item), list(rows.values()))
            mine = update(feed).where(feed.c.name == self.feed)
            connection.execute(mine.values(taken=feed.c.taken + len(rows), news_at=now))
        return Taken(Counter(ItemAnswer(row["answer"]) for row in rows.values()), made, differing)

    def _move_cursor(self, connection: Connection, now: datetime) -> None:
        """The change with which it begins."""
        values = {"read_at": now, **({} if self.cursor is None else {"cursor": self.cursor})}
        if not connection.execute(update(feed).where(feed.c.name == self.feed).values(**values)).rowcount:
            connection.execute(insert(feed).values(name=self.feed, **values))

    def _known(self, connection: Connection) -> dict[str, str]:
        """The digests of items that were taken before."""
        c = feed_item.c
        ids = list(dict.fromkeys(entry.item.id for entry in self.entries))
        asked = select(c.item, c.digest).where(c.feed == self.feed)
        return {
            row.item: row.digest for some in in_slices(ids) for row in connection.execute(asked.where(c.item.in_(some)))
        }

    def _note_difference(self, connection: Connection, id_: str) -> None:
        """Counted, and told the first time: a feed that repeats itself for ever is not to be answered for ever."""
        its = update(feed_item).where(feed_item.c.feed == self.feed, feed_item.c.item == id_)
        if self.tell:
            connection.execute(its.where(feed_item.c.differs == 0).values(**_TO_TELL))
        connection.execute(its.values(differs=feed_item.c.differs + 1))

    def _row(self, entry: Entry, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "item": entry.item.id,
            "digest": entry.item.digest,
            **values,
            "taken_at": now,
            "updated_at": now,
            "differs": 0,
            # Of its own callback, the outbox tells.
            "untold": self.tell and values["answer"] != ItemAnswer.ACCEPTED,
            "told": 0,
        }


def _differs_in_page(row: dict[str, Any], digest: str, *, tell: bool) -> bool:
    if row["digest"] == digest:
        return False
    row["differs"] += 1
    row["untold"] = tell
    return True


@dataclass(frozen=True, slots=True)
class RetryItem(Alone[ItemAnswer]):
    """Take an item that is in quarantine, as it came. Nothing changes where it is not there any more."""

    feed: str
    entry: Entry = field(repr=False)
    rule: AdmissionRule
    tell: bool

    def change(self, connection: Connection, now: datetime) -> ItemAnswer | IllegalState:
        c, id_ = feed_item.c, self.entry.item.id
        its = update(feed_item).where(c.feed == self.feed, c.item == id_)
        if not connection.execute(its.where(QUARANTINED).values(updated_at=now)).rowcount:
            return IllegalState("it is not in quarantine", where=id_)
        taking = _Taking(connection, self.feed, self.rule, now, [self.entry])
        values = taking.answer(self.entry)
        taking.write()
        # The callback of a request that is taken now is told by the outbox; this tells that the refusal is over.
        connection.execute(its.values(**values, **(_TO_TELL if self.tell else {"untold": False})))
        return ItemAnswer(values["answer"])


class _Taking:
    """One transaction's worth of items that are not known. `write` what is left once all have their answer."""

    def __init__(
        self, connection: Connection, name: str, rule: AdmissionRule, now: datetime, entries: Sequence[Entry]
    ) -> None:
        self._connection = connection
        self._feed = name
        self._rule = rule
        self._now = now
        self._callbacks: dict[str, CallbackId] = {}
        self._rows: list[dict[str, Any]] = []
        self._new: list[Callback] = []
        news = [entry.work for entry in entries if isinstance(entry.work, Callback)]
        self._door = Door(connection, news, rule.horizon) if news else None
        self._made = self._made_before([entry.item.id for entry in entries if isinstance(entry.work, Callback)])

    def answer(self, entry: Entry) -> dict[str, Any]:
        """What becomes of an item: the columns that say so."""
        match entry.work:
            case Callback():
                return self._admit(entry, entry.work)
            case Move():
                move = entry.work
                times = (move.due_at, move.expires_at, move.wanted_at, move.wanted_until)
                return self._change(entry, move.of, lambda id_: Reschedule(id_, *times), Status.SCHEDULED)
            case Cancel():
                cancel = entry.work
                return self._change(
                    entry, cancel.of, lambda id_: decisions.Cancel(id_, cancel.reason), Status.CANCELLED
                )
            case RequestRefused():
                return _quarantined(entry, entry.work)
            case _:
                assert_never(entry.work)

    def write(self) -> tuple[Callback, ...]:
        """Write the new callbacks, all at once: claims wait behind a page. All that were made."""
        if self._rows:
            self._connection.execute(insert(callback), self._rows)
            self._rows = []
        return tuple(self._new)

    def _made_before(self, ids: Sequence[str]) -> dict[str, CallbackId]:
        """Callbacks of these items whose rows here are gone."""
        c = callback.c
        asked = select(c.external_id, c.id).where(c.source == feed_source(self._feed))
        return {
            row.external_id: row.id
            for some in in_slices(ids)
            for row in self._connection.execute(asked.where(c.external_id.in_(some)))
        }

    def _admit(self, entry: Entry, new: Callback) -> dict[str, Any]:
        id_ = entry.item.id
        if (made := self._made.get(id_)) is not None:
            return self._answered(id_, ItemAnswer.ACCEPTED, made)
        assert self._door is not None  # noqa: S101  # made for every new callback
        answer = self._door.answer(new, self._rule)
        match answer:
            case Callback():
                values = callback_values(new, feed_source(self._feed), self._now)
                self._rows.append({**values, "external_id": id_})
                self._new.append(new)
                return self._answered(id_, ItemAnswer.ACCEPTED, new.id)
            case Double(existing):
                return self._answered(id_, ItemAnswer.DOUBLE, existing.id)
            case RequestRefused():
                return _quarantined(entry, answer)
            case _:
                assert_never(answer)

    def _answered(self, item: str, answer: ItemAnswer, callback_id: CallbackId) -> dict[str, Any]:
        self._callbacks[item] = callback_id
        return _values(answer, callback_id)

    def _change(
        self, entry: Entry, of: str, making: Callable[[CallbackId], Alone[Callback]], wanted: Status
    ) -> dict[str, Any]:
        """Apply a change to what came of an item; of an attempt under way it is a wish, whose winner is not waited
        for: the callback's next event tells it."""
        target = self._callbacks.get(of) or self._target(of)
        if target is None:
            return _quarantined(entry, unknown())
        self.write()
        changed = making(target).change(self._connection, self._now)
        if isinstance(changed, IllegalState):
            return _values(ItemAnswer.TOO_LATE, target, what=changed.what)
        if isinstance(entry.work, Cancel) and self._door is not None:
            self._door.forget(changed)
        return _values(ItemAnswer.DONE if changed.status is wanted else ItemAnswer.NOTED, target)

    def _target(self, of: str) -> CallbackId | None:
        c = feed_item.c
        found = select(c.callback_id).where(c.feed == self._feed, c.item == of, c.answer.in_(_TARGETED))
        id_: CallbackId | None = self._connection.scalar(found)
        return id_


def _quarantined(entry: Entry, refusal: RequestRefused) -> dict[str, Any]:
    told = {"code": refusal.code, "field": refusal.field, "what": refusal.what, "retry_at": refusal.retry_at}
    return {**_values(ItemAnswer.QUARANTINED, None), **told, "raw": entry.item.raw}


def _values(answer: ItemAnswer, callback_id: CallbackId | None, what: str = "") -> dict[str, Any]:
    return {
        "answer": answer.value,
        "callback_id": callback_id,
        "code": "",
        "field": "",
        "what": what,
        "retry_at": None,
        "raw": None,
    }
