"""A small telephony host for decisions: two accounts, three departments, six agents, two PBXs, three trunks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.callback import Callback, Visitor
from dialer.domain.directory import (
    Account,
    Agent,
    Delay,
    Department,
    Directory,
    Interval,
    OpeningHours,
    Pace,
    RetryRule,
    Site,
    Trunk,
)
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.domain.phone import DEFAULT_POLICY
from dialer.engine.capacity import Capacity
from dialer.engine.choices import Close, Decision, Decisions, Defer, Place
from dialer.engine.decision import Decider
from dialer.engine.ports import DeviceState
from dialer.engine.roster import Roster
from dialer.routing.trunks import TrunkHealth
from tests.unit import plain

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
DAWN = NOON.replace(hour=6)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
OFFICE = OpeningHours(LONDON, (*[(Interval(time(9), time(17)),)] * 5, (), ()))
RULE = RetryRule({Outcome.CUSTOMER_BUSY: (Delay(5 * MINUTE),)}, 3, 10, least_gap=2 * MINUTE)

ACCOUNTS = {id_: Account(id_, id_.title(), LONDON, DEFAULT_POLICY) for id_ in ("acme", "bolt")}
SITES = {
    "shop": Site("shop", "The Shop", LONDON, "GB", "acme"),
    "forge": Site("forge", "The Forge", LONDON, "GB", "bolt"),
}
AGENTS = {
    id_: Agent(id_, id_.title(), pbx, f"PJSIP/{id_}", f"PJSIP/{id_}")
    for id_, pbx in (
        ("anna", "one"), ("ben", "one"), ("cleo", "one"), ("dan", "one"), ("eve", "two"), ("finn", "two"),
    )
}  # fmt: skip
TRUNKS = {
    "first": Trunk("first", "one", "mi-first"),
    "second": Trunk("second", "one", "mi-second"),
    "far": Trunk("far", "two", "mi-far"),
}


def department(id_: str, site: str, agents: Sequence[str], **more: object) -> Department:
    trunks = ("first", "second", "far")
    fields = {"site": site, "agents": tuple(agents), "trunks": trunks, "hours": OFFICE, "retry": RULE, **more}
    return plain.department(id_, **fields)


def directory(**departments: Mapping[str, object]) -> Directory:
    """`departments` change the fields of those there are."""
    made = {
        "sales": department("sales", "shop", ("anna", "eve"), **departments.get("sales", {})),
        "support": department("support", "shop", ("ben",), **departments.get("support", {})),
        "smiths": department("smiths", "forge", ("cleo", "dan", "finn"), **departments.get("smiths", {})),
    }
    return Directory(ACCOUNTS, SITES, {"one": Pace(), "two": Pace()}, AGENTS, TRUNKS, made)


def callback(number: int, department: str = "sales", *, due: datetime = NOON, **more: object) -> Callback:
    """A callback to a number of its own."""
    site = "forge" if department == "smiths" else "shop"
    visitor = Visitor(f"+4420794600{number:02}")
    plain = Callback(CallbackId(f"C{number:025}"), site, department, visitor, due - MINUTE, None, due)
    return replace(plain, **more)  # type: ignore[arg-type]  # a test's own fields


@dataclass
class Floor:
    """A decider with everything it asks, everybody free and both PBXs up."""

    directory: Directory = field(default_factory=directory)
    busy: Sequence[str] = ()
    down: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.roster = Roster(self.directory)
        self.capacity = Capacity(self.directory)
        self.health = TrunkHealth()
        self.decider = Decider(self.directory, self.roster, self.capacity, self.health)
        self.decider.ready = {pbx: DAWN for pbx in self.directory.pbxs if pbx not in self.down}
        for agent in self.directory.agents.values():
            if agent.id not in self.busy and agent.pbx not in self.down:
                self.idle(agent.id)

    def idle(self, agent: str, now: datetime = DAWN) -> None:
        of = self.directory.agents[agent]
        self.roster.device(of.pbx, of.device, DeviceState.NOT_INUSE, now)

    def decide(self, *callbacks: Callback, now: datetime = NOON) -> Decisions:
        waiting: dict[str, list[Callback]] = {}
        for each in sorted(callbacks, key=lambda one: (one.due_at, one.id)):
            waiting.setdefault(each.department, []).append(each)
        return self.decider.decide(waiting, now)

    def words(self, *callbacks: Callback, now: datetime = NOON) -> list[str]:
        """What is decided, in words: `1 anna first`, `1 → 2026-03-04 08:00`, `1 rejected number_foreign`."""
        return [told(decision) for decision in self.decide(*callbacks, now=now).made]


def told(decision: Decision) -> str:
    number = int(decision.callback.id[1:])
    match decision:
        case Place(way=way):
            return f"{number} {way.agent.id} {way.trunk.id}"
        case Defer(due_at=due_at):
            return f"{number} → {due_at:%Y-%m-%d %H:%M}"
        case Close(status=status, reason=reason):
            return f"{number} {status} {reason}"
