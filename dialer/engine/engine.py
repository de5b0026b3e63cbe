"""Decide → claim → dispatch: the loop that turns due callbacks into calls, and the PBXs' sink."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from dialer.domain.callback import Callback
from dialer.domain.directory import Department, Directory
from dialer.domain.errors import ActionRefused, NeverSent, PbxError, StoreError
from dialer.domain.events import Event, Lost, Refused, Unsent
from dialer.domain.ids import AttemptId
from dialer.engine.agenda import Agenda
from dialer.engine.attempts import Attempts
from dialer.engine.orders import intent, order
from dialer.engine.ports import Claim, Clock, DeviceState, EngineStore, Order, Pbx
from dialer.engine.reconcile import Knowledge
from dialer.engine.roster import Roster
from dialer.engine.tombstones import Tombstones
from dialer.routing.agents import by_idle_time
from dialer.routing.route import Route, route
from dialer.scheduling.hours import is_open, next_opening

log = structlog.get_logger()

_STORE_REST = timedelta(seconds=5)
"""After the store refused an intent: how long until the next one is tried."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The engine's own settings. `agent_rest`: how long an agent is left alone after a call that was not taken."""

    agent_rest: timedelta = timedelta(seconds=15)


class Engine:
    """The heart of the daemon. Implements `PbxSink`; `run` dispatches until cancelled."""

    def __init__(self, *, directory: Directory, store: EngineStore, clock: Clock, rules: Rules) -> None:
        self._directory = directory
        self._store = store
        self._clock = clock
        self._pbxs: dict[str, Pbx] = {}
        self._sessions: dict[str, object] = {}
        self._ready: dict[str, datetime] = {}
        self._roster = Roster(directory)
        self._agenda = Agenda(store)
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self.started = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._paused = False
        self._recheck_pause = True
        self._draining = False
        self._tidying = False
        self._tombstones = Tombstones(store)
        self._store_rest_until: datetime | None = None
        self.attempts = Attempts(
            store=store,
            directory=directory,
            pbxs=self._pbxs,
            roster=self._roster,
            clock=clock,
            agent_rest=rules.agent_rest,
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
        self._recheck_pause = True
        self._wake.set()

    def clock_stepped(self) -> None:
        """The wall clock was set: what waited for a time by it waits no longer, but for what is due."""
        self._store_rest_until = None
        self._roster.end_rests()
        self.poke()

    def sweep(self) -> None:
        """Look for calls that have stayed in one state for too long, and for keys that may go."""
        self.attempts.sweep()
        if not self._tidying:
            self._tidying = True
            self._spawn(self._tidy())

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

    # --- decide ----------------------------------------------------------------------------------------------------

    async def _round(self) -> datetime | None:
        """Dispatch everything that can be dialled now; returns when to look again (None: when woken)."""
        now = self._clock.now()
        if self._store_rest_until is not None and now < self._store_rest_until:
            return self._store_rest_until
        if self._recheck_pause:
            await self._check_pause(now)
        if self._draining or self._paused or not self._ready:
            return None
        try:
            waits = [await self._serve(department, now) for department in self._directory.departments.values()]
        except StoreError as error:
            return self._store_failed(error, now)
        return min((moment for moment in (*waits, self._roster.next_rested()) if moment is not None), default=None)

    async def _serve(self, department: Department, now: datetime) -> datetime | None:
        """Dispatch one department's due callbacks to its free agents; returns when it is to be looked at again."""
        if self._directory.trunks[department.trunk].pbx not in self._ready:
            return None
        due = await self._agenda.first(department.id, now)
        if due is None:
            return None
        opening = next_opening(department.hours, max(due, now))
        if due > now or opening is None or not is_open(department.hours, now):
            return opening
        agents = by_idle_time(department, self._directory, self._roster.free(now), self._roster.last_rung)
        if not agents:
            return None
        callbacks = await self._agenda.take(department.id, now, len(agents))
        for callback, agent in zip(callbacks, agents, strict=False):
            self._roster.reserve(agent.id, now)
            self._spawn(self._place(callback, route(department, agent, self._directory), now))
        return await self._agenda.first(department.id, now) if len(callbacks) < len(agents) else None

    # --- claim and dispatch ----------------------------------------------------------------------------------------

    async def _place(self, callback: Callback, way: Route, now: datetime) -> None:
        """The intent, durable; then Originate, once."""
        pbx = self._pbxs[way.trunk.pbx]
        ready_at = max(callback.due_at, self._roster.free_since(way.agent.id), self._ready.get(pbx.name, now))
        attempt = intent(callback, way, pbx, min(ready_at, now), now)
        try:
            won = await self._store.claim(Claim(callback, attempt))
        except StoreError as error:
            self._store_failed(error, now)
            won = False
        self._agenda.settle(callback.id)
        if not won:
            self._roster.release(way.agent.id, self._clock.now())
            self._changed(requeued=True)
            return
        self.attempts.begin(attempt, callback)
        if (pbx.boot, pbx.identity) != (attempt.pbx_boot, attempt.pbx_identity):
            # Its traces would be judged by a start, or looked for in a database, that is not the one it ran under.
            self.attempts.apply(attempt.id, Unsent("the PBX was restarted meanwhile"))
            return
        await self._originate(pbx, order(attempt, callback, way))

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

    # --- gaps ------------------------------------------------------------------------------------------------------

    async def _take_up(self) -> None:
        """Register the attempts that an earlier run of the daemon left open; the PBX says later what became of them."""
        await self.attempts.take_up()
        for attempt, callback in await self._store.open_attempts():
            self.attempts.begin(attempt, callback)
            self._roster.hold(attempt.agent)
            log.warning("attempt.left_open", callback=callback.id, attempt=attempt.id, state=attempt.state.value)
            if attempt.pbx not in self._pbxs:
                self.attempts.apply(attempt.id, Lost(f"PBX {attempt.pbx} is no longer configured"))

    async def _resume(self, pbx: str, boot: str, session: object) -> None:
        await self.attempts.look(self.attempts.of_pbx(pbx), Knowledge.GAP)
        if self._sessions.get(pbx) is not session:
            return  # the session was lost while we looked; the next one looks again
        self._ready[pbx] = self._clock.now()
        log.info("pbx.ready", pbx=pbx, boot=boot, calls_in_progress=len(self.attempts.of_pbx(pbx)))
        self._changed(requeued=True)
        await self.attempts.look_at_doubts(self._pbxs[pbx])

    def _store_failed(self, error: StoreError, now: datetime) -> datetime:
        """Nothing was placed, because nothing could be promised first; rest, then try again."""
        self._store_rest_until = now + _STORE_REST
        self._agenda.invalidate()
        self._wake.set()
        log.error("store.failed", why=error.what, remedy=error.remedy, note="no calls are placed until it works again")
        return self._store_rest_until

    async def _tidy(self) -> None:
        """Sweep every PBX's database one step further."""
        for name in list(self._ready):
            try:
                await self._tombstones.step(self._pbxs[name], self.attempts.of_pbx(name))
            except (PbxError, StoreError) as error:
                log.debug("pbx.not_swept", pbx=name, why=error.what)
        self._tidying = False

    # --- waking ----------------------------------------------------------------------------------------------------

    async def _check_pause(self, now: datetime) -> None:
        try:
            self._recheck_pause = False
            paused = await self._store.paused()
        except StoreError as error:
            self._recheck_pause = True
            self._store_failed(error, now)
            return
        if paused != self._paused:
            self._paused = paused
            log.warning("engine.paused" if paused else "engine.resumed")

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
