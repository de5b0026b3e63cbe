"""Who and what can take part in a call, as the configuration says: plain data, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of opening time within one local day: from `start` up to, not including, `end` (None: midnight)."""

    start: time
    end: time | None


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Seven days of intervals, Monday first, in the department's own zone."""

    zone: ZoneInfo
    week: tuple[tuple[Interval, ...], ...]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When to try again: a ladder of delays per outcome, and two caps.

    An outcome without a ladder is not tried again. The last delay of a ladder repeats. `max_customer_attempts` counts
    attempts that the customer's side decided; `max_agent_rings` counts agents rung in vain since the last of those.
    """

    delays: Mapping[Outcome, tuple[timedelta, ...]]
    max_customer_attempts: int
    max_agent_rings: int


@dataclass(frozen=True, slots=True)
class Site:
    """A website with the widget. `region` (ISO 3166, for numbers written nationally) and `zone` read its visitors'
    texts."""

    id: str
    name: str
    zone: ZoneInfo
    region: str


@dataclass(frozen=True, slots=True)
class Agent:
    """A person with a phone. `endpoint` is what Asterisk dials (`PJSIP/anna`), `device` whose state says free."""

    id: str
    name: str
    pbx: str
    endpoint: str
    device: str


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out of one PBX to the carrier; `endpoint` is its PJSIP endpoint there."""

    id: str
    pbx: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Department:
    """Where a callback is routed. Durations are seconds; `caller_id` is E.164; `whisper` names sound files."""

    id: str
    name: str
    site: str
    agents: tuple[str, ...]
    trunk: str
    caller_id: str
    hours: OpeningHours
    retry: RetryRule
    agent_ring: int
    customer_ring: int
    max_call: int
    press_to_accept: bool
    whisper: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The whole of it, by id. Every reference between its parts was checked when it was made."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
