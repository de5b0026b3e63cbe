"""What to dial now: of everything that is due, what may be rung, by whom, by which way out, and in whose turn. Pure.

The rules themselves are scheduling's and routing's; this asks them in the right order, and keeps the books that they
need. Nothing is decided on a memory of the past: hours, quiet hours, stops, caps and destinations are asked again here,
at the moment of dialling.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Account, Agent, Department, Directory, Trunk
from dialer.domain.stop import EVERYTHING, Scope, Stop
from dialer.engine.capacity import Capacity, Lines
from dialer.engine.choices import Close, Decision, Decisions, Place
from dialer.engine.put_away import put_away
from dialer.engine.roster import Roster
from dialer.routing.agents import candidates
from dialer.routing.route import Route
from dialer.routing.trunks import TrunkHealth, reachable, serving
from dialer.scheduling.hours import closes_in_all, is_open, next_opening
from dialer.scheduling.quiet import called_windows
from dialer.scheduling.turns import Turns

_EVER = datetime.min.replace(tzinfo=UTC)

OUT_OF_TIME = "nobody could take it in time"

_Ways = Mapping[str, Sequence[Trunk]]
"""The trunks that take a number, by their PBX, in the order to try them."""

SHORT = timedelta(seconds=1)
"""A trunk that has a slot within this is waited for rather than passed over for the next one."""


class Decider:
    """Decides for all departments at once. `ready` says since when each PBX can be dialled through (UTC), `stops` what
    is paused: both are kept up to date by whoever owns this."""

    def __init__(self, directory: Directory, roster: Roster, capacity: Capacity, health: TrunkHealth) -> None:
        self.directory = directory
        self.roster = roster
        self.capacity = capacity
        self.health = health
        self.turns = Turns()
        self.stops: frozenset[Stop] = frozenset()
        self.ready: dict[str, datetime] = {}
        self.held_until: dict[str, datetime | None] = {}
        """When what last held a department back was over; None while that is not known."""
        self.reach = {each.id: _reach(each, directory) for each in directory.departments.values()}
        """Who may answer for each department, by their PBX."""

    def numbers(self, now: datetime) -> Mapping[str, tuple[str, ...]]:
        """By department, how the numbers begin that it could call at `now` (UTC), as `reachable` has it."""
        trunks, health = self.directory.trunks.values(), self.health
        away = {each.id for each in trunks if self.is_away(each) or health.rests_until(each.id, now) is not None}
        return {each.id: reachable(each, self.directory, away) for each in self.directory.departments.values()}

    def is_away(self, trunk: Trunk) -> bool:
        """Whether its PBX is out of sight, or somebody has stopped it."""
        return trunk.pbx not in self.ready or (bool(self.stops) and Stop(Scope.TRUNK, trunk.id) in self.stops)

    def undo(self, placed: Place, now: datetime) -> None:
        """It was not claimed at `now` after all: its agent, its line and its turn are free again."""
        account = self.directory.accounts[placed.lines.account]
        self.capacity.undo(account, placed.lines, placed.callback.visitor.phone, now)
        self.roster.release(placed.way.agent.id, now)
        self.turns.give_back(placed.turn)

    def decide(self, waiting: Mapping[str, Sequence[Callback]], now: datetime) -> Decisions:
        """Decide on what is due at `now` (UTC): each department's callbacks, earliest first. What is decided on is
        begun: agent, lines and turn are taken."""
        return _Round(self, waiting, now).run()


@dataclass(slots=True)
class _Desk:
    """One department in a round, with what of it is still to be looked at."""

    department: Department
    account: Account
    queue: deque[Callback]


@dataclass(slots=True)
class _Round:
    decider: Decider
    waiting: Mapping[str, Sequence[Callback]]
    now: datetime
    made: list[Decision] = field(default_factory=list)
    look_at: datetime | None = None
    free: set[str] = field(default_factory=set)
    passed_over: Counter[str] = field(default_factory=Counter)
    lines: dict[str, datetime | None] = field(default_factory=dict)
    """What each trunk's line was found to be since the last call was placed."""

    def run(self) -> Decisions:
        decider = self.decider
        self.free = decider.roster.free(self.now)
        desks: dict[str, list[_Desk]] = {}
        for id_, queue in self.waiting.items():
            department = decider.directory.departments[id_]
            account = decider.directory.account_of(department)
            if queue and self._may_dial(department, account):
                desks.setdefault(account.id, []).append(_Desk(department, account, deque(queue)))
        while desks:
            if not any(self._serve(desks, account_id) for account_id in decider.turns.order(desks)):
                break
        self._look(decider.roster.next_rested())
        self._look(decider.health.next_back(self.now))
        return Decisions(tuple(self.made), self.look_at, self.passed_over)

    def _serve(self, desks: dict[str, list[_Desk]], account_id: str) -> bool:
        """Place one call of this account, the earliest promise that can be kept; False when there is none."""
        mine = desks[account_id]
        while mine:
            desk = mine[0] if len(mine) == 1 else min(mine, key=lambda each: (each.queue[0].due_at, each.queue[0].id))
            placed = self._desk_free(desk) and self._look_at_first(desk)
            if not desk.queue:
                mine.remove(desk)
            if not mine:
                del desks[account_id]
            if placed:
                return True
        return False

    def _look_at_first(self, desk: _Desk) -> bool:
        """Decide on the first in the queue; True when it is rung."""
        before = len(self.made)
        placed = self._consider(desk, desk.queue.popleft())
        self.passed_over[desk.department.id] += len(self.made) == before
        return placed

    # --- the department ----------------------------------------------------------------------------------------------

    def _may_dial(self, department: Department, account: Account) -> bool:
        """Stops, hours and the day's allowance: what no call of this round changes."""
        decider = self.decider
        if decider.stops:
            stops = (EVERYTHING, Stop(Scope.ACCOUNT, account.id), Stop(Scope.DEPARTMENT, department.id))
            if not decider.stops.isdisjoint(stops):
                return self._hold(department, None)
        if not is_open(department.hours, self.now):
            return self._hold(department, next_opening(department.hours, self.now))
        if decider.held_until.get(department.id, _EVER) is None:
            decider.held_until[department.id] = self.now
        return True

    def _desk_free(self, desk: _Desk) -> bool:
        """An agent, and room by every pace; where there is none, the whole department waits."""
        department = desk.department
        pbxs = [pbx for pbx, agents in self.decider.reach[department.id].items() if not agents.isdisjoint(self.free)]
        if not pbxs:
            desk.queue.clear()
            return False
        slot = self._slot(desk.account, department, pbxs)
        if slot is not None and slot <= self.now:
            return True
        desk.queue.clear()
        return self._hold(department, slot)

    def _slot(self, account: Account, department: Department, pbxs: Sequence[str]) -> datetime | None:
        """When account, department and a trunk of these PBXs may begin a call; None while one of them is full."""
        capacity, directory, now = self.decider.capacity, self.decider.directory, self.now
        allowed = capacity.allowance(account, now)
        if allowed > now:
            return allowed
        desk = capacity.desk(account, department, now)
        trunks = [trunk for id_ in department.trunks if (trunk := directory.trunks[id_]).pbx in pbxs]
        ways = [slot for trunk in trunks if (slot := self._line(trunk)) is not None]
        return max(desk, min(ways)) if desk and ways else None

    def _line(self, trunk: Trunk) -> datetime | None:
        """When a trunk can begin a call; None while it cannot: stopped, out of sight, or full."""
        if trunk.id not in self.lines:
            self.lines[trunk.id] = self._look_at_line(trunk)
        return self.lines[trunk.id]

    def _look_at_line(self, trunk: Trunk) -> datetime | None:
        decider = self.decider
        if decider.is_away(trunk):
            return None
        return decider.health.rests_until(trunk.id, self.now) or decider.capacity.line(trunk, self.now)

    def _hold(self, department: Department, until: datetime | None) -> bool:
        self.decider.held_until[department.id] = until
        self._look(until)
        return False

    def _look(self, at: datetime | None) -> None:
        if at is not None and (self.look_at is None or at < self.look_at):
            self.look_at = at

    # --- the callback ------------------------------------------------------------------------------------------------

    def _consider(self, desk: _Desk, callback: Callback) -> bool:
        """Decide on one callback that is due; True when it is rung."""
        department, now = desk.department, self.now
        if callback.expires_at is not None and callback.expires_at <= now:
            self.made.append(Close(callback, Status.EXPIRED, OUT_OF_TIME))
            return False
        ways = self._ways(department, callback.visitor.phone)
        # Before all else: thousands may wait for a trunk that is full, and each round looks at all of them.
        if any(ways.values()) and not self._has_line(ways):
            return False
        site = self.decider.directory.sites[department.site]
        windows = (department.hours, *called_windows(site, callback.visitor.phone))
        away = put_away(callback, department, desk.account, windows, now)
        if away is not None:
            self.made.append(away)
            return False
        if not any(ways.values()):
            self.made.append(Close(callback, Status.REJECTED, "no trunk of the department takes this number"))
            return False
        peace = self.decider.capacity.number_free_at(callback.visitor.phone, department.retry.least_gap)
        if peace is None or peace > now:
            self._look(peace)
            return False
        ends = [end for end in (closes_in_all(windows, now), callback.wanted_until) if end is not None]
        return self._ring(desk, callback, ways, max(peace, callback.due_at), min(ends, default=None))

    def _ways(self, department: Department, number: str) -> _Ways:
        directory = self.decider.directory
        pbxs = {directory.trunks[trunk].pbx for trunk in department.trunks}
        return {pbx: serving(department, directory, number, pbx) for pbx in pbxs}

    def _has_line(self, ways: _Ways) -> bool:
        """Whether any of the trunks can begin a call now."""
        slots = [self._line(trunk) for trunks in ways.values() for trunk in trunks]
        if any(slot is not None and slot <= self.now for slot in slots):
            return True
        for slot in slots:
            self._look(slot)
        return False

    def _ring(self, desk: _Desk, callback: Callback, ways: _Ways, since: datetime, closes: datetime | None) -> bool:
        for agent in self._agents(desk, callback):
            trunk = self._trunk(callback, ways[agent.pbx])
            if trunk is not None:
                self._place(desk, callback, Route(desk.department, agent, trunk), since, closes)
                return True
        return False

    def _agents(self, desk: _Desk, callback: Callback) -> list[Agent]:
        """Who can take it, in order. Where nobody can, the rest of the queue, which is younger, waits too,
        but for those whom somebody is kept for."""
        department, roster, now = desk.department, self.decider.roster, self.now
        preferred = callback.prefer_agent
        if preferred and roster.promised_to(preferred, now) == callback.id:
            self._look(roster.promised_until(preferred))
            return [self.decider.directory.agents[preferred]] if preferred in self.free else []
        overflow = department.overflow
        helped = overflow is not None and now - callback.due_at >= overflow.after
        if overflow is not None and not helped:
            self._look(callback.due_at + overflow.after)
        promised = self.free & roster.promised(now)
        for agent in promised:
            self._look(roster.promised_until(agent))
        arranged = candidates(
            department,
            self.decider.directory,
            self.free - promised,
            roster.last_rung,
            roster.free_since,
            overflow=helped,
        )
        found = [agent for agent in arranged if agent.pbx in self.decider.ready]
        if not found:
            desk.queue = deque(each for each in desk.queue if self._is_kept_for(each)) if promised else deque()
        return sorted(found, key=lambda agent: agent.id != preferred) if preferred else found

    def _is_kept_for(self, callback: Callback) -> bool:
        agent = callback.prefer_agent
        return agent in self.free and self.decider.roster.promised_to(agent, self.now) == callback.id

    def _trunk(self, callback: Callback, ways: Sequence[Trunk]) -> Trunk | None:
        """The first way out that takes the call now; None when none does, or when one soon will."""
        # All have failed it: the first ones again, as far as they do not rest.
        for trunk in [way for way in ways if way.id not in callback.failed_trunks] or ways:
            slot = self._line(trunk)
            if slot is not None and slot <= self.now:
                return trunk
            self._look(slot)
            if slot is not None and slot - self.now <= SHORT:
                return None
        return None

    def _place(self, desk: _Desk, callback: Callback, way: Route, since: datetime, closes: datetime | None) -> None:
        decider, now = self.decider, self.now
        helped = desk.department.overflow if way.agent.id not in desk.department.agents else None
        ready_at = max(
            since,
            decider.roster.free_since.get(way.agent.id, _EVER),
            decider.ready[way.agent.pbx],
            decider.held_until.get(desk.department.id) or _EVER,
            callback.due_at + helped.after if helped else _EVER,
        )
        lines = Lines(desk.account.id, desk.department.id, way.trunk.pbx, way.trunk.id)
        decider.roster.reserve(way.agent.id, now)
        self.free.discard(way.agent.id)
        decider.capacity.begin(desk.account, lines, callback.visitor.phone, now)
        self.lines.clear()
        turn = decider.turns.take(desk.account.id)
        self.made.append(Place(callback, way, lines, turn, min(ready_at, now), closes))


def _reach(department: Department, directory: Directory) -> Mapping[str, frozenset[str]]:
    agents = (*department.agents, *(department.overflow.agents if department.overflow else ()))
    pbxs = {directory.agents[agent].pbx for agent in agents}
    return {pbx: frozenset(agent for agent in agents if directory.agents[agent].pbx == pbx) for pbx in sorted(pbxs)}
