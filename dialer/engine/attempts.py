"""The attempts in progress: applies events, looks at the PBX when in doubt, finishes what ended."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from dialer.domain.attempt import Attempt, State, advance
from dialer.domain.callback import Callback, Status
from dialer.domain.commands import Finish, Look
from dialer.domain.directory import Directory
from dialer.domain.errors import PbxError
from dialer.domain.events import AgentRinging, Ended, Event, Lost, Sent
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord, Outcome, Verdict
from dialer.engine.barred import Barred
from dialer.engine.doubts import Doubts
from dialer.engine.ending import durably, next_step
from dialer.engine.ports import Clock, EngineStore, Pbx
from dialer.engine.reconcile import Knowledge, Verdictless, judge
from dialer.scheduling.deadlines import patience
from dialer.scheduling.retry import NextStep

log = structlog.get_logger()

_LOOK_AFTER = 0.5
"""Seconds from a sign of an end to the look at the PBX. The dialplan's record of the end usually comes within
milliseconds, before or after the sign, and settles it; those left over are looked at together."""

_MAX_ENDINGS = 3
"""How often an overdue call is hung up before it is left to a person."""

_LOOK_AGAIN = 5.0
"""Seconds until a look that the PBX did not answer is repeated."""


class Changed(Protocol):
    """Told when an attempt is over; `requeued`: its callback is to be dialled again."""

    def __call__(self, *, requeued: bool) -> None: ...


class Finished(Protocol):
    """Told once the end of an attempt, and its callback's next step, are durable at `now` (UTC)."""

    def __call__(self, attempt: Attempt, verdict: Verdict, step: NextStep, now: datetime) -> None: ...


@dataclass(slots=True)
class _Live:
    attempt: Attempt
    callback: Callback
    since: float
    """When the attempt came into its state, by the loop's clock: a wall clock that steps makes nothing overdue."""
    overdue: State | None = None
    """The state in which the last sweep found it overdue."""
    ending: bool = False
    """It is being revoked and hung up."""
    endings: int = 0
    """How often the PBX was told to hang it up and there was something to hang up."""


