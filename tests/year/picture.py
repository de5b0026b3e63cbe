"""The store's rules in memory: what the door, the changes of mind and the engine ask of the real one.

Its coroutines never wait; `settled` runs what awaits them.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.directory import Directory
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Verdict, may_have_rung
from dialer.domain.stop import Stop
from dialer.engine.ports import Begun, Usage
from dialer.intake.admission import AdmissionRule, Double, Seen
from dialer.scheduling.retry import NextStep
from tests.year.shelf import Shelf

T = TypeVar("T")

OBJECTION, MOVED, CALLED_IN = "objection", "moved", "customer_called_in"

_TO_END = {
    WishKind.CANCEL: Status.CANCELLED,
    WishKind.CALLED_IN: Status.CANCELLED,
    WishKind.OBJECTION: Status.REJECTED,
}


def settled(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that does not wait for anything."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waits")


@dataclass(frozen=True, slots=True)
class Objected:
    """What an objection found."""

    rejected: tuple[CallbackId, ...]
    in_progress: tuple[CallbackId, ...]


@dataclass(slots=True)
class _Used:
    attempts: int = 0
    talk: timedelta = timedelta(0)


class Picture:
    """`paused` is told of each pause that begins or ends. `directory` may be exchanged for one with the same ids."""

    def __init__(self, directory: Directory, shelf: Shelf, paused: Callable[[Stop, bool], None]) -> None:
        self.directory = directory
        self.shelf = shelf
        self.accepted = 0
        self.stopped: set[Stop] = set()
        self._paused = paused
        self._ids = count(1)
        self._attempt_ids = count(1)
        self._attempts: dict[CallbackId, Attempt] = {}
        self._held: set[str] = set()
        self._listed: set[str] = set()
        self._asked: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._used: defaultdict[tuple[str, date], _Used] = defaultdict(_Used)
        self._rung: dict[str, datetime] = {}
        self._begun: dict[tuple[str, str, str], datetime] = {}

    # --- the door ----------------------------------------------------------------------------------------------------

    async def admit(
        self, callbacks: Sequence[Callback], rule: AdmissionRule
    ) -> list[Callback | Double | RequestRefused]:
        """Store what the rule lets in and no open callback promises already."""
        return [self._admit(new, rule) for new in callbacks]

    def _admit(self, new: Callback, rule: AdmissionRule) -> Callback | Double | RequestRefused:
        if existing := self.shelf.same_promise(new):
            return Double(existing)
        number, since = new.visitor.phone, new.requested_at - rule.horizon
        keys = [key for key in (new.visitor.session, new.origin) if key]
        of_visitor = {each for key in keys for each in self._asked.get(key, ()) if each[0] >= since}
        times = tuple(at for at, _ in self._asked.get(number, ()) if at >= since)
        if refusal := rule(new, Seen(times, tuple(sorted(of_visitor)), number in self._listed)):
            return refusal
        for key in (number, *keys):
            self._asked[key].append((new.requested_at, number))
        self.accepted += 1
        # Ids in the order of acceptance, and the same in each run of a seed.
        return self.shelf.put(replace(new, id=CallbackId(f"{next(self._ids):026}")))

    async def usage(self, departments: Sequence[str], since: datetime) -> Usage:
        """What an account has used up on the day of its zone that began then."""
        account = self.directory.account_of(self.directory.departments[departments[0]])
        used = self._used.get((account.id, since.astimezone(account.zone).date()), _Used())
        return Usage(used.attempts, used.talk)

    def forget_requests(self, before: datetime) -> None:
        """No limit reaches back so far."""
        for key, requests in list(self._asked.items()):
            if requests[-1][0] < before:
                del self._asked[key]

    # --- changes of mind ---------------------------------------------------------------------------------------------

    async def get(self, id_: CallbackId) -> Callback | None:
        return self.shelf.open.get(id_)

    async def cancel(self, id_: CallbackId, reason: str) -> Callback:
        return self._wished(self._changeable(id_), Wish(WishKind.CANCEL, reason))

    async def reschedule(
        self,
        id_: CallbackId,
        due_at: datetime,
        expires_at: datetime | None,
        wanted_at: datetime | None,
        wanted_until: datetime | None,
    ) -> Callback:
        found = self._changeable(id_)
        if found.wish is not None and found.wish.kind in {WishKind.CANCEL, WishKind.OBJECTION}:
            raise IllegalState("it is being cancelled", where=id_)
        wanted = replace(found, wanted_at=wanted_at, wanted_until=wanted_until)
        return self._wished(wanted, Wish(WishKind.MOVE, MOVED, due_at, expires_at))

    async def object_to(self, number: str, who: str, why: str) -> Objected:
        self._listed.add(number)
        changed = [self._wished(each, Wish(WishKind.OBJECTION, OBJECTION)) for each in self.shelf.of_number(number)]
        return Objected(
            tuple(each.id for each in changed if each.status is Status.REJECTED),
            tuple(each.id for each in changed if each.status is Status.IN_PROGRESS),
        )

    def called_in(self, number: str, departments: Iterable[str]) -> None:
        """The customer got through to us."""
        for each in self.shelf.of_number(number):
            ending = each.wish is not None and each.wish.kind in {WishKind.CANCEL, WishKind.OBJECTION}
            if each.department in departments and each.status is not Status.NEEDS_REVIEW and not ending:
                self._wished(each, Wish(WishKind.CALLED_IN, CALLED_IN))

    def _changeable(self, id_: CallbackId) -> Callback:
        found = self.shelf.open.get(id_)
        if found is None or found.status is Status.NEEDS_REVIEW:
            raise IllegalState("it can no longer be changed", where=id_)
        return found

    def _wished(self, callback: Callback, wish: Wish) -> Callback:
        """Noted where an attempt is under way, else done."""
        version = callback.version + 1
        if callback.status is Status.IN_PROGRESS:
            late = callback.wish is not None and callback.wish.late
            return self.shelf.put(replace(callback, version=version, wish=replace(wish, late=late)))
        return self.shelf.put(replace(callback, version=version, **_honoured(wish)))

    def wishes(self) -> list[Callback]:
        """Of what is under way, what somebody wants otherwise."""
        found = (self.shelf.open[id_] for id_ in self._attempts)
        return [each for each in found if each.wish is not None and not each.wish.late]

    def too_late(self, id_: CallbackId) -> None:
        """A wish came when the customer had been dialled."""
        callback = self.shelf.open[id_]
        if callback.wish is not None:
            late = replace(callback.wish, late=True)
            self.shelf.put(replace(callback, version=callback.version + 1, wish=late))

    # --- the engine --------------------------------------------------------------------------------------------------

    def new_attempt_id(self) -> AttemptId:
        """In the order of their making, and the same in each run of a seed."""
        return AttemptId(f"{next(self._attempt_ids):026}")

    def claim(self, callback: Callback, attempt: Attempt) -> Callback | None:
        """The callback as it is under way; None where something changed, its agent is held or its number listed."""
        found = self.shelf.open.get(callback.id)
        listed = callback.visitor.phone in self._listed
        lost = found is None or found.version != callback.version or found.status is not Status.SCHEDULED
        if found is None or lost or listed or attempt.agent in self._held:
            if found is not None and listed and found.status is Status.SCHEDULED:
                self.shelf.put(_changed(found, status=Status.REJECTED, reason=OBJECTION))
            return None
        self._attempts[callback.id] = attempt
        self._held.add(attempt.agent)
        self._use(attempt, attempt.created_at).attempts += 1
        self._begun[attempt.department, attempt.pbx, attempt.trunk] = attempt.created_at
        return self.shelf.put(_changed(found, status=Status.IN_PROGRESS, attempts=found.attempts + 1))

    def finish(self, attempt: Attempt, told: Verdict, ended_at: datetime, step: NextStep) -> None:
        """An attempt ended, and what comes next; a wish is honoured where it would be dialled again, or is not only
        because its time ran out."""
        del self._attempts[attempt.callback_id]
        self._held.discard(attempt.agent)
        self._use(attempt, ended_at).talk += told.talk
        if may_have_rung(told):
            self._rung[attempt.dialled] = ended_at
        callback = self.shelf.open[attempt.callback_id]
        changes: dict[str, Any] = {name: getattr(step, name) for name in _STEP}
        if step.status in {Status.SCHEDULED, Status.EXPIRED} and callback.wish is not None:
            changes |= _honoured(callback.wish)
        if step.status is not Status.NEEDS_REVIEW:
            changes["wish"] = None
        self.shelf.put(_changed(callback, **changes))

    def put_away(self, callback: Callback, status: Status, due_at: datetime, reason: str) -> None:
        """It is rung at another time, or never; unless something changed."""
        found = self.shelf.open.get(callback.id)
        if found is not None and found.version == callback.version and found.status is Status.SCHEDULED:
            self.shelf.put(_changed(found, status=status, due_at=due_at, reason=reason))

    def resolve(self, id_: CallbackId, status: Status, now: datetime) -> None:
        """A person decides on an attempt in doubt; a retry is due at once, or when somebody wished."""
        found = self.shelf.open.get(id_)
        if found is None or found.status is not Status.NEEDS_REVIEW:
            return
        wish = found.wish
        if found.visitor.phone in self._listed or (wish is not None and wish.kind in _TO_END):
            status = Status.FAILED
        changes: dict[str, Any] = {"status": status, "reason": "resolved", "wish": None}
        if status is Status.SCHEDULED:
            due_at, expires_at = now, found.expires_at
            if wish is not None and wish.due_at is not None:
                due_at, expires_at = max(now, wish.due_at), wish.expires_at
            until = found.wanted_until
            changes |= {
                "due_at": due_at,
                "expires_at": None if expires_at and expires_at <= now else expires_at,
                "wanted_until": None if until and until <= now else until,
            }
        self.shelf.put(_changed(found, **changes))

    def open_attempts(self) -> list[Attempt]:
        return list(self._attempts.values())

    async def last_rings(self, since: datetime) -> dict[str, datetime]:
        """The end of the last attempt that rang each number since then; older ones are forgotten."""
        self._rung = {number: at for number, at in self._rung.items() if at >= since}
        return dict(self._rung)

    async def last_begun(self, _departments: Sequence[str], since: datetime) -> list[Begun]:
        """The last attempt of each department by each trunk since then: of all departments, as it is asked."""
        return [Begun(*lanes, at) for lanes, at in self._begun.items() if at >= since]

    def _use(self, attempt: Attempt, at: datetime) -> _Used:
        account = self.directory.account_of(self.directory.departments[attempt.department])
        return self._used[account.id, at.astimezone(account.zone).date()]

    # --- pauses ------------------------------------------------------------------------------------------------------

    async def pause(self, stop: Stop, who: str, why: str) -> None:
        if stop not in self.stopped:
            self.stopped.add(stop)
            self._paused(stop, True)

    def resume(self, stop: Stop) -> None:
        if stop in self.stopped:
            self.stopped.discard(stop)
            self._paused(stop, False)


_STEP = (
    *("status", "due_at", "reason", "customer_attempts", "agent_rings", "expires_at", "day", "day_attempts"),
    *("prefer_agent", "failed_trunks"),
)


def _changed(callback: Callback, **changes: Any) -> Callback:
    return replace(callback, version=callback.version + 1, **changes)


def _honoured(wish: Wish) -> dict[str, Any]:
    """What a wish makes of a callback that is not under way."""
    if wish.kind is WishKind.MOVE:
        moved = {"due_at": wish.due_at, "expires_at": wish.expires_at, "reason": wish.reason}
        return {"status": Status.SCHEDULED, **moved, "prefer_agent": "", "failed_trunks": ()}
    return {"status": _TO_END[wish.kind], "reason": wish.reason}
