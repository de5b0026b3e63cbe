"""What `callbacks show` says comes next, and why: a table of callbacks, pauses and words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dialer.cli import stops, story
from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.directory import (
    UNBOUNDED,
    Account,
    Agent,
    Directory,
    Overflow,
    RetryRule,
    Site,
    Trunk,
)
from dialer.domain.phone import DEFAULT_POLICY
from dialer.domain.stop import EVERYTHING, Scope, Stop
from dialer.store.views import Pause
from tests.cli.seeds import AT, callback
from tests.unit import plain

LONDON = ZoneInfo("Europe/London")
SALES = plain.department(
    agents=("anna", "ben"),
    trunks=("first", "second", "mobiles"),
    retry=RetryRule({}, 3, 10, max_customer_attempts_a_day=2),
)
DIRECTORY = Directory(
    accounts={"acme": Account("acme", "Acme", LONDON, DEFAULT_POLICY)},
    sites={"shop": Site("shop", "Shop", LONDON, "GB", "acme")},
    pbxs={"main": UNBOUNDED, "other": UNBOUNDED},
    agents={name: Agent(name, name, "main", f"PJSIP/{name}", f"PJSIP/{name}") for name in ("anna", "ben", "cleo")},
    trunks={
        "first": Trunk("first", "main", "a"),
        "second": Trunk("second", "other", "b", ("+4420", "+44161")),
        "mobiles": Trunk("mobiles", "main", "c", ("+447",)),
    },
    departments={
        "sales": SALES,
        "helped": replace(SALES, id="helped", overflow=Overflow(timedelta(0), ("cleo",))),
        "texts": replace(SALES, id="texts", trunks=("mobiles",)),
    },
)
ACCOUNT, DEPARTMENT = Stop(Scope.ACCOUNT, "acme"), Stop(Scope.DEPARTMENT, "sales")
FIRST, SECOND, MOBILES = (Stop(Scope.TRUNK, key) for key in ("first", "second", "mobiles"))
ANNA, BEN, CLEO = (Stop(Scope.AGENT, key) for key in ("anna", "ben", "cleo"))


def paused(*held: Stop) -> list[Pause]:
    return [Pause(stop, "ann", "", AT) for stop in held]


def following(of: Callback, pauses: Sequence[Pause] = ()) -> str:
    told = story.record(story.Story(of, [], [], pauses), DIRECTORY)["next"]
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize(
    ("department", "pauses", "held"),
    [
        ("sales", (), ()),
        ("sales", (EVERYTHING,), ("everything is paused by ann",)),
        ("sales", (ACCOUNT,), ("account acme is paused by ann",)),
        ("sales", (DEPARTMENT,), ("department sales is paused by ann",)),
        ("helped", (DEPARTMENT,), ()),
        ("sales", (FIRST,), ()),  # the second is left
        ("sales", (SECOND, MOBILES), ()),
        ("sales", (FIRST, SECOND), ("all its trunks are paused",)),  # the third does not take the number
        ("sales", (ANNA,), ()),
        ("sales", (ANNA, BEN), ("all its agents are paused",)),
        ("helped", (ANNA, BEN), ()),
        ("helped", (ANNA, BEN, CLEO), ("all its agents are paused",)),
        (
            "sales",
            (ANNA, FIRST, DEPARTMENT, EVERYTHING),
            ("everything is paused by ann", "department sales is paused by ann"),
        ),
        ("gone", (EVERYTHING,), ("everything is paused by ann",)),
        ("gone", (ACCOUNT, Stop(Scope.DEPARTMENT, "gone")), ()),
    ],
)
def test_the_stops_that_hold_a_callback(department: str, pauses: tuple[Stop, ...], held: tuple[str, ...]) -> None:
    of = replace(callback(number="+442079460001"), department=department)
    assert stops.holding(of, DIRECTORY, paused(*pauses)) == list(held)
    assert following(of, paused(*pauses)).count("is paused") == sum(" is paused" in each for each in held)


def test_pauses_are_told_from_the_widest_to_the_narrowest_and_the_oldest_first() -> None:
    later = Pause(CLEO, "ann", "", AT + timedelta(hours=1))
    assert stops.ordered([later, *paused(BEN, FIRST, DEPARTMENT, ACCOUNT, EVERYTHING)]) == [
        *paused(EVERYTHING, ACCOUNT, DEPARTMENT, FIRST, BEN),
        later,
    ]


WHEN = "at 2030-05-17T13:30:00Z (2030-05-17 14:30:00+01:00 Europe/London)"
COUNTS = "the customer's side decided 0 of 3; agents rung in vain 0 of 10"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, f"attempt 1 {WHEN}; the first try; {COUNTS}"),
        (
            {"attempts": 2, "customer_attempts": 2, "day": date(2030, 5, 16), "day_attempts": 2, "reason": "again"},
            (
                f"attempt 3 {WHEN}; again; the customer's side decided 2 of 3; on 2030-05-16 it decided 2 of 2;"
                " agents rung in vain 0 of 10"
            ),
        ),
        (
            {"failed_trunks": ("first", "second"), "prefer_agent": "anna"},
            (
                f"attempt 1 {WHEN}; the first try; {COUNTS}; not by trunk first or second, which failed; first to agent"
                " anna, who was there"
            ),
        ),
        (
            {"department": "texts"},
            f"attempt 1 {WHEN}; the first try; {COUNTS}; waits: no trunk of its department takes its number",
        ),
        (
            {"department": "gone"},
            "attempt 1 at 2030-05-17T13:30:00Z; the first try; waits: its department is not in the configuration",
        ),
        ({"status": Status.IN_PROGRESS}, "an attempt is under way"),
        (
            {"status": Status.IN_PROGRESS, "wish": Wish(WishKind.CANCEL, "asked by phone")},
            "an attempt is under way; the callback is being cancelled (asked by phone)",
        ),
        (
            {"status": Status.IN_PROGRESS, "wish": Wish(WishKind.MOVE, "moved", AT)},
            "an attempt is under way; the callback is being moved to 2030-05-17T13:30:00Z",
        ),
        (
            {"status": Status.IN_PROGRESS, "wish": Wish(WishKind.OBJECTION, "objection", late=True)},
            (
                "an attempt is under way, too far to be stopped; after it the callback is ended, because its number is"
                " not to be called"
            ),
        ),
        (
            {"status": Status.IN_PROGRESS, "wish": Wish(WishKind.CALLED_IN, "customer_called_in")},
            "an attempt is under way; the callback is being ended, because the customer called us",
        ),
        (
            {"status": Status.NEEDS_REVIEW, "reason": "in_doubt", "wish": Wish(WishKind.CANCEL, "asked")},
            (
                "a person decides (in_doubt); it was to be cancelled (asked): what nobody saw is never redialled by"
                " itself; see: dialer callbacks resolve --help"
            ),
        ),
        ({"status": Status.EXPIRED, "reason": "nobody could take it in time"}, "nothing: nobody could take it in time"),
    ],
)
def test_what_comes_next(changes: dict[str, Any], told: str) -> None:
    assert following(replace(callback(number="+442079460001"), **changes)) == told
