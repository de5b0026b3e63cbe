"""Whom a house calls and who takes the calls: all behaviours, drawn by the seed, each callback with its own number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

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
GAP = timedelta(seconds=1)
"""How long a number that rang is left in peace: longer than some ladders would have it."""
RETRY = {
    "max_customer_attempts": 2,
    "max_agent_rings": 4,
    "least_gap": "1s",
    "customer_busy": AT_ONCE,
    "customer_no_answer": SOON,
    "customer_unreachable": [],
    "agent_busy": AT_ONCE,
    "agent_no_answer": AT_ONCE,
    "agent_declined": AT_ONCE,
    "agent_unavailable": AT_ONCE,
    "abandoned_by_agent": AT_ONCE,
    "trunk_failure": SOON,
    "pbx_failure": SOON,
    "not_placed": AT_ONCE,
    "cancelled": AT_ONCE,
}
RINGS = ("agent_ring = 2", "customer_ring = 15", 'whisper = "beep"')
NIGHT = "night"
TRUNKS: Mapping[str, Mapping[str, object]] = {
    "carrier": {"calls_per_second": 20},
    "spare": {"calls_per_second": 20, "number_format": "e164_plain"},
}
"""Two ways to the same far end, which tells them apart by how the number is written."""
ACCOUNT = {"max_attempts_a_day": 100_000, "max_minutes_a_day": 100_000, "calls_per_second": 50, "calls_at_once": 50}
PATIENT = 20_000
"""Milliseconds after which a phone gives up by itself: of a PBX that was killed nobody tells it."""

NO_LINE = Customer.congestion()
_RINGS_OUT = Behaviour(ring_ms=PATIENT, refuse=NOT_FOUND)
_BUSIED = Agent.busy()


def numbers(house: int, houses: int) -> Iterator[str]:
    """The numbers of one house of several."""
    for index in range(house, NUMBERS, houses):
        yield f"+44{RANGES[index // 1000]}{index % 1000:03}"


def spellings(number: str) -> tuple[str, str]:
    """A number as the first trunk writes it, and as the second does."""
    return number, number.removeprefix("+")


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
    """A house with four departments: sales, which has two trunks; a desk that hands its customers over; one with a
    phone that is not registered (its agent is free when somebody else's phone is); and one whose visitors are asleep.
    Everything is paced, and capped, though nobody is kept waiting by that for long."""
    ghost = f"{staff.other}x"
    departments = [
        Department("sales", staff.sellers, retry=RETRY, more=RINGS, trunks=list(TRUNKS)),
        Department("desk", staff.desk, retry=RETRY, more=RINGS),
        Department("ghosts", [ghost], retry={**RETRY, "max_agent_rings": 3}, more=RINGS),
        Department(NIGHT, staff.sellers, retry=RETRY, more=RINGS, site=NIGHT),
    ]
    return House(
        lab,
        folder,
        departments,
        devices={ghost: f"PJSIP/{staff.other}"},
        endpoints={ghost: GHOST},
        daemon={"agent_rest_seconds": 0, "drain_seconds": 1},
        trunks=TRUNKS,
        accounts={"chaos": ACCOUNT},
        sites={"shop": {}, NIGHT: {"call_between": _hours_away(datetime.now(ZoneInfo("Europe/London")))}},
    )


def _hours_away(now: datetime) -> str:
    """Two hours of every day that are not now, nor will be for a while."""
    first = (now.hour + 8) % 22
    return f"{first:02}:00-{first + 2:02}:00"


def callback(number: str, department: str, due_at: datetime | None = None) -> Callback:
    """A callback that is due, now unless `due_at` says otherwise."""
    now = datetime.now(UTC)
    return Callback(
        id=CallbackId(str(ULID())),
        site=NIGHT if department == NIGHT else "shop",
        department=department,
        visitor=Visitor(number, name="Maria"),
        requested_at=now,
        wanted_at=None,
        due_at=due_at or now,
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
        (2, Customer.congestion("180")),
        (5, NO_LINE),
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


def slow_agent(random: Random) -> Behaviour:
    """Accepts in the end: until then somebody can still think better of it."""
    return Agent.accept(press_ms=random.randint(2200, 3200), talk_ms=PATIENT)


def handing_over(other: str) -> Behaviour:
    """Accepts, and transfers the customer to another phone."""
    return Agent.transfers(other, after_ms=2800)
