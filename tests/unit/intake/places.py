"""A shop with departments of every kind, for requests to go to."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.directory import Account, Department, Directory, Interval, OpeningHours, RetryRule, Site, Trunk
from dialer.domain.phone import DEFAULT_POLICY

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in London
OFFICE = OpeningHours(LONDON, (*[(Interval(time(9), time(17)),)] * 5, (), ()))
ROUND_THE_CLOCK = OpeningHours(LONDON, ((Interval(time(0), None),),) * 7)
NIGHTS = OpeningHours(LONDON, ((Interval(time(22), time(6)),),) * 7)
NEVER = OpeningHours(LONDON, ((),) * 7)

GOOD = {"department": "sales", "phone": "020 7946 0000"}


def department(id_: str, hours: OpeningHours) -> Department:
    return Department(
        id=id_,
        name=id_.title(),
        site="shop",
        agents=("anna",),
        trunks=("carrier",),
        caller_id="+442079460123",
        hours=hours,
        retry=RetryRule({}, 3, 10),
        agent_ring=20,
        customer_ring=25,
        max_call=7200,
        press_to_accept=True,
        whisper="",
    )


DIRECTORY = Directory(
    accounts={"default": Account("default", "Default", LONDON, DEFAULT_POLICY)},
    sites={"shop": Site("shop", "Shop", LONDON, "GB", "default"), "other": Site("other", "O", LONDON, "GB", "default")},
    trunks={"carrier": Trunk("carrier", "main", "mi-trunk"), "mobiles": Trunk("mobiles", "main", "m", ("+447",))},
    departments={
        "sales": replace(department("sales", OFFICE), patience=timedelta(hours=2)),
        "care": department("care", ROUND_THE_CLOCK),
        "closed": department("closed", NEVER),
        "nights": department("nights", NIGHTS),
        "texts": replace(department("texts", ROUND_THE_CLOCK), trunks=("mobiles",)),
        "elsewhere": replace(department("elsewhere", ROUND_THE_CLOCK), site="other"),
    },
)


def with_account(**changes: object) -> Directory:
    account = replace(DIRECTORY.accounts["default"], **changes)  # type: ignore[arg-type]  # a case's own
    return replace(DIRECTORY, accounts={"default": account})
