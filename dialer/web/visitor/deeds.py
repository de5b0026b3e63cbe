"""What a visitor does to their callback by the page's forms, and what they are told of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.engine.ports import Clock
from dialer.intake import changes
from dialer.intake.changes import Answer, Change, ChangingStore, Waiting
from dialer.notify.links import Form, Links
from dialer.web.visitor.offers import chosen
from dialer.web.visitor.texts import Notice

log = structlog.get_logger()

WHO = "visitor's page"
"""Who objected, as the do-not-call list tells it."""

CANCELLED = "cancelled_by_visitor"
"""The reason of a callback that its visitor cancelled."""


class VisitorStore(ChangingStore, Protocol):
    """The part of the store that the page needs. Raises `StoreError`."""

    async def objected(self, number: str) -> bool:
        """Whether a number (E.164) is on the do-not-call list."""


@dataclass(frozen=True, slots=True)
class Services:
    """`wake` wakes the daemon; `waiting`: how long its answer is waited for where an attempt is under way."""

    store: VisitorStore
    directory: Directory
    links: Links
    clock: Clock
    wake: Callable[[], object]
    waiting: Waiting


class Deeds:
    """Each of them races with the daemon, and says who won."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def do(self, deed: str, callback: Callback, form: Form, given: Mapping[str, str]) -> Notice | None:
        """What came of it; None where there is no such deed. Raises `StoreError`."""
        match deed:
            case "cancel":
                notice = await self._cancel(callback)
            case "move":
                notice = await self._move(callback, form, given.get("at", ""))
            case "object":
                notice = await self._object(callback)
            case _:
                return None
        log.info("visitor.deed", callback=callback.id, deed=deed, told=notice.value)
        return notice

    async def _cancel(self, callback: Callback) -> Notice:
        """Whatever changed since the page was opened: whoever cancels wants none of it."""
        to = self._services
        try:
            change = await changes.cancel(to.store, to.wake, callback.id, CANCELLED, to.waiting)
        except IllegalState:
            now = await to.store.get(callback.id)
            # Sent twice, it is as it was wanted.
            return Notice.CANCELLED if now and now.status is Status.CANCELLED else Notice.TOO_LATE
        return _told(change, Notice.CANCELLED)

    async def _move(self, callback: Callback, form: Form, text: str) -> Notice:
        to, now = self._services, self._services.clock.now()
        department = to.directory.departments.get(callback.department)
        if not text:
            return Notice.NONE_CHOSEN
        if department is None or (at := chosen(to.directory, department, callback, text, now)) is None:
            return Notice.GONE
        if callback.status is Status.SCHEDULED and callback.version != form.version:
            # Sent twice, it is as it was wanted; otherwise the visitor chose by a time that no longer held.
            return Notice.MOVED if callback.due_at.isoformat() == at else Notice.CHANGED
        try:
            change = await changes.move(to.store, to.wake, to.directory, callback.id, (at, ""), now, to.waiting)
        except RequestRefused:
            return Notice.GONE
        except IllegalState:
            return Notice.TOO_LATE
        return _told(change, Notice.MOVED)

    async def _object(self, callback: Callback) -> Notice:
        to, number = self._services, callback.visitor.phone
        silenced = await changes.object_to(to.store, to.wake, number, WHO, f"callback {callback.id}", to.waiting)
        return Notice.OBJECTED if _all_done(silenced.under_way) else Notice.OBJECTED_LATE


def _told(change: Change, done: Notice) -> Notice:
    return {Answer.DONE: done, Answer.TOO_LATE: Notice.TOO_LATE, Answer.UNDECIDED: Notice.UNDECIDED}[change.answer]


def _all_done(under_way: Sequence[Change]) -> bool:
    return all(change.answer is Answer.DONE for change in under_way)
