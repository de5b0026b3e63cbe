"""Which trunks take a call, and which of them rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.domain.directory import Trunk
from dialer.routing.route import Route
from dialer.routing.trunks import TrunkHealth, reachable, serving
from tests.unit.routing.house import AGENTS, SALES, directory

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
MOBILES = Trunk("mobiles", "main", "mobiles", prefixes=("+447", "+3538"))
CARRIER = Trunk("carrier", "main", "carrier")
SPARE = Trunk("spare", "main", "spare", prefixes=("+44",))
ELSEWHERE = Trunk("elsewhere", "second", "carrier")
UNUSED = Trunk("unused", "main", "unused")
TRUNKS = {each.id: each for each in (MOBILES, CARRIER, SPARE, ELSEWHERE, UNUSED)}
DEPARTMENT = replace(SALES, trunks=("mobiles", "elsewhere", "carrier", "spare"))


@pytest.mark.parametrize(
    ("number", "pbx", "expected"),
    [
        ("+442079460001", "main", "carrier spare"),
        ("+447400123456", "main", "mobiles carrier spare"),
        ("+353850123456", "main", "mobiles carrier"),
        ("+12125550123", "main", "carrier"),
        ("+447400123456", "second", "elsewhere"),
        ("+447400123456", "third", ""),
    ],
)
def test_trunks_serve_by_order_prefix_and_pbx(number: str, pbx: str, expected: str) -> None:
    assert [trunk.id for trunk in serving(DEPARTMENT, directory(TRUNKS), number, pbx)] == expected.split()


@pytest.mark.parametrize(
    ("trunks", "away", "expected"),
    [
        ("mobiles spare", "", ()),
        ("mobiles spare", "mobiles", ("+44",)),
        ("mobiles spare", "spare", ("+3538", "+447")),
        ("mobiles carrier", "mobiles", ()),
        ("mobiles carrier", "carrier", ("+3538", "+447")),
        ("mobiles spare carrier", "carrier", ("+3538", "+44", "+447")),
        ("mobiles spare", "mobiles spare", ()),
        ("mobiles spare", "unused", ()),
    ],
)
def test_what_can_be_called_while_trunks_are_away(trunks: str, away: str, expected: tuple[str, ...]) -> None:
    department = replace(DEPARTMENT, trunks=tuple(trunks.split()))
    assert reachable(department, directory(TRUNKS), set(away.split())) == expected


def test_a_route_is_who_takes_part() -> None:
    way = Route(SALES, AGENTS["anna"], CARRIER)
    assert (way.department.caller_id, way.agent.endpoint, way.trunk.endpoint) == (
        "+442079460123",
        "PJSIP/anna",
        "carrier",
    )


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def rested(health: TrunkHealth, failures: int, now: datetime = NOW) -> datetime | None:
    """The end of the rest that the last of so many failures began, each one right after the rest before it."""
    end = None
    for _ in range(failures):
        end = health.failed("carrier", now)
        now = end or now
    return end


@pytest.mark.parametrize(
    ("failures", "rest"),
    [(1, None), (2, None), (3, 30), (4, 60), (5, 120), (6, 240), (7, 480), (8, 900), (9, 900), (400, 900)],
)
def test_rests_grow_with_each_failure_in_a_row(failures: int, rest: int | None) -> None:
    health = TrunkHealth()
    begun = rested(health, failures - 1) or NOW
    assert health.failed("carrier", begun) == (None if rest is None else begun + timedelta(seconds=rest))


def test_a_trunk_rests_until_the_very_end_of_its_rest() -> None:
    health = TrunkHealth()
    assert rested(health, 3) == after(30)
    assert health.rests_until("carrier", NOW) == after(30)
    assert health.rests_until("carrier", after(29.999)) == after(30)
    assert health.rests_until("carrier", after(30)) is None
    assert health.rests_until("spare", NOW) is None


def test_failures_during_a_rest_are_of_calls_begun_before_it_and_do_not_lengthen_it() -> None:
    health = TrunkHealth()
    rested(health, 3)
    assert [health.failed("carrier", after(second)) for second in (1, 2, 29)] == [None] * 3
    assert health.rests_until("carrier", after(29)) == after(30)
    assert health.failed("carrier", after(31)) == after(91), "the fourth that counts"


def test_one_success_ends_the_series_and_the_rest() -> None:
    health = TrunkHealth()
    rested(health, 2)
    health.worked("carrier")
    assert rested(health, 2) is None, "two again are not three"
    rested(health, 1)
    assert health.rests_until("carrier", NOW)
    health.worked("carrier")
    assert health.rests_until("carrier", NOW) is None
    assert rested(health, 3) == after(30), "and the next rest is a first one again"


def test_each_trunk_counts_for_itself() -> None:
    health = TrunkHealth()
    for trunk in ("carrier", "spare", "carrier", "spare"):
        assert health.failed(trunk, NOW) is None
    assert health.failed("carrier", NOW) == after(30)
    assert health.rests_until("spare", NOW) is None


def test_the_next_one_back_is_the_first_whose_rest_ends() -> None:
    health = TrunkHealth()
    assert health.next_back(NOW) is None
    rested(health, 4)  # until 90 s from now
    for _ in range(3):
        health.failed("spare", after(10))
    assert health.next_back(after(10)) == after(40)
    assert health.next_back(after(40)) == after(90)
    assert health.next_back(after(90)) is None


def test_a_clock_that_was_set_forgets_all() -> None:
    health = TrunkHealth()
    rested(health, 5)
    health.forget()
    assert health.next_back(NOW - timedelta(days=1)) is None
    assert health.failed("carrier", NOW) is None
