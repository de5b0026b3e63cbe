"""A small directory to route by."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from dialer.domain.directory import Agent, Directory, Site, Trunk
from tests.unit import plain

LONDON = ZoneInfo("Europe/London")
SHOP = Site("shop", "Example Shop", LONDON, "GB")
SALES = plain.department(agents=("anna", "ben", "chloe"))
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
