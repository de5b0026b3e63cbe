"""The PBXs with their phones and calls, as they are, whether or not the daemon sees it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol

from dialer.domain.attempt import Attempt
from dialer.domain.directory import Directory
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome, Verdict, verdict
from dialer.engine.ports import DeviceState, Order
from tests.year.audit import Audit
from tests.year.course import Course, Mood, drawn, revoked
from tests.year.timeline import Timeline

REVOKING = 1.5
"""Seconds that a revocation takes."""


_LAGS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.2, 0.3)
"""Seconds from the record of a call's end to the state of its phone."""


class Seer(Protocol):
    """The daemon, as far as a PBX tells it anything."""

    def pbx_up(self, pbx: str) -> None: ...

    def pbx_down(self, pbx: str) -> None: ...

    def device(self, pbx: str, device: str, state: DeviceState) -> None: ...

    def ended(self, attempt: Attempt, told: Verdict, ended_at: datetime) -> None: ...


@dataclass(slots=True)
class _Phone:
    registered: bool = True
    calls: int = 0
    away: bool = False

    @property
    def state(self) -> DeviceState:
        if not self.registered:
            return DeviceState.UNAVAILABLE
        return DeviceState.INUSE if self.calls else DeviceState.NOT_INUSE


@dataclass(slots=True)
class Call:
    """One attempt on its PBX; without a course once it is over."""

    attempt: Attempt
    course: Course | None
    ended_at: datetime | None = None
    told: Verdict | None = None
    withdrawn: bool = False

    def has_dialled(self, now: datetime) -> bool:
        """Whether its customer's leg has begun."""
        return self.course is not None and self.course.dials_at is not None and self.course.dials_at <= now


