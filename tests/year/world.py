"""A telephony host for a simulated year: accounts, departments, agents, trunks and two PBXs, drawn by a seed.

A house is whole in itself, so that two can be simulated side by side. Two of its accounts are giants: they share one
trunk, whose pace is below what they ask for, with small accounts that have a callback a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from dialer.domain.directory import (
    Account,
    Agent,
    AgentOrder,
    Delay,
    Department,
    Directory,
    Interval,
    NumberFormat,
    Overflow,
    Pace,
    RetryRule,
    Site,
    Trunk,
)
from dialer.domain.outcome import Outcome
from dialer.domain.phone import NumberKind, NumberPolicy
from tests.year import numbers
from tests.year.hours import LONDON, NEW_YORK, giant_hours, random_hours
from tests.year.numbers import Range

CONTENDED = "tight"
"""The trunk that the giants share with the small accounts."""

PBXS = ("one", "two")


@dataclass(frozen=True, slots=True)
class Kind:
    """How many accounts of a kind a house has, and how many departments and agents each of them."""

    accounts: int
    departments: int
    agents: int


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a house is."""

    giants: Kind
    mediums: Kind
    smalls: Kind


FULL = Scale(Kind(2, 1, 20), Kind(5, 4, 11), Kind(5, 3, 6))
SMALL = Scale(Kind(2, 2, 6), Kind(2, 3, 6), Kind(2, 2, 4))

GIANTS_SHARE = 0.45
"""Of a house's callbacks."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom an account may have called, in the labels' words."""

    regions: frozenset[str]
    kinds: frozenset[str]
    deny: frozenset[str]

    def allows(self, number: numbers.Number) -> bool:
        """By the number's label alone."""
        listed = any(number.e164.startswith(denied) for denied in self.deny)
        return number.region in self.regions and number.kind in self.kinds and not listed

    @property
    def rule(self) -> NumberPolicy:
        """As the account's own configuration has it."""
        return NumberPolicy(self.regions, frozenset(map(NumberKind, self.kinds)), self.deny)


@dataclass(frozen=True, slots=True)
class Firm:
    """An account as its visitors see it: its departments, its share of the requests, and who they are: most are at
    home, others may be called, too, some are anybody."""

    account: str
    small: bool
    share: float
    zone: ZoneInfo
    departments: tuple[str, ...]
    at_home: tuple[Range, ...]
    others: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class House:
    """`policies` and `directory` hold from the start, the tightened ones from the middle of the time on."""

    directory: Directory
    tightened: Directory
    policies: Mapping[str, Policy]
    tightened_policies: Mapping[str, Policy]
    firms: tuple[Firm, ...]


def house(random: Random, scale: Scale, days: Sequence[date], callbacks: int) -> House:
    """One of them for so many callbacks on these days."""
    return _Builder(random, scale, days, callbacks).build()


