"""A shop with departments of every kind, for requests to go to."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.directory import Account, Directory, Interval, OpeningHours, Site, Trunk
from dialer.domain.phone import DEFAULT_POLICY
from tests.unit import plain

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in London
OFFICE = OpeningHours(LONDON, (*[(Interval(time(9), time(17)),)] * 5, (), ()))
NIGHTS = OpeningHours(LONDON, ((Interval(time(22), time(6)),),) * 7)
NEVER = OpeningHours(LONDON, ((),) * 7)

GOOD = {"department": "sales", "phone": "020 7946 0000"}


DIRECTORY = Directory(
    accounts={"default": Account("default", "Default", LONDON, DEFAULT_POLICY)},
    sites={"shop": Site("shop", "Shop", LONDON, "GB", "default"), "other": Site("other", "O", LONDON, "GB", "default")},
    trunks={"carrier": Trunk("carrier", "main", "mi-trunk"), "mobiles": Trunk("mobiles", "main", "m", ("+447",))},
    departments={
        "sales": plain.department("sales", hours=OFFICE, patience=timedelta(hours=2)),
        "care": plain.department("care"),
        "closed": plain.department("closed", hours=NEVER),
        "nights": plain.department("nights", hours=NIGHTS),
        "texts": plain.department("texts", trunks=("mobiles",)),
        "elsewhere": plain.department("elsewhere", site="other"),
    },
)


def with_account(**changes: object) -> Directory:
    account = replace(DIRECTORY.accounts["default"], **changes)  # type: ignore[arg-type]  # a case's own
    return replace(DIRECTORY, accounts={"default": account})