class Attempts:
    """The registry of living attempts. `apply` is synchronous and never raises; writing and looking are tasks, made by
    `spawn`.

    `finished` is told of each end, and `changed` after it, because the dispatcher may have something to do: an agent
    let go, a callback due again.
    """

    def __init__(
        self,
        *,
        store: EngineStore,
        directory: Directory,
        pbxs: Mapping[str, Pbx],
        clock: Clock,
        spawn: Callable[[Coroutine[None, None, None]], object],
        finished: Finished,
        changed: Changed,
    ) -> None:
        self._store = store
        self._directory = directory
        self._pbxs = pbxs
        self._clock = clock
        self._spawn = spawn
        self._finished = finished
        self._changed = changed
        self._doubts = Doubts(store, directory, clock)
        self._live: dict[AttemptId, _Live] = {}
        self._to_look_at: set[AttemptId] = set()
        self._barred = Barred()

    def __len__(self) -> int:
        return len(self._live)

    def begin(self, attempt: Attempt, callback: Callback) -> None:
        """Take charge of an attempt whose intent is durable."""
        self._live[attempt.id] = _Live(attempt, callback, asyncio.get_running_loop().time())

    def of_pbx(self, pbx: str) -> list[AttemptId]:
        """The living attempts that are pinned to a PBX."""
        return [attempt for attempt, live in self._live.items() if live.attempt.pbx == pbx]

    def __contains__(self, attempt: AttemptId) -> bool:
        return attempt in self._live

    def of_callback(self, callback: CallbackId) -> Attempt | None:
        """The living attempt at a callback."""
        return next((live.attempt for live in self._live.values() if live.attempt.callback_id == callback), None)

    def apply(self, attempt: AttemptId, event: Event) -> None:
        """Advance an attempt by one event. Events of attempts that are not ours, or no longer, are absorbed."""
        live = self._live.get(attempt)
        if live is None:
            self._apply_late(attempt, event)
            return
        after, commands = advance(live.attempt, event, self._clock.now())
        if after is live.attempt:
            return
        if after.state is not live.attempt.state:
            live.since = asyncio.get_running_loop().time()
        live.attempt = after
        _say(after, event)
        if after.verdict is None:
            self._store.note(after)
        for command in commands:
            match command:
                case Look(reason):
                    log.debug("attempt.look", callback=after.callback_id, attempt=attempt, why=reason)
                    self._look_soon(attempt)
                case Finish(verdict):
                    self._spawn(self._finish(live, verdict))

    def _apply_late(self, attempt: AttemptId, event: Event) -> None:
        """An event of an attempt that is over for us, or never was ours."""
        if isinstance(event, Ended):
            self._spawn(self._amend(attempt, event.record))
        elif isinstance(event, AgentRinging):
            self._spawn(self._barred.turn_away(attempt))

    async def look(self, attempts: Iterable[AttemptId], knowledge: Knowledge) -> None:
        """Ask each attempt's PBX what it knows, apply what that means, and release what can be shown never to reach
        its customer.

        A PBX that does not answer is asked again while its session is up; a lost session ends with a look of its own.
        """
        by_pbx: dict[str, list[AttemptId]] = {}
        for attempt in attempts:
            if live := self._live.get(attempt):
                by_pbx.setdefault(live.attempt.pbx, []).append(attempt)
        for name, ids in by_pbx.items():
            try:
                unproven = await self._conclude(self._pbxs[name], ids, knowledge)
            except PbxError as error:
                log.warning("pbx.look_failed", pbx=name, attempts=len(ids), why=error.what)
                unproven = ids
            if unproven:
                again = partial(self._look_again, unproven, Knowledge.GAP)
                asyncio.get_running_loop().call_later(_LOOK_AGAIN, again)

    async def _conclude(self, pbx: Pbx, attempts: list[AttemptId], knowledge: Knowledge) -> list[AttemptId]:
        """Look; revoke what nothing was found of, and look again: asking first would be worthless. Returns what is
        still unproven, because the PBX did not keep its revocation and its time has not passed."""
        unproven = await self._judge(pbx, attempts, knowledge)
        if not unproven:
            return []
        log.info("pbx.revoking", pbx=pbx.name, attempts=unproven)
        barred = await pbx.revoke(unproven)
        if len(barred) < len(unproven):
            barred |= self._expired(unproven, await pbx.now())
        self.bar(pbx, barred)
        await self._judge(pbx, [attempt for attempt in unproven if attempt in barred], Knowledge.BARRED)
        return [attempt for attempt in unproven if attempt not in barred]

    def _expired(self, attempts: list[AttemptId], now: datetime) -> frozenset[AttemptId]:
        """Those that the PBX, by its own clock, refuses because their time has passed."""
        lives = (self._live.get(attempt) for attempt in attempts)
        late = (live.attempt for live in lives if live and live.attempt.place_by and live.attempt.place_by < now)
        return frozenset(attempt.id for attempt in late)

    async def _judge(
        self, pbx: Pbx, attempts: list[AttemptId], knowledge: Knowledge, *, again: bool = False
    ) -> list[AttemptId]:
        """Apply what the attempts' traces mean; returns those of which nothing is proven. What looks lost is looked at
        once more: the list may have missed a call that was just being made and that the journal knew a moment later."""
        unproven, lost = [], []
        for attempt, traces in (await pbx.traces(attempts)).items():
            live = self._live.get(attempt)
            if live is None:
                continue
            match judge(live.attempt, traces, knowledge, pbx.boot):
                case Verdictless.LIVES:
                    log.debug("attempt.lives", callback=live.attempt.callback_id, attempt=attempt)
                case Verdictless.UNPROVEN:
                    unproven.append(attempt)
                case Lost() if not again:
                    lost.append(attempt)
                case event:
                    self.apply(attempt, event)
        if lost:
            unproven += await self._judge(pbx, lost, knowledge, again=True)
        return unproven

    def sweep(self) -> None:
        """Look at every attempt that has stayed in one state for longer than it may; end those that still do."""
        now = asyncio.get_running_loop().time()
        for attempt, live in self._live.items():
            department = self._directory.departments.get(live.attempt.department)
            if now - live.since < patience(live.attempt.state, department).total_seconds():
                continue
            log.warning(
                "attempt.overdue", callback=live.attempt.callback_id, attempt=attempt, state=live.attempt.state.value
            )
            if live.ending:
                continue
            if live.overdue is live.attempt.state:
                self._spawn(self._end(live))
            else:
                # What it is may only have been missed, or still be unread: the next sweep decides.
                live.overdue = live.attempt.state
                self._spawn(self.look([attempt], Knowledge.GAP))

    async def _end(self, live: _Live) -> None:
        """Take a call down whose time is over: revoke it, hang up what is ours, and let its end be told."""
        attempt = live.attempt
        pbx = self._pbxs[attempt.pbx]
        if live.endings == _MAX_ENDINGS:
            self.apply(attempt.id, Lost("it is overdue, and its channel cannot be hung up"))
            return
        live.ending = True
        try:
            barred = attempt.id in await pbx.revoke([attempt.id])
            live.endings += await pbx.hang_up(attempt.id)
            log.warning("attempt.hung_up", callback=attempt.callback_id, attempt=attempt.id)
        except PbxError as error:
            log.warning("attempt.not_ended", callback=attempt.callback_id, attempt=attempt.id, why=error.what)
            return
        finally:
            live.ending = False
        await self.look([attempt.id], Knowledge.BARRED if barred else Knowledge.GAP)

    def bar(self, pbx: Pbx, attempts: Iterable[AttemptId]) -> None:
        """Remember attempts that this PBX refuses: what of them comes late is turned away."""
        self._barred.add(pbx, attempts)

    async def take_up(self) -> None:
        """Remember what earlier runs left in doubt. Raises `StoreError`."""
        await self._doubts.load()

    async def look_at_doubts(self, pbx: Pbx) -> None:
        """Ask a PBX whether it holds, after all, the ends of attempts in doubt."""
        try:
            if await self._doubts.look(pbx):
                self._changed(requeued=True)
        except PbxError as error:
            log.warning("pbx.look_failed", pbx=pbx.name, attempts=len(self._doubts), why=error.what)

    async def _amend(self, attempt: AttemptId, record: EndRecord) -> None:
        if await self._doubts.settle(attempt, record):
            self._changed(requeued=True)

    def _look_soon(self, attempt: AttemptId) -> None:
        if not self._to_look_at:
            asyncio.get_running_loop().call_later(_LOOK_AFTER, self._look_at_doubtful)
        self._to_look_at.add(attempt)

    def _look_at_doubtful(self) -> None:
        doubtful, self._to_look_at = self._to_look_at, set()
        self._look_again([attempt for attempt in doubtful if attempt in self._live], Knowledge.WATCHED)

    def _look_again(self, attempts: list[AttemptId], knowledge: Knowledge) -> None:
        if any(attempt in self._live for attempt in attempts):
            self._spawn(self.look(attempts, knowledge))

    async def _finish(self, live: _Live, verdict: Verdict) -> None:
        """The second barrier."""
        attempt, callback = live.attempt, live.callback
        now = self._clock.now()
        step = next_step(self._directory, attempt, callback, verdict, now)
        await durably(lambda: self._store.finish(attempt, step))
        del self._live[attempt.id]
        if verdict.outcome is Outcome.IN_DOUBT:
            self._doubts.add(attempt, callback)
        self._finished(attempt, verdict, step, self._clock.now())
        log.info(
            "attempt.ended",
            callback=attempt.callback_id,
            attempt=attempt.id,
            outcome=verdict.outcome.value,
            cause=verdict.cause,
            talk_seconds=round(verdict.talk.total_seconds(), 1),
            callback_status=step.status.value,
            why=step.reason,
            due=step.due_at.isoformat() if step.status is Status.SCHEDULED else None,
        )
        self._changed(requeued=step.status is Status.SCHEDULED)


def _say(attempt: Attempt, event: Event) -> None:
    step = attempt.timeline[-1]
    if isinstance(event, Sent):
        late = (step.at - attempt.ready_at).total_seconds() * 1000
        log.info(
            "attempt.placed",
            callback=attempt.callback_id,
            attempt=attempt.id,
            agent=attempt.agent,
            department=attempt.department,
            lateness_ms=round(late, 1),
        )
    else:
        log.debug("attempt.step", callback=attempt.callback_id, attempt=attempt.id, step=step.name)