class _Builder:
    def __init__(self, random: Random, scale: Scale, days: Sequence[date], callbacks: int) -> None:
        self._random = random
        self._scale = scale
        self._days = days
        self._a_day = callbacks / len(days)
        self._accounts: dict[str, Account] = {}
        self._sites: dict[str, Site] = {}
        self._agents: dict[str, Agent] = {}
        self._departments: dict[str, Department] = {}
        self._policies: dict[str, Policy] = {}
        self._firms: list[Firm] = []

    def build(self) -> House:
        scale = self._scale
        smalls = min(1.0 * scale.smalls.accounts, 0.1 * self._a_day)
        mediums = self._a_day * (1 - GIANTS_SHARE) - smalls
        for index in range(scale.giants.accounts):
            self._giant(f"giant{index}", self._a_day * GIANTS_SHARE / scale.giants.accounts)
        for index in range(scale.mediums.accounts):
            self._medium(f"medium{index}", index, mediums / scale.mediums.accounts)
        for index in range(scale.smalls.accounts):
            self._small(f"small{index}", smalls / scale.smalls.accounts)
        directory = Directory(
            self._accounts,
            self._sites,
            {"one": Pace(5, 40), "two": Pace(2, 20)},
            self._agents,
            {trunk.id: trunk for trunk in _trunks(self._a_day * GIANTS_SHARE)},
            self._departments,
        )
        tightened = {id_: self._tightened(policy) for id_, policy in self._policies.items()}
        return House(
            directory,
            replace(directory, accounts={id_: _under(self._accounts[id_], each) for id_, each in tightened.items()}),
            self._policies,
            tightened,
            tuple(self._firms),
        )

    # --- accounts ----------------------------------------------------------------------------------------------------

    def _giant(self, id_: str, a_day: float) -> None:
        zone = self._account(id_, LONDON if id_.endswith("0") else self._random.choice((LONDON, NEW_YORK)))
        agents = self._staff(id_, self._scale.giants.agents, ("one",))
        names = [f"{id_}-d{number}" for number in range(self._scale.giants.departments)]
        for name in names:
            patience = timedelta(hours=self._random.randint(3, 9))
            self._department(name, id_, agents, (CONTENDED,), hours=giant_hours(self._random, zone), patience=patience)
        self._firm(id_, zone, a_day, names)

    def _medium(self, id_: str, index: int, a_day: float) -> None:
        random = self._random
        zone = self._account(id_, random.choice((LONDON, LONDON, NEW_YORK)), **_caps(index, a_day))
        agents = self._staff(id_, self._scale.mediums.agents, PBXS)
        names = [f"{id_}-d{number}" for number in range(self._scale.mediums.departments)]
        for number, name in enumerate(names):
            team = tuple(random.sample(agents, random.randint(2, max(2, len(agents) - 2))))
            others = tuple(agent for agent in agents if agent not in team)
            trunks = tuple(random.sample(("north", "world", "south", "west"), 4))
            self._department(
                name,
                id_,
                team,
                trunks,
                hours=random_hours(random, zone, self._days),
                overflow=Overflow(timedelta(minutes=random.choice((1, 5, 20))), others) if number % 2 else None,
                pace=random.choice((Pace(), Pace(), Pace(per_second=0.05), Pace(at_once=3))),
                called_in=number == 0,
            )
        self._firm(id_, zone, a_day, names)

    def _small(self, id_: str, a_day: float) -> None:
        zone = self._account(id_, LONDON)
        agents = self._staff(id_, self._scale.smalls.agents, ("one",))
        names = [f"{id_}-d{number}" for number in range(self._scale.smalls.departments)]
        for name in names:
            team = tuple(self._random.sample(agents, self._random.randint(2, len(agents))))
            self._department(name, id_, team, (CONTENDED,), hours=giant_hours(self._random, zone))
        self._firm(id_, zone, a_day, names, small=True)

    def _firm(self, id_: str, zone: ZoneInfo, a_day: float, departments: Sequence[str], *, small: bool = False) -> None:
        at_home = numbers.UK if zone is LONDON else numbers.US
        others = tuple(each for each in numbers.CALLED if self._policies[id_].allows(each.draw(self._random, "")))
        self._firms.append(Firm(id_, small, a_day / self._a_day, zone, tuple(departments), at_home, others))

    # --- parts -------------------------------------------------------------------------------------------------------

    def _account(self, id_: str, zone: ZoneInfo, **caps: object) -> ZoneInfo:
        """An account with its site."""
        random = self._random
        kinds = {"fixed", "mobile", "fixed_or_mobile"} | ({"toll_free"} if random.random() < 0.5 else set())
        regions = {"GB"} if zone is LONDON else {"US"}
        regions |= {region for region in ("GB", "US", "GG", "JE", "IM", "DE") if random.random() < 0.3}
        deny = {random.choice(("+4420794600", "+44161496", "+1907", "+44740123"))}
        self._policies[id_] = policy = Policy(frozenset(regions), frozenset(kinds), frozenset(deny))
        account = Account(id_, id_, zone, policy.rule)
        self._accounts[id_] = replace(account, **caps)  # type: ignore[arg-type]  # an account's own fields
        between = random.choice(
            (*[Interval(time(8), time(21))] * 3, Interval(time(7), time(22)), Interval(time(), None))
        )
        region = "GB" if zone is LONDON else "US"
        self._sites[id_] = Site(id_, id_, zone, region, id_, between)
        return zone

    def _staff(self, id_: str, count: int, pbxs: Sequence[str]) -> tuple[str, ...]:
        names = [f"{id_}-a{number}" for number in range(count)]
        for number, name in enumerate(names):
            self._agents[name] = Agent(name, name, pbxs[number % len(pbxs)], f"PJSIP/{name}", f"PJSIP/{name}")
        return tuple(names)

    def _department(self, id_: str, site: str, team: Sequence[str], trunks: Sequence[str], **more: object) -> None:
        random = self._random
        plain = Department(
            id=id_,
            name=id_,
            site=site,
            agents=tuple(team),
            trunks=tuple(trunks),
            caller_id="+442079460100",
            hours=random_hours(random, LONDON, self._days),
            retry=_retry(random),
            agent_ring=random.choice((15, 20, 30)),
            customer_ring=random.choice((15, 25, 40)),
            max_call=1800,
            press_to_accept=True,
            whisper="",
            order=random.choice(list(AgentOrder)),
            wrap_up=timedelta(seconds=random.choice((0, 0, 15, 60))),
            max_missed_rings=random.choice((0, 3, 3, 5)),
            patience=random.choice((timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), None)),
        )
        self._departments[id_] = replace(plain, **more)  # type: ignore[arg-type]  # a department's own fields

    def _tightened(self, policy: Policy) -> Policy:
        """A region abroad less, and a prefix more that is denied."""
        random = self._random
        abroad = sorted(policy.regions - {"GB", "US"})
        left = policy.regions - set(random.sample(abroad, min(len(abroad), random.randint(0, 1))))
        return replace(policy, regions=left, deny=policy.deny | {random.choice(("+447401", "+1212555", "+4420794601"))})


