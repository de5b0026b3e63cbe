"""What `engine.Engine` does around the real decisions and their consequences, without waiting for anything.

One life of a daemon: its books are new at its start, and it takes up what the store and the PBXs know.
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Verdict
from dialer.domain.stop import Scope
from dialer.engine.capacity import Capacity
from dialer.engine.choices import Close, Decision, Defer, Place
from dialer.engine.consequences import Consequences
from dialer.engine.decision import OUT_OF_TIME, Decider
from dialer.engine.ending import next_step
from dialer.engine.orders import intent, order
from dialer.engine.ports import AlertKind, DeviceState, EngineStore, Order, Pbx
from dialer.engine.roster import Roster
from dialer.routing.trunks import TrunkHealth
from tests.year.picture import Picture, settled
from tests.year.timeline import Timeline

AGENT_REST = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class _Line:
    """What an intent and its order ask of a PBX."""

    name: str
    clock: datetime
    boot: str = "boot"
    identity: str = "identity"


class Alerts:
    """Counts what was raised."""

    def __init__(self) -> None:
        self.count: Counter[AlertKind] = Counter()

    def raised(self, kind: AlertKind, key: str, what: str, remedy: str) -> None:
        self.count[kind] += 1

    def cleared(self, kind: AlertKind, key: str) -> None:
        """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What a daemon does to the world: `claiming` is called before each claim (whatever else happens at that moment),
    `originate` after it, `withdraw` with callbacks under way of which somebody wants something else."""

    claiming: Callable[[Callback], None]
    originate: Callable[[Attempt, Place, Order], None]
    withdraw: Callable[[set[CallbackId]], None]


class Daemon:
    """`decide` while `woken`, and at `look_at`."""

    def __init__(
        self, directory: Directory, picture: Picture, timeline: Timeline, alerts: Alerts, hands: Hands
    ) -> None:
        self._directory = directory
        self._picture = picture
        self._timeline = timeline
        self._hands = hands
        self._callbacks: dict[AttemptId, Callback] = {}
        self._poked = True
        self.woken = True
        self.look_at: datetime | None = None
        self.roster = Roster(directory)
        self.capacity = Capacity(directory)
        self.decider = Decider(directory, self.roster, self.capacity, TrunkHealth())
        self._consequences = Consequences(
            decider=self.decider,
            # Of the store they want its pauses, and what earlier lives used.
            store=cast("EngineStore", picture),
            alerts=alerts,
            agent_rest=AGENT_REST,
            spawn=_run,
            poke=self.poke,
        )
        self._take_up()

    def _take_up(self) -> None:
        settled(self._consequences.take_up(self._timeline.now))
        for attempt in self._picture.open_attempts():
            self._callbacks[attempt.id] = self._picture.shelf.open[attempt.callback_id]
            self.roster.hold(attempt.agent)
            self.capacity.take_up(attempt)

    # --- what wakes it -----------------------------------------------------------------------------------------------

    def poke(self) -> None:
        """Something changed in the store."""
        self._poked = self.woken = True

    def pbx_up(self, pbx: str) -> None:
        self.decider.ready[pbx] = self._timeline.now
        self.poke()

    def pbx_down(self, pbx: str) -> None:
        self.decider.ready.pop(pbx, None)
        self.roster.forget(pbx)

    def device(self, pbx: str, device: str, state: DeviceState) -> None:
        if self.roster.device(pbx, device, state, self._timeline.now):
            self.woken = True

    def ended(self, attempt: Attempt, told: Verdict, ended_at: datetime) -> None:
        """The end of an attempt is known: the next step of its callback, and what it means for everybody else."""
        now = self._timeline.now
        callback = self._callbacks.pop(attempt.id)
        step = next_step(self._directory, attempt, callback, told, now)
        wished = self._picture.shelf.open[callback.id].wish is not None
        self._picture.finish(attempt, told, ended_at, step)
        self._consequences.of_end(attempt, told, step, now, wished=wished)
        self.woken = True

    def sweep(self) -> None:
        """Give up what nobody could take in time."""
        now = self._timeline.now
        self.capacity.tidy(now)
        for callback in self._picture.shelf.expired(now):
            self._picture.put_away(callback, Status.EXPIRED, callback.due_at, OUT_OF_TIME)
            self.woken = True

    # --- what it does ------------------------------------------------------------------------------------------------

    def decide(self) -> tuple[Decision, ...]:
        """One round: decide, and do it. Afterwards it sleeps until it is woken or `look_at` comes."""
        now, picture = self._timeline.now, self._picture
        self.woken = False
        self.look_at = None
        if self._poked:
            self._read_orders(now)
        if not self.decider.ready:
            return ()
        waiting, next_at = picture.shelf.due(now)
        decisions = self.decider.decide(waiting, now)
        self.look_at = min((at for at in (next_at, decisions.look_at) if at is not None), default=None)
        for decision in decisions.made:
            self._carry_out(decision, now)
        return decisions.made

    def _read_orders(self, now: datetime) -> None:
        self._poked = False
        self.decider.stops = frozenset(self._picture.stopped)
        self.roster.pause({stop.key for stop in self.decider.stops if stop.scope is Scope.AGENT}, now)
        if wished := self._picture.wishes():
            self._hands.withdraw({callback.id for callback in wished})

    def _carry_out(self, decision: Decision, now: datetime) -> None:
        match decision:
            case Place():
                self._place(decision, now)
            case Defer(callback, due_at, why):
                self._picture.put_away(callback, Status.SCHEDULED, due_at, why)
                self.woken = True
            case Close(callback, status, why):
                self._picture.put_away(callback, status, callback.due_at, why)
                self.woken = True

    def _place(self, placed: Place, now: datetime) -> None:
        callback = placed.callback
        pbx = cast("Pbx", _Line(placed.way.trunk.pbx, now))
        attempt = intent(self._picture.new_attempt_id(), placed, pbx, now)
        self._hands.claiming(callback)
        if not self._picture.claim(callback, attempt):
            self.decider.undo(placed, now)
            self.woken = True
            return
        self.capacity.keep(attempt)
        self._callbacks[attempt.id] = callback
        self._hands.originate(attempt, placed, order(attempt, placed, pbx, self._directory, now))


def _run(work: Coroutine[None, None, None]) -> None:
    settled(work)
