"""Decide → claim → dispatch: the loop that turns due callbacks into calls, and the PBXs' sink."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from ulid import ULID

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.errors import ActionRefused, NeverSent, PbxError, StoreError
from dialer.domain.events import Event, Lost, Refused, Unsent
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import Verdict
from dialer.domain.stop import Scope
from dialer.engine.agenda import Agenda
from dialer.engine.attempts import Attempts
from dialer.engine.call_ins import CallIns
from dialer.engine.capacity import Capacity
from dialer.engine.choices import Close, Decision, Defer, Place
from dialer.engine.consequences import Consequences
from dialer.engine.decision import Decider
from dialer.engine.orders import intent, order
from dialer.engine.ports import Alerting, AlertKind, Claim, Clock, DeviceState, EngineStore, Order, Pbx
from dialer.engine.reconcile import Knowledge
from dialer.engine.roster import Roster
from dialer.engine.upkeep import Upkeep
from dialer.engine.withdrawals import Withdrawals
from dialer.routing.trunks import TrunkHealth
from dialer.scheduling.retry import NextStep

log = structlog.get_logger()

_STORE_REST = timedelta(seconds=5)
"""After the store refused an intent: how long until the next one is tried."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The engine's own settings. `agent_rest`: how long an agent is left alone after a call that was not taken."""

    agent_rest: timedelta = timedelta(seconds=15)


