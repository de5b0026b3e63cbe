"""A small directory to route by."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from dialer.domain.directory import Agent, Department, Directory, OpeningHours, RetryRule, Site, Trunk

LONDON = ZoneInfo("Europe/London")
SHOP = Site("shop", "Example Shop", LONDON, "GB")
SALES = Department(
    id="sales",
    name="Sales",
    site="shop",
    agents=("anna", "ben", "chloe"),
    trunks=("carrier",),
    caller_id="+442079460123",
    hours=OpeningHours(LONDON, ((),) * 7),
    retry=RetryRule({}, 3, 10),
    agent_ring=20,
    customer_ring=25,
    max_call=7200,
    press_to_accept=True,
    whisper="",
)
AGENTS = {
    name: Agent(name, name.title(), "main", f"PJSIP/{name}", f"PJSIP/{name}")
    for name in ("anna", "ben", "chloe", "dan", "eve", "finn")
}


def directory(trunks: Mapping[str, Trunk] | None = None, callback_page: str = "") -> Directory:
    return Directory(
        sites={"shop": SHOP},
        agents=AGENTS,
        trunks=trunks or {"carrier": Trunk("carrier", "main", "mi-trunk")},
        departments={"sales": SALES},
        callback_page=callback_page,
    )
