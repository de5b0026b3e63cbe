"""Who takes part in the demo: two departments, their agents, and customers of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
}

DEPARTMENTS = (
    Department(
        "sales", ["anna", "ben", "cleo", "dan"], caller_id="+442079460100", more=["agent_ring = 5"], retry=SECONDS
    ),
    Department(
        "support",
        ["eve", "finn", "gus", "hana"],
        caller_id="+441614960100",
        more=["agent_ring = 5", "customer_ring = 15"],
        retry=SECONDS,
    ),
)


@dataclass(frozen=True)
class Guest:
    """A customer: how their phone behaves, and what that looks like in words."""

    what: str
    behaviour: Behaviour


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
    Guest("carrier has no line", Customer.congestion()),
    Guest("answers late", Customer.answer(ring_ms=6000, talk_ms=2000)),
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
            "department": DEPARTMENTS[index % 2].id,
            "phone": number(index),
            "name": names[index % len(names)],
            "page": f"https://shop.example/offers/{index}?utm_source=demo",
            "message": guest.what,
        }
        for index, guest in enumerate(GUESTS)
    ]