class Engine:
    """The heart of the daemon. Implements `PbxSink`; `run` dispatches until cancelled."""

    def __init__(
        self, *, directory: Directory, store: EngineStore, clock: Clock, rules: Rules, alerts: Alerting
    ) -> None:
        self._directory = directory
        self._store = store
        self._clock = clock
        self._alerts = alerts
        self._pbxs: dict[str, Pbx] = {}
        self._sessions: dict[str, object] = {}
        self._roster = Roster(directory)
        self._capacity = Capacity(directory)
        self._health = TrunkHealth()
        self._decider = Decider(directory, self._roster, self._capacity, self._health)
        self._ready = self._decider.ready
        self._agenda = Agenda(store)
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self.started = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._recheck_orders = True
        self._draining = False
        self._store_rest_until: datetime | None = None
        self._unread = False
        self._consequences = Consequences(
            decider=self._decider,
            store=store,
            alerts=alerts,
            agent_rest=rules.agent_rest,
            spawn=self._spawn,
            poke=self.poke,
        )
        self.attempts = Attempts(
            store=store,
            directory=directory,
            pbxs=self._pbxs,
            clock=clock,
            spawn=self._spawn,
            finished=self._ended,
            changed=self._changed,
        )
        self._withdrawals = Withdrawals(store, self.attempts, self._pbxs, self._spawn)
        self._call_ins = CallIns(directory, store, self.poke)
        self._upkeep = Upkeep(
            store=store,
            attempts=self.attempts,
            capacity=self._capacity,
            pbxs=self._pbxs,
            ready=self._ready,
            alerts=alerts,
            spawn=self._spawn,
            changed=self._changed,
        )

    def attach(self, pbx: Pbx) -> None:
        """Make a PBX known, before `run`."""
        self._pbxs[pbx.name] = pbx

    @property
    def ready(self) -> bool:
        """True when at least one PBX can be dialled through."""
        return bool(self._ready)

    def poke(self) -> None:
        """Something changed in the store, or the poll floor came round: look again."""
        self._agenda.invalidate()
        self._recheck_orders = True
        self._wake.set()

    def taken_in(self, callbacks: Sequence[Callback]) -> None:
        """These were stored just now. Unlike a poke, it costs no reading of the store."""
        for new in callbacks:
            if self._agenda.take_in(new):
                self._wake.set()

    def clock_stepped(self) -> None:
        """The wall clock was set: what waited for a time by it waits no longer, but for what is due."""
        self._store_rest_until = None
        self._roster.end_rests()
        self._health.forget()
        self._capacity.clock_stepped(self._clock.now())
        self.poke()

    def sweep(self) -> None:
        """Look for calls that have stayed in one state for too long, and for all that needs a look now and then."""
        self.attempts.sweep()
        self._upkeep.sweep(self._clock.now())

    async def drain(self, limit: timedelta) -> int:
        """Stop claiming and wait for the calls in progress, at most `limit`; returns how many are left."""
        self._draining = True
        self._wake.set()
        try:
            async with asyncio.timeout(limit.total_seconds()):
                while self._roster.held:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            log.warning("drain.calls_left", calls=self._roster.held, note="they go on in Asterisk")
        return self._roster.held

    async def run(self) -> None:
        """Take up what an earlier run left open, then dispatch until cancelled. The PBXs may start after `started`."""
        async with self._tasks:
            await self._take_up()
            self.started.set()
            while True:
                self._wake.clear()
                await self._wait_until(await self._round())

    # --- PbxSink ---------------------------------------------------------------------------------------------------

    def pbx_up(self, pbx: str, boot: str) -> None:
        """Look at every attempt pinned to this PBX before anything new is claimed for it."""
        self._sessions[pbx] = session = object()
        self._spawn(self._resume(pbx, boot, session))

    def pbx_down(self, pbx: str, reason: str) -> None:
        """Nothing more is claimed for this PBX; its phones are out of sight."""
        if self._sessions.pop(pbx, None) is not None:
            log.warning("pbx.down", pbx=pbx, why=reason, calls_in_progress=len(self.attempts.of_pbx(pbx)))
        self._ready.pop(pbx, None)
        self._roster.forget(pbx)

    def attempt_event(self, attempt: AttemptId, event: Event) -> None:
        """Apply what the PBX told of an attempt."""
        self.attempts.apply(attempt, event)

    def device_state(self, pbx: str, device: str, state: DeviceState) -> None:
        """Note a phone's state; a phone that became idle wakes the dispatcher."""
        if self._roster.device(pbx, device, state, self._clock.now()):
            self._wake.set()

    def called_in(self, pbx: str, trunk: str, number: str) -> None:
        """A visitor got through to us: departments that go by that need not call them back."""
        self._spawn(self._call_ins.note(pbx, trunk, number))

    # --- decide ----------------------------------------------------------------------------------------------------

    async def _round(self) -> datetime | None:
        """Dispatch everything that can be dialled now; returns when to look again (None: when woken)."""
        now = self._clock.now()
        if self._store_rest_until is not None and now < self._store_rest_until:
            return self._store_rest_until
        try:
            if self._recheck_orders:
                await self._check_orders(now)
            if self._draining or not self._ready:
                return None
            due = await self._agenda.due(self._decider.numbers(now), now)
        except StoreError as error:
            self._unread = True
            return self._store_failed(error, now)
        if self._unread:
            # Of what cannot be written, the next claim tells.
            self._unread = False
            self._alerts.cleared(AlertKind.STORE_FAILED, "store")
        self._consequences.of_refusals(due.refused, now)
        decisions = self._decider.decide(due.waiting, now)
        self._agenda.pass_over(decisions.passed_over)
        for decision in decisions.made:
            self._agenda.take(decision.callback)
            self._spawn(self._carry_out(decision, now))
        if self._agenda.ran_out:
            return now
        return min((at for at in (due.next_at, decisions.look_at) if at is not None), default=None)

    async def _check_orders(self, now: datetime) -> None:
        """Read what people have ordered: stops, and changes of what is under way. Raises `StoreError`."""
        self._recheck_orders = False
        try:
            stops, wished = await self._store.stops(), await self._store.wishes()
        except StoreError:
            self._recheck_orders = True
            raise
        for stop in sorted(stops ^ self._decider.stops, key=str):
            log.warning("engine.paused" if stop in stops else "engine.resumed", what=str(stop))
            if stop.scope is Scope.AGENT and stop not in stops:
                self._alerts.cleared(AlertKind.AGENT_PAUSED, stop.key)
        self._decider.stops = stops
        self._roster.pause({stop.key for stop in stops if stop.scope is Scope.AGENT}, now)
        self._withdrawals.take(wished)

    async def _carry_out(self, decision: Decision, now: datetime) -> None:
        match decision:
            case Place():
                await self._place(decision, now)
            case Defer(callback, due_at, why):
                await self._put_away(callback, self._store.defer(callback, due_at, why), due_at.isoformat(), why)
            case Close(callback, status, why):
                await self._put_away(callback, self._store.close(callback, status, why), status.value, why)

    async def _put_away(self, callback: Callback, written: Coroutine[None, None, bool], to: str, why: str) -> None:
        """A callback that is not rung now, or never."""
        try:
            if await written:
                log.info("callback.put_away", callback=callback.id, department=callback.department, to=to, why=why)
        except StoreError as error:
            self._store_failed(error, self._clock.now())
        self._agenda.settle(callback.id)
        self._changed(requeued=True)

    # --- claim and dispatch ----------------------------------------------------------------------------------------

    async def _place(self, placed: Place, now: datetime) -> None:
        """The intent, durable; then Originate, once."""
        callback, pbx = placed.callback, self._pbxs[placed.way.trunk.pbx]
        attempt = intent(AttemptId(str(ULID())), placed, pbx, now)
        try:
            won = await self._store.claim(Claim(callback, attempt))
            self._alerts.cleared(AlertKind.STORE_FAILED, "store")
            if not won:
                self._agenda.refuse(callback, attempt.agent)
        except StoreError as error:
            self._store_failed(error, now)
            won = False
        self._agenda.settle(callback.id)
        if not won:
            self._decider.undo(placed, self._clock.now())
            self._changed(requeued=True)
            return
        self._capacity.keep(attempt)
        self.attempts.begin(attempt, callback)
        self._withdrawals.begun(attempt, callback)
        if (pbx.boot, pbx.identity) != (attempt.pbx_boot, attempt.pbx_identity):
            # Its traces would be judged by a start, or looked for in a database, that is not the one it ran under.
            self.attempts.apply(attempt.id, Unsent("the PBX was restarted meanwhile"))
            return
        await self._originate(pbx, order(attempt, placed, pbx, self._directory, self._clock.now()))

    async def _originate(self, pbx: Pbx, order: Order) -> None:
        try:
            await pbx.originate(order)
        except NeverSent as error:
            self.attempts.apply(order.attempt, Unsent(error.what))
        except ActionRefused as error:
            self.attempts.apply(order.attempt, Refused(error.what))
        except PbxError as error:
            log.warning("attempt.unknown", callback=order.callback, attempt=order.attempt, why=error.what)
            if pbx.name in self._ready:
                await self.attempts.look([order.attempt], Knowledge.GAP)

    def _ended(self, attempt: Attempt, verdict: Verdict, step: NextStep, now: datetime) -> None:
        wished = self._withdrawals.ended(attempt.id)
        self._consequences.of_end(attempt, verdict, step, now, wished=wished)
        if wished:
            self._changed(requeued=True)  # a move has scheduled it, whatever the step was to be

    # --- gaps ------------------------------------------------------------------------------------------------------

    async def _take_up(self) -> None:
        """Register the attempts that an earlier run of the daemon left open; the PBX says later what became of them."""
        await self.attempts.take_up()
        await self._consequences.take_up(self._clock.now())
        self._decider.stops = await self._consequences.take_up_pauses()
        for attempt, callback in await self._store.open_attempts():
            self.attempts.begin(attempt, callback)
            self._withdrawals.begun(attempt, callback)
            self._roster.hold(attempt.agent)
            self._capacity.take_up(attempt)
            log.warning("attempt.left_open", callback=callback.id, attempt=attempt.id, state=attempt.state.value)
            if attempt.pbx not in self._pbxs:
                self.attempts.apply(attempt.id, Lost(f"PBX {attempt.pbx} is no longer configured"))

    async def _resume(self, pbx: str, boot: str, session: object) -> None:
        await self.attempts.look(self.attempts.of_pbx(pbx), Knowledge.GAP)
        if self._sessions.get(pbx) is not session:
            return  # the session was lost while we looked; the next one looks again
        self._ready[pbx] = self._clock.now()
        self._recheck_orders = True
        self._alerts.cleared(AlertKind.PBX_DOWN, pbx)
        log.info("pbx.ready", pbx=pbx, boot=boot, calls_in_progress=len(self.attempts.of_pbx(pbx)))
        self._changed(requeued=True)
        await self.attempts.look_at_doubts(self._pbxs[pbx])

    def _store_failed(self, error: StoreError, now: datetime) -> datetime:
        """Nothing was placed, because nothing could be promised first; rest, then try again."""
        self._store_rest_until = now + _STORE_REST
        self._agenda.invalidate()
        self._wake.set()
        log.error("store.failed", why=error.what, remedy=error.remedy, note="no calls are placed until it works again")
        self._alerts.raised(AlertKind.STORE_FAILED, "store", f"the store failed: {error.what}", error.remedy)
        return self._store_rest_until

    # --- waking ----------------------------------------------------------------------------------------------------

    async def _wait_until(self, moment: datetime | None) -> None:
        """Sleep until woken, or until `moment` by the wall clock."""
        delay = None if moment is None else max(0.0, (moment - self._clock.now()).total_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin a piece of work; once `run` is being ended, nothing more is begun: the next start takes it up."""
        try:
            self._tasks.create_task(work)
        except RuntimeError:
            work.close()

    def _changed(self, *, requeued: bool) -> None:
        """An attempt is over or a claim was decided. `requeued`: the store may hold something new to dial."""
        if requeued:
            self._agenda.invalidate()
        self._moved.set()
        self._wake.set()
