"""Attempts and events to report on, and a house that they happened in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.directory import (
    Account,
    AgentOrder,
    Department,
    Directory,
    OpeningHours,
    Site,
)
from dialer.domain.outcome import Outcome, blame_of
from dialer.domain.phone import NumberPolicy
from dialer.domain.widget import EventKind
from dialer.reports.rows import Call, Visit
from tests.unit import plain

NOON = datetime(2030, 5, 17, 12, tzinfo=UTC)
LONDON, KOLKATA = ZoneInfo("Europe/London"), ZoneInfo("Asia/Kolkata")


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def call(
    outcome: Outcome = Outcome.CONNECTED,
    *,
    late: float | None = 0.25,
    ready: float = 0.0,
    ring: float | None = 5.0,
    talk: float = 60.0,
    at: datetime = NOON,
    site: str = "shop",
    department: str = "sales",
    agent: str = "anna",
    number: str = "+442079460001",
) -> Call:
    """An attempt due at `at`: Originate was sent `late` seconds after that (None: never), all was there after `ready`,
    the customer was dialled ten seconds after that and answered after `ring`; they had asked an hour before."""
    sent = None if late is None else at + seconds(late)
    connected = outcome is Outcome.CONNECTED
    dialled = sent + seconds(10) if sent and (connected or blame_of(outcome) == "customer") else None
    return Call(
        site=site,
        department=department,
        agent=agent,
        number=number,
        outcome=outcome,
        due_at=at,
        ready_at=at + seconds(ready),
        begun_at=at,
        sent_at=sent,
        dialled_at=dialled,
        answered_at=dialled + seconds(ring) if connected and dialled and ring is not None else None,
        promised_at=at - timedelta(hours=1),
        talk=seconds(talk) if connected else timedelta(0),
    )


def visit(
    kind: EventKind = EventKind.IMPRESSION, at: datetime = NOON, *, requested: bool = False, connected: bool = False
) -> Visit:
    return Visit("shop", kind, at, requested, connected)


def directory() -> Directory:
    """Two accounts: one with a shop in London, one with a clinic in India that is billed in London."""
    accounts = {
        "retail": Account("retail", "Retail Ltd", LONDON, NumberPolicy()),
        "health": Account("health", "Health Ltd", LONDON, NumberPolicy()),
    }
    sites = {
        "shop": Site("shop", "Shop", LONDON, "GB", "retail"),
        "clinic": Site("clinic", "Clinic", KOLKATA, "IN", "health"),
    }
    departments = {"sales": _department("sales", "shop", LONDON), "ward": _department("ward", "clinic", KOLKATA)}
    return Directory(accounts=accounts, sites=sites, departments=departments)


def _department(id_: str, site: str, zone: ZoneInfo) -> Department:
    return plain.department(id_, site=site, hours=OpeningHours(zone, ((),) * 7), order=AgentOrder.RING_ORDER)
