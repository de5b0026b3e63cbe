"""Who and what can take part in a call, as the configuration says: plain data, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dialer.domain.outcome import Outcome
from dialer.domain.phone import NumberPolicy


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of opening time that begins on one local day: from `start` up to, not including, `end` (None: midnight).

    An end at or before the start lies on the next day: it reaches over midnight.
    """

    start: time
    end: time | None


class Nation(StrEnum):
    """A nation of the United Kingdom, each with bank holidays of its own."""

    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"


@dataclass(frozen=True, slots=True, eq=False)
class OpeningHours:
    """When a department calls, by its own zone's wall clock.

    `week` is seven days of intervals, Monday first. On a date in `exceptions` its intervals hold instead (none: closed
    all day), on a bank holiday of `nation` those of `on_holidays`; an exception outranks a holiday. Such a day's
    intervals are all of its opening time: what would run over into it from the evening before ends at midnight.

    Compared by identity, so that what is worked out of it can be remembered.
    """

    zone: ZoneInfo
    week: tuple[tuple[Interval, ...], ...]
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)
    nation: Nation | None = None
    on_holidays: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Delay:
    """How long to wait; `opening`: only the department's opening time counts."""

    length: timedelta
    opening: bool = False


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When to try again: a ladder of delays per outcome, and its bounds.

    An outcome without a ladder is not tried again. The last delay of a ladder repeats. `max_customer_attempts` counts
    attempts that the customer's side decided or that rang their phone, in all and `_a_day` of the department's zone
    (None: no more than in all); `max_agent_rings` agents rung in vain since the last of those. `least_gap` lies between
    two rings of one number, whichever callbacks they belong to. A delay may be longer by its share `jitter` (0 to 1),
    never shorter.
    """

    delays: Mapping[Outcome, tuple[Delay, ...]]
    max_customer_attempts: int
    max_agent_rings: int
    max_customer_attempts_a_day: int | None = None
    least_gap: timedelta = timedelta(0)
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: calls begun a second, evenly spaced, and calls in progress at once. None: not bounded."""

    per_second: float | None = None
    at_once: int | None = None


UNBOUNDED = Pace()


@dataclass(frozen=True, slots=True)
class Account:
    """A business whose sites are served. `numbers` says whom it may have called; the caps hold for each day of `zone`
    (None: no cap)."""

    id: str
    name: str
    zone: ZoneInfo
    numbers: NumberPolicy
    pace: Pace = UNBOUNDED
    max_attempts_a_day: int | None = None
    max_minutes_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A website with the widget. `region` (ISO 3166, for numbers written nationally) and `zone` read its visitors'
    texts. `call_between`: when its visitors may be called, by their own clocks. `page_query`: agents see the query of a
    page's address, too."""

    id: str
    name: str
    zone: ZoneInfo
    region: str
    account: str = ""
    call_between: Interval = Interval(time(8), time(21))
    page_query: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """A person with a phone. `endpoint` is what Asterisk dials (`PJSIP/anna`), `device` whose state says free."""

    id: str
    name: str
    pbx: str
    endpoint: str
    device: str


class NumberFormat(StrEnum):
    """How a trunk wants the number to dial: `+442079460001`, `442079460001`, or as dialled within the trunk's region
    (`02079460001`; a number of another region with the region's international prefix, `00493012345`)."""

    E164 = "e164"
    E164_PLAIN = "e164_plain"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out of one PBX to the carrier; `endpoint` is its PJSIP endpoint there.

    It takes the numbers that begin with one of `prefixes` (E.164 with its +; none: all), written as `number_format`
    says, in `region`. Calls that come in by it are answered in the dialplan contexts `inbound_contexts`.
    """

    id: str
    pbx: str
    endpoint: str
    prefixes: tuple[str, ...] = ()
    number_format: NumberFormat = NumberFormat.E164
    region: str = "GB"
    pace: Pace = UNBOUNDED
    inbound_contexts: tuple[str, ...] = ()


class AgentOrder(StrEnum):
    """Which of a department's free agents rings next: the first as configured; the next after the last one rung, as
    configured; the one who has been free the longest."""

    RING_ORDER = "ring_order"
    ROUND_ROBIN = "round_robin"
    LONGEST_IDLE = "longest_idle"


class NameStyle(StrEnum):
    """How a caller's name is written for agents' phones: as it came, in Latin letters, or in plain ASCII."""

    AS_WRITTEN = "as_written"
    LATIN = "latin"
    ASCII = "ascii"


@dataclass(frozen=True, slots=True)
class Overflow:
    """Agents who help out once a callback has waited `after` since it was due, in the order given, behind the
    department's own."""

    after: timedelta
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """Where a callback is routed. `agent_ring`, `customer_ring` and `max_call` are seconds; `caller_id` is E.164;
    `whisper` names sound files.

    `trunks` are tried in this order. `patience` is how much opening time may pass from a promise until it is given up
    (None: for ever). An agent rests `wrap_up` after a call, and is paused after `max_missed_rings` in a row (0: never).
    `called_in`: a visitor who got through to us by themselves is not called back.
    """

    id: str
    name: str
    site: str
    agents: tuple[str, ...]
    trunks: tuple[str, ...]
    caller_id: str
    hours: OpeningHours
    retry: RetryRule
    agent_ring: int
    customer_ring: int
    max_call: int
    press_to_accept: bool
    whisper: str
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    wrap_up: timedelta = timedelta(0)
    max_missed_rings: int = 0
    overflow: Overflow | None = None
    patience: timedelta | None = None
    pace: Pace = UNBOUNDED
    name_style: NameStyle = NameStyle.LATIN
    called_in: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """The whole of it, by id. Every reference between its parts was checked when it was made.

    `pbxs` holds each PBX's pace. `callback_page` is the address of an agent's page on a callback, with `{id}` in the
    place of the callback's id ('': there is none).
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    pbxs: Mapping[str, Pace] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    callback_page: str = ""

    def account_of(self, department: Department) -> Account:
        """The account whose callbacks a department serves."""
        return self.accounts[self.sites[department.site].account]
