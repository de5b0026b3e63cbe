"""Whom a house calls and who takes the calls: all behaviours, drawn by the seed, each callback with its own number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from ulid import ULID

from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from tests.lab import Agent, Customer, Lab
from tests.lab.behaviour import NOT_FOUND, Behaviour
from tests.rig import Department, House

CITIES = ("117", "118", "131", "141", "151", "161", "113", "114", "116", "121")
RANGES = (*(f"{city}4960" for city in CITIES), "1914980", "2079460")
NUMBERS = len(RANGES) * 1000
"""How many numbers there are: Ofcom's, for dramas."""

SELLERS, DESK = 6, 2
GHOST = "ursula"  # not registered on the PBX
AT_ONCE, SOON = ["0s"], ["1s"]
RETRY = {
    "max_customer_attempts": 2,
    "max_agent_rings": 4,
    "customer_busy": SOON,
    "customer_no_answer": SOON,
    "customer_unreachable": [],
    "agent_busy": AT_ONCE,
    "agent_no_answer": AT_ONCE,
    "agent_declined": AT_ONCE,
    "agent_unavailable": AT_ONCE,
    "abandoned_by_agent": SOON,
    "trunk_failure": SOON,
    "pbx_failure": SOON,
    "not_placed": AT_ONCE,
    "cancelled": AT_ONCE,
}
RINGS = ("agent_ring = 2", "customer_ring = 15", 'whisper = "beep"')
PATIENT = 20_000
"""Milliseconds after which a phone gives up by itself: of a PBX that was killed nobody tells it."""

_RINGS_OUT = Behaviour(ring_ms=PATIENT, refuse=NOT_FOUND)
_BUSIED = Agent.busy()


def numbers(house: int, houses: int) -> Iterator[str]:
    """The numbers of one house of several."""
    for index in range(house, NUMBERS, houses):
        yield f"+44{RANGES[index // 1000]}{index % 1000:03}"


@dataclass(frozen=True)
class Staff:
    """The phones of one house: `sellers` behave in every way, `desk` transfers to `other`."""

    sellers: tuple[str, ...]
    desk: tuple[str, ...]
    other: str

    @classmethod
    def of(cls, house: int) -> "Staff":
        """The names of the phones of the house of this number."""
        names = [f"h{house}a{index}" for index in range(SELLERS + DESK + 1)]
        return cls(tuple(names[:SELLERS]), tuple(names[SELLERS:-1]), names[-1])

    @property
    def everybody(self) -> tuple[str, ...]:
        return (*self.sellers, *self.desk, self.other)


def house(lab: Lab, folder: Path, staff: Staff) -> House:
    """A house with three departments: sales, a desk that hands its customers over, and one with a phone that is not
    registered (its agent is free when somebody else's phone is)."""
    ghost = f"{staff.other}x"
    departments = [
        Department("sales", staff.sellers, retry=RETRY, more=RINGS),
        Department("desk", staff.desk, retry=RETRY, more=RINGS),
        Department("ghosts", [ghost], retry={**RETRY, "max_agent_rings": 3}, more=RINGS),
    ]
    return House(
        lab,
        folder,
        departments,
        devices={ghost: f"PJSIP/{staff.other}"},
        endpoints={ghost: GHOST},
        daemon={"agent_rest_seconds": 0, "drain_seconds": 1},
    )


def callback(number: str, department: str) -> Callback:
    """A callback that is due now."""
    now = datetime.now(UTC)
    return Callback(
        id=CallbackId(str(ULID())),
        site="shop",
        department=department,
        visitor=Visitor(number, name="Maria"),
        requested_at=now,
        wanted_at=None,
        due_at=now,
    )


def any_customer(random: Random) -> Behaviour:
    """A customer of any kind."""
    ring, talk = random.randint(100, 600), random.randint(200, 2500)
    kinds = (
        (30, Customer.answer(ring_ms=ring, talk_ms=talk)),
        (20, Customer.answer(ring_ms=ring, talk_ms=random.randint(3000, 10_000))),
        (8, Customer.answer(ring_ms=ring, talk_ms=PATIENT)),  # the agent hangs up first
        (6, Customer.at_once(talk_ms=talk)),
        (5, Customer.answer(ring_ms=2000, talk_ms=talk, alert="183")),
        (12, Customer.busy()),
        (6, Customer.declined()),
        (4, Customer.unallocated()),
        (6, Customer.congestion()),
        (3, _RINGS_OUT),
    )
    return random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]


def any_agent(random: Random) -> Behaviour:
    """An agent of any kind; most accept."""
    press = random.randint(50, 700)
    kinds = (
        (60, Agent.accept(press_ms=press, talk_ms=PATIENT)),
        (15, Agent.accept(press_ms=press, talk_ms=random.randint(1000, 4000))),
        (5, _BUSIED),
        (5, Agent.declined()),
        (4, _RINGS_OUT),
        (3, Agent.never_presses(talk_ms=PATIENT)),
        (4, Behaviour(press="5", after_ms=PATIENT)),
        (4, Agent.hangs_up()),
    )
    return random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]


def willing_agent() -> Behaviour:
    """Accepts, and stays as long as the customer does."""
    return Agent.accept(press_ms=100, talk_ms=PATIENT)


def handing_over(other: str) -> Behaviour:
    """Accepts, and transfers the customer to another phone."""
    return Agent.transfers(other, after_ms=2800)