def _under(account: Account, policy: Policy) -> Account:
    return replace(account, numbers=policy.rule)


def _caps(index: int, a_day: float) -> dict[str, object]:
    """What is reached on most days, or on some; and an account's pace."""
    attempts, minutes = max(2, round(1.6 * a_day)), max(5, round(2.8 * a_day))
    caps: tuple[dict[str, object], ...] = (
        {"max_attempts_a_day": attempts},
        {"max_minutes_a_day": minutes, "pace": Pace(per_second=0.1)},
        {"pace": Pace(at_once=3)},
        {"max_attempts_a_day": 2 * attempts, "max_minutes_a_day": 2 * minutes},
        {},
    )
    return caps[index % len(caps)]


def _trunks(giants_a_day: float) -> list[Trunk]:
    """The contended one can begin a little less than what the giants ask for in ten hours; 0.001 is the slowest pace
    that can be configured."""
    tight = max(0.001, round(1.1 * giants_a_day / (10 * 3600), 5))
    return [
        Trunk(CONTENDED, "one", "mi-tight", pace=Pace(per_second=tight, at_once=60)),
        Trunk("north", "one", "mi-north", ("+44",), NumberFormat.E164_PLAIN, pace=Pace(3, 15)),
        Trunk("world", "one", "mi-world", (), NumberFormat.NATIONAL, pace=Pace(2, 25)),
        Trunk("south", "two", "mi-south", ("+44", "+49"), NumberFormat.E164, pace=Pace(1, 12)),
        Trunk("west", "two", "mi-west", (), NumberFormat.NATIONAL, "US", Pace(1, 10)),
    ]


def _retry(random: Random) -> RetryRule:
    def ladder(*minutes: float) -> tuple[Delay, ...]:
        opening = random.random() < 0.3
        return tuple(Delay(timedelta(minutes=length), opening) for length in minutes)

    delays = {
        Outcome.CUSTOMER_BUSY: ladder(5, 15, 60),
        Outcome.CUSTOMER_NO_ANSWER: ladder(15, 60, 240),
        Outcome.AGENT_BUSY: ladder(0.5, 1, 2),
        Outcome.AGENT_NO_ANSWER: ladder(0.5, 1, 2),
        Outcome.AGENT_DECLINED: ladder(0.5, 1, 2),
        Outcome.AGENT_UNAVAILABLE: ladder(0.5, 1, 2),
        Outcome.ABANDONED_BY_AGENT: ladder(1, 5, 15),
        Outcome.TRUNK_FAILURE: ladder(1, 5),
        Outcome.PBX_FAILURE: ladder(1, 5),
        Outcome.NOT_PLACED: ladder(1 / 12),
        Outcome.CANCELLED: ladder(1 / 12),
    }
    if random.random() < 0.5:
        delays[Outcome.CUSTOMER_DECLINED] = ladder(120)
    return RetryRule(
        delays,
        max_customer_attempts=random.choice((2, 3, 4)),
        max_agent_rings=random.choice((5, 10)),
        max_customer_attempts_a_day=random.choice((None, 1, 2)),
        least_gap=timedelta(minutes=random.choice((1, 2, 2, 5))),
        jitter=random.choice((0.0, 0.1, 0.5)),
    )