class Telephony:
    """What the daemon cannot see for a while, the PBX keeps for it: the ends of calls in the journal."""

    def __init__(
        self,
        directory: Directory,
        timeline: Timeline,
        random: Random,
        audit: Audit,
        too_late: Callable[[CallbackId], None],
    ) -> None:
        self._agents = directory.agents
        self._timeline = timeline
        self._random = random
        self._audit = audit
        self._too_late = too_late
        self._phones = {agent: _Phone() for agent in directory.agents}
        self._up = dict.fromkeys(directory.pbxs, True)
        self._failing: dict[str, float] = {}
        self._seer: Seer | None = None
        self.calls: dict[AttemptId, Call] = {}
        """Those whose end the daemon does not know yet."""

    # --- the daemon's session ----------------------------------------------------------------------------------------

    def attach(self, seer: Seer) -> None:
        """A daemon starts, and sees what it can."""
        self._seer = seer
        for pbx, up in self._up.items():
            if up:
                self._show(pbx)

    def detach(self) -> None:
        """It is gone."""
        for pbx in self._up:
            self._audit.pbx(pbx, up=False)
        self._seer = None

    def cut(self, pbx: str, *, crash: bool) -> None:
        """A PBX is out of sight; or it has crashed, with all its calls."""
        self._up[pbx] = False
        self._audit.pbx(pbx, up=False)
        if self._seer is not None:
            self._seer.pbx_down(pbx)
        if crash:
            for call in [call for call in self.calls.values() if call.attempt.pbx == pbx and call.course is not None]:
                in_doubt = call.has_dialled(self._timeline.now)
                self._over(call, verdict(Outcome.IN_DOUBT if in_doubt else Outcome.NOT_PLACED))

    def restore(self, pbx: str) -> None:
        """It can be seen again."""
        self._up[pbx] = True
        if self._seer is not None:
            self._show(pbx)

    def _show(self, pbx: str) -> None:
        for call in [call for call in self.calls.values() if call.attempt.pbx == pbx and call.course is None]:
            self._tell(call)
        self._audit.pbx(pbx, up=True)
        if self._seer is not None:
            self._seer.pbx_up(pbx)
        for id_, agent in self._agents.items():
            if agent.pbx == pbx:
                self._ring_state(id_)

    def _sees(self, pbx: str) -> bool:
        return self._seer is not None and self._up[pbx]

    # --- calls -------------------------------------------------------------------------------------------------------

    def originate(self, attempt: Attempt, order: Order) -> None:
        """An Originate arrives."""
        mood = Mood(self._phones[attempt.agent].away, self._failing.get(attempt.trunk, 0.01))
        call = self.calls[attempt.id] = Call(attempt, drawn(self._random, order, mood, self._timeline.now))
        self._phones[attempt.agent].calls += 1
        self._ring_state(attempt.agent)
        self._follow(call)

    def _follow(self, call: Call) -> None:
        course = call.course
        if course is not None:
            if course.dials_at is not None:
                self._timeline.at(course.dials_at, self._dial, call, course)
            self._timeline.at(course.ends_at, self._end, call, course)

    def _dial(self, call: Call, course: Course) -> None:
        if call.course is course:
            self._audit.dialled(call.attempt.callback_id, self._timeline.now)

    def _end(self, call: Call, course: Course) -> None:
        if call.course is course:
            self._over(call, course.told)

    def _over(self, call: Call, told: Verdict) -> None:
        """The call is over. Its phone's state is told with its record, or a little before it, or after it."""
        course, now = call.course, self._timeline.now
        rang = course is not None and course.rings and call.has_dialled(now)
        talked_from = course.answered_at if course is not None else None
        self._audit.hung_up(call.attempt.callback_id, now, rang=rang, talked_from=talked_from)
        call.course, call.told, call.ended_at = None, told, now
        lag = self._random.choice(_LAGS)
        if lag > 0:
            self._timeline.after(lag, self._hang_up, call.attempt.agent)
            self._tell(call)
        else:
            self._hang_up(call.attempt.agent)
            if lag:
                self._timeline.after(-lag, self._tell, call)
            else:
                self._tell(call)

    def _tell(self, call: Call) -> None:
        """The daemon learns of the end, now or when it sees the PBX again."""
        attempt = call.attempt
        if self._seer is None or not self._sees(attempt.pbx) or attempt.id not in self.calls:
            return
        del self.calls[attempt.id]
        if call.told is not None and call.ended_at is not None:
            self._audit.settled(attempt.callback_id, call.told, self._timeline.now)
            self._seer.ended(attempt, call.told, call.ended_at)

    def withdraw(self, callbacks: Collection[CallbackId]) -> None:
        """Keep these callbacks' attempts from their customers, where that is still possible."""
        for call in self.calls.values():
            if call.attempt.callback_id in callbacks and not call.withdrawn and self._sees(call.attempt.pbx):
                call.withdrawn = True
                self._timeline.after(REVOKING, self._revoked, call)

    def _revoked(self, call: Call) -> None:
        now = self._timeline.now
        if call.course is None or not self._sees(call.attempt.pbx):
            call.withdrawn = False
        elif call.has_dialled(now):
            self._too_late(call.attempt.callback_id)
        else:
            self._over(call, revoked(now).told)

    # --- phones and trunks -------------------------------------------------------------------------------------------

    def own_call(self, agent: str, seconds: float) -> None:
        """The agent has a call that is none of ours."""
        self._phones[agent].calls += 1
        self._ring_state(agent)
        self._timeline.after(seconds, self._hang_up, agent)

    def _hang_up(self, agent: str) -> None:
        self._phones[agent].calls -= 1
        self._ring_state(agent)

    def register(self, agent: str, *, registered: bool) -> None:
        """The phone vanishes, or comes back."""
        self._phones[agent].registered = registered
        self._ring_state(agent)

    def leave(self, agent: str, *, away: bool) -> None:
        """The agent leaves the phone alone, without a word; or is back."""
        self._phones[agent].away = away

    def fail(self, trunk: str, share: float | None) -> None:
        """A trunk begins to fail so many of its calls; or works again."""
        if share is None:
            self._failing.pop(trunk, None)
        else:
            self._failing[trunk] = share

    def _ring_state(self, id_: str) -> None:
        agent, state = self._agents[id_], self._phones[id_].state
        self._audit.phone(id_, idle=state is DeviceState.NOT_INUSE)
        if self._seer is not None and self._up[agent.pbx]:
            self._seer.device(agent.pbx, agent.device, state)
