"""Who takes part in the demo: the departments, their agents, and customers of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.lab import Agent, Behaviour, Customer
from tests.rig import Department

SECONDS = {"agent_busy": ["1s"], "agent_no_answer": ["1s"], "agent_declined": ["1s"]} | {
    "agent_unavailable": ["1s"],
    "abandoned_by_agent": ["2s"],
    "customer_busy": ["2s"],
    "customer_no_answer": ["2s"],
    "trunk_failure": ["2s"],
    "max_customer_attempts": 2,
    "max_agent_rings": 8,
}
"""A day's retries in seconds, so that the demo ends while somebody looks."""

AGENTS = {
    "anna": Agent.accept(),
    "ben": Agent.accept(talk_ms=4500),
    "cleo": Agent.busy(),
    "dan": Agent.accept(audio="tone"),
    "eve": Agent.accept(),
    "finn": Agent.voicemail(),
    "gus": Agent.declined(),
    "hana": Agent.accept(),
    "ivy": Agent.accept(ring_ms=8000),
}
AWAY = "ursula"
"""An agent whose phone is not registered."""

TRUNKS = {"carrier": {}, "spare": {"number_format": "e164_plain"}}
"""Two ways to the carrier; the second one writes numbers without their +."""

DEPARTMENTS = (
    Department(
        "sales",
        ["anna", "ben", "cleo", "dan"],
        caller_id="+442079460100",
        more=["agent_ring = 5"],
        retry=SECONDS,
        trunks=list(TRUNKS),
    ),
    Department(
        "support",
        ["eve", "finn", "gus", "hana"],
        caller_id="+441614960100",
        more=["agent_ring = 5", "customer_ring = 15"],
        retry=SECONDS,
    ),
    Department("service", [AWAY], retry=SECONDS, overflow={"after": "2s", "departments": ["sales"]}),
    Department("returns", ["ivy"], retry=SECONDS),
    Department("members", ["ivy"], retry=SECONDS, site="club"),
)


def sites(now: datetime) -> dict[str, dict[str, object]]:
    """The shop, whose visitors may be called at any time, and the club, whose members may not be called now."""
    first = (now.astimezone(ZoneInfo("Europe/London")).hour + 8) % 22
    return {"shop": {}, "club": {"call_between": f"{first:02}:00-{first + 2:02}:00"}}


@dataclass(frozen=True)
class Guest:
    """A customer: what they do, in words; how their phone behaves, also when it is called by the spare trunk; and the
    department (none: one of the first two, in turn)."""

    what: str
    behaviour: Behaviour
    by_spare: Behaviour | None = None
    department: str = ""


CHANGES_MIND = "changes their mind"
SLEEPS = "is asleep"

GUESTS = (
    *(Guest("answers and talks", Customer.answer(ring_ms=400 * n, talk_ms=2000 + 500 * n)) for n in range(1, 8)),
    Guest("answers at once", Customer.at_once(talk_ms=2500)),
    Guest("early media", Customer.answer(alert="183", talk_ms=2500)),
    Guest("two-way audio", Customer.answer(talk_ms=3000, audio="echo")),
    Guest("stays until the agent hangs up", Customer.answer(talk_ms=9000)),
    Guest("engaged", Customer.busy()),
    Guest("engaged", Customer.busy()),
    Guest("does not answer", Customer.no_answer()),
    Guest("declines (603)", Customer.declined(603)),
    Guest("declines (403)", Customer.declined(403)),
    Guest("no such number", Customer.unallocated()),
    Guest("no such number", Customer.unallocated()),
    Guest("no line by carrier", Customer.congestion(), Customer.answer(talk_ms=2000)),
    Guest("answers late", Customer.answer(ring_ms=6000, talk_ms=2000)),
    Guest("wants who is away", Customer.answer(talk_ms=2000), department="service"),
    Guest(CHANGES_MIND, Customer.answer(talk_ms=2000), department="returns"),
    Guest(SLEEPS, Customer.answer(talk_ms=2000), department="members"),
)

REFUSED = (
    ('{"department": "sales", "phone": "0909 879 0000"}', "a premium number"),
    ('{"department": "sales", "phone": "07700 900123"}', "a number that nobody can have"),
    ('{"department": "lost", "phone": "020 7946 0001"}', "a department that does not exist"),
    ('{"department": "sales", "phone": ', "a broken line"),
)
"""Requests that are refused at the door."""


def number(index: int) -> str:
    """The number of the guest with this index."""
    return f"+4411349601{index:02}"


def requests() -> Sequence[dict[str, Any]]:
    """The requests of all guests, the departments in turn."""
    names = ("Amélie Durand", "Bob O'Brien", "Chidi Okafor", "Dilys Jones", "Eoin Byrne")
    return [
        {
            "department": guest.department or DEPARTMENTS[index % 2].id,
            "phone": number(index),
            "name": names[index % len(names)],
            "page": f"https://shop.example/offers/{index}?utm_source=demo",
            "message": guest.what,
        }
        for index, guest in enumerate(GUESTS)
    ]
