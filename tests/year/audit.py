"""The audit: every call is judged by books of its own, naive arithmetic on what happened, and the labels of numbers.

Nothing of scheduling, routing or the engine is used. Plain data of the domain says what the rules are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.callback import OPEN, Callback, Status
from dialer.domain.directory import Directory, NumberFormat, Trunk
from dialer.domain.outcome import Blame, Outcome, Verdict
from dialer.domain.stop import EVERYTHING, Scope, Stop
from tests.year.books import Case, Days, Lane, Person, Ringing, may_have_rung, takes
from tests.year.clocks import may_be_rung, on_the_door, zones_of
from tests.year.fairness import Fairness
from tests.year.numbers import Number
from tests.year.world import CONTENDED, Policy

WRONGS = (
    *("outside_hours", "quiet_hours", "over_cap", "over_budget", "refused_dialled"),
    *("stopped_dialled", "wrong_time", "wrong_way", "wrong_at_the_door"),
)
"""What must not happen. `wrong_time`: before the promise, or after it ran out. `wrong_way`: an agent who is not free or
not of the department, a trunk that does not serve it, a number written otherwise than the trunk wants it."""

_OBJECTING = timedelta(seconds=1.5)
"""What an objection may take to reach a call under way."""

_KEPT = timedelta(seconds=20)
"""How long an agent is kept for a callback whose trunk failed them."""

_EXAMPLES = 3
"""Told of each wrong."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that begins: by whom, by which trunk, and the digits dialled there."""

    callback: str
    agent: str
    trunk: str
    dialled: str


class Audit:
    """Told of everything that happens, in its order. `rest`: how long agents are left alone who did not take a call.
    `policies` may be exchanged."""

    def __init__(
        self, directory: Directory, policies: Mapping[str, Policy], small: frozenset[str], rest: timedelta
    ) -> None:
        self.wrongs: Counter[str] = Counter()
        self.examples: list[str] = []
        self.fairness = Fairness()
        self.policies = policies
        self._directory = directory
        self._small = small
        self._rest = rest
        self._cases: dict[str, Case] = {}
        self._small_cases: dict[str, Case] = {}
        self._lanes = {
            **{("account", id_): Lane(each.pace) for id_, each in directory.accounts.items()},
            **{("department", id_): Lane(each.pace) for id_, each in directory.departments.items()},
            **{("pbx", id_): Lane(pace) for id_, pace in directory.pbxs.items()},
            **{("trunk", id_): Lane(each.pace) for id_, each in directory.trunks.items()},
        }
        self._days = Days(directory.accounts)
        self._people = {agent: Person() for agent in directory.agents}
        self._numbers: dict[str, Ringing] = {}
        self._zones: dict[str, tuple[ZoneInfo, ...]] = {}
        self._objected: dict[str, datetime] = {}
        self._stops: set[Stop] = set()
        self._up: set[str] = set()

    def _wrong(self, what: str, now: datetime, why: str) -> None:
        self.wrongs[what] += 1
        if self.wrongs[what] <= _EXAMPLES:
            self.examples.append(f"{what} at {now}: {why}")

    # --- what it is told ---------------------------------------------------------------------------------------------

    def refused(self, number: Number, department: str, code: str, now: datetime) -> None:
        """The door refused a number."""
        if self.policies[self._account(department)].allows(number):
            self._wrong("wrong_at_the_door", now, f"{number.region} {number.kind} was refused: {code}")

    def accepted(self, callback: Callback, number: Number, now: datetime) -> None:
        """The door let a number in."""
        department = self._directory.departments[callback.department]
        account, site = self._account(department.id), self._directory.sites[department.site]
        if not self.policies[account].allows(number) or callback.visitor.phone != number.e164:
            self._wrong("wrong_at_the_door", now, f"{number.region} {number.kind} was accepted")
        zones = self._zones.get(number.prefix)
        if zones is None:
            zones = self._zones[number.prefix] = zones_of(number.e164)
        case = Case(number, department, account, zones or (site.zone,), callback)
        self._cases[callback.id] = case
        if account in self._small:
            self._small_cases[callback.id] = case

    def changed(self, callback: Callback) -> None:
        """The store has it so."""
        case = self._cases.get(callback.id)
        if case is not None:
            case.seen = callback
            if case.agent and self._people[case.agent].kept_for == callback.id and not callback.prefer_agent:
                self._people[case.agent].in_vain = True
            if callback.status not in OPEN:
                del self._cases[callback.id]
                self._small_cases.pop(callback.id, None)
                if case.agent and self._people[case.agent].kept_for == callback.id:
                    self._people[case.agent].kept_until = None

    def objected(self, number: str, now: datetime) -> None:
        self._objected.setdefault(number, now)

    def paused(self, stop: Stop, paused: bool) -> None:  # noqa: FBT001  # told as an event
        (self._stops.add if paused else self._stops.discard)(stop)
        if stop.scope is Scope.AGENT:
            self._people[stop.key].paused = paused

    def pbx(self, pbx: str, *, up: bool) -> None:
        (self._up.add if up else self._up.discard)(pbx)

    def phone(self, agent: str, *, idle: bool) -> None:
        self._people[agent].idle = idle

    def restarted(self) -> None:
        """A new life of the daemon: agents' rests and accounts' turns begin anew."""
        self.fairness.forget()
        for person in self._people.values():
            person.rests_until = person.kept_until = None

    # --- a call ------------------------------------------------------------------------------------------------------

    def placed(self, placed: Placed, now: datetime) -> None:
        """A call begins: judge it, then write it down."""
        case = self._cases.get(placed.callback)
        if case is None or case.under_way or case.seen.status is not Status.IN_PROGRESS:
            self._wrong("over_budget", now, "a callback that is over, or under way already")
            return
        trunk = self._directory.trunks[placed.trunk]
        self._judge_time(case, now)
        self._judge_permission(case, trunk, now)
        self._judge_way(case, placed, trunk, now)
        self._judge_budget(case, now)
        for name, lane in self._lanes_of(case, trunk):
            if wrong := lane.begin(now):
                self._wrong("over_cap", now, f"{' '.join(name)}: {wrong}")
        if wrong := self._days.begin(case.account, now):
            self._wrong("over_cap", now, f"account {case.account}: {wrong}")
        if trunk.id == CONTENDED:
            self._judge_turn(case.account, trunk, now)
        case.under_way, case.agent, case.trunk = True, placed.agent, placed.trunk
        person = self._people[placed.agent]
        person.held, person.kept_until = True, None
        self._ringing(case).under_way += 1

    def dialled(self, callback: str, now: datetime) -> None:
        """The customer's phone is about to ring."""
        case = self._cases[callback]
        self._judge_hours(case, now)
        if case.seen.wanted_until is not None and case.seen.wanted_until <= now and case.seen.wish is None:
            self._wrong("wrong_time", now, "the customer is rung after their window")
        objected = self._objected.get(case.number.e164)
        if objected is not None and objected + _OBJECTING < now:
            self._wrong("refused_dialled", now, "the customer is rung after an objection")

    def hung_up(self, callback: str, now: datetime, *, rang: bool, talked_from: datetime | None) -> None:
        """The call is over, whether or not the daemon knows."""
        case = self._cases[callback]
        ringing = self._ringing(case)
        ringing.under_way -= 1
        if rang:
            ringing.last = now
        for _, lane in self._lanes_of(case, self._directory.trunks[case.trunk]):
            lane.in_progress -= 1
        case.talk = None if talked_from is None else (talked_from, now)

    def settled(self, callback: str, told: Verdict, now: datetime) -> None:
        """The daemon knows the end."""
        case = self._cases[callback]
        person = self._people[case.agent]
        case.under_way = person.held = False
        if told.outcome is Outcome.CONNECTED and case.talk is not None:
            self._days.talked(case.account, *case.talk)
        if may_have_rung(told):
            self._ringing(case).told = now
        if told.blame is Blame.AGENT:
            person.rests_until = now + self._rest
        elif told.outcome is Outcome.CONNECTED:
            person.rests_until = now + case.department.wrap_up
        if case.count(told, self._directory, now) and case.seen.wish is None:
            person.keep(callback, now + _KEPT)

    # --- judgement ---------------------------------------------------------------------------------------------------

    def _judge_time(self, case: Case, now: datetime) -> None:
        self._judge_hours(case, now)
        if now < case.seen.due_at:
            self._wrong("wrong_time", now, f"due at {case.seen.due_at}")
        for end in (case.seen.expires_at, case.seen.wanted_until):
            if end is not None and end <= now:
                self._wrong("wrong_time", now, f"given up at {end}")

    def _judge_hours(self, case: Case, now: datetime) -> None:
        department = case.department
        if not on_the_door(department.hours, now):
            self._wrong("outside_hours", now, f"{department.id}, {department.hours.zone}")
        if not may_be_rung(case.zones, self._directory.sites[department.site].call_between, now):
            self._wrong("quiet_hours", now, f"{case.number.region}, {', '.join(map(str, case.zones[:3]))}")

    def _judge_permission(self, case: Case, trunk: Trunk, now: datetime) -> None:
        if not self._may_be_called(case):
            self._wrong("refused_dialled", now, f"{case.account}: {case.number.region} {case.number.kind}")
        stops = {*_stops(case), Stop(Scope.TRUNK, trunk.id)} & self._stops
        if stops or trunk.pbx not in self._up:
            self._wrong("stopped_dialled", now, f"{', '.join(map(str, stops)) or trunk.pbx}")

    def _may_be_called(self, case: Case) -> bool:
        return self.policies[case.account].allows(case.number) and case.number.e164 not in self._objected

    def _judge_way(self, case: Case, placed: Placed, trunk: Trunk, now: datetime) -> None:
        department, agent = case.department, self._directory.agents[placed.agent]
        helpers: Iterable[str] = ()
        if department.overflow is not None and department.overflow.after <= now - case.seen.due_at:
            helpers = department.overflow.agents
        person = self._people[agent.id]
        if agent.id not in (*department.agents, *helpers) and not person.is_kept(now, placed.callback):
            self._wrong("wrong_way", now, f"{agent.id} does not call for {department.id}")
        if not person.may_be_rung(now, placed.callback):
            self._wrong("wrong_way", now, f"{agent.id} is not free: {person}")
        if trunk.id not in department.trunks or trunk.pbx != agent.pbx or not takes(trunk, case.number):
            self._wrong("wrong_way", now, f"{trunk.id} for {department.id}")
        if placed.dialled != _as_dialled(case.number, trunk):
            self._wrong("wrong_way", now, f"{trunk.id} is given a number of {case.number.region} otherwise")

    def _judge_budget(self, case: Case, now: datetime) -> None:
        if spent := case.spent(now):
            self._wrong("over_budget", now, f"{case.department.id}: {spent}")
        ringing = self._ringing(case)
        if not ringing.is_in_peace(case.department.retry.least_gap, now):
            self._wrong("over_budget", now, f"{case.department.id}: {ringing}")

    def _judge_turn(self, account: str, trunk: Trunk, now: datetime) -> None:
        passed = {
            case.account for id_, case in self._small_cases.items() if self._could_be_placed(id_, case, trunk, now)
        }
        for small in passed - {account}:
            self.fairness.passes(small, account)
        if account in self._small:
            self.fairness.serves(account)

    def _could_be_placed(self, id_: str, case: Case, trunk: Trunk, now: datetime) -> bool:
        """Whether nothing but its turn keeps a callback from being rung by this trunk, which works and has a slot."""
        seen, department = case.seen, case.department
        if seen.status is not Status.SCHEDULED or now < seen.due_at:
            return False
        if (seen.expires_at is not None and seen.expires_at <= now) or not self._may_be_called(case):
            return False
        in_peace = self._ringing(case).is_in_peace(department.retry.least_gap, now, as_told=True)
        if _stops(case) & self._stops or not takes(trunk, case.number) or not in_peace:
            return False
        between = self._directory.sites[department.site].call_between
        if not on_the_door(department.hours, now) or not may_be_rung(case.zones, between, now):
            return False
        mine = [agent for agent in department.agents if self._directory.agents[agent].pbx == trunk.pbx]
        return any(self._people[agent].is_free(now, id_) for agent in mine)

    # --- what belongs to what ----------------------------------------------------------------------------------------

    def _account(self, department: str) -> str:
        return self._directory.sites[self._directory.departments[department].site].account

    def _ringing(self, case: Case) -> Ringing:
        return self._numbers.setdefault(case.number.e164, Ringing())

    def _lanes_of(self, case: Case, trunk: Trunk) -> list[tuple[tuple[str, str], Lane]]:
        names = (
            ("account", case.account),
            ("department", case.department.id),
            ("pbx", trunk.pbx),
            ("trunk", trunk.id),
        )
        return [(name, self._lanes[name]) for name in names]


def _stops(case: Case) -> set[Stop]:
    return {EVERYTHING, Stop(Scope.ACCOUNT, case.account), Stop(Scope.DEPARTMENT, case.department.id)}


def _as_dialled(number: Number, trunk: Trunk) -> str:
    """As somebody in the trunk's region dials it."""
    match trunk.number_format:
        case NumberFormat.E164:
            return number.e164
        case NumberFormat.E164_PLAIN:
            return number.e164[1:]
        case NumberFormat.NATIONAL if trunk.region == "GB":
            return f"0{number.e164[3:]}" if number.e164.startswith("+44") else f"00{number.e164[1:]}"
        case NumberFormat.NATIONAL:
            return number.e164[1:] if number.e164.startswith("+1") else f"011{number.e164[1:]}"
