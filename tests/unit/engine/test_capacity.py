"""What an attempt holds from its decision to its end, and what it leaves behind."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.directory import Directory, Pace
from dialer.domain.outcome import Outcome, Verdict, verdict
from dialer.engine.capacity import Capacity, Lines, departments_of, longest_spacing
from dialer.engine.ports import Begun, Usage
from tests.unit import plain
from tests.unit.engine.floor import ACCOUNTS, NOON, SECOND, TRUNKS, callback, directory

GAP = timedelta(minutes=2)
LINES = Lines("acme", "sales", "one", "first")
NUMBER = callback(1).visitor.phone


def attempt(department: str = "sales") -> Attempt:
    of = callback(1)
    return plain.attempt(NOON, callback_id=of.id, department=department, pbx="one", trunk="first", dialled=NUMBER)


def narrow() -> Directory:
    """One call at a time by the first trunk, two attempts a day."""
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], pace=Pace(at_once=1))}
    accounts = {**ACCOUNTS, "acme": replace(ACCOUNTS["acme"], max_minutes_a_day=10)}
    return replace(directory(), trunks=trunks, accounts=accounts)


def rung(outcome: Outcome, *, rang: bool | None = None) -> Verdict:
    return replace(verdict(outcome), rang=rang)


def test_a_call_holds_its_line_until_it_ends() -> None:
    capacity, trunk = Capacity(narrow()), narrow().trunks["first"]
    assert capacity.line(trunk, NOON) == NOON
    capacity.begin(ACCOUNTS["acme"], LINES, NUMBER, NOON)
    capacity.keep(attempt())
    assert capacity.line(trunk, NOON) is None
    capacity.end(attempt(), rung(Outcome.CONNECTED), NOON + SECOND)
    assert capacity.line(trunk, NOON + SECOND) == NOON + SECOND


def test_a_call_of_an_earlier_run_holds_its_line_and_its_number() -> None:
    capacity, trunk = Capacity(narrow()), narrow().trunks["first"]
    capacity.take_up(attempt())
    assert capacity.line(trunk, NOON) is None
    assert capacity.number_free_at(NUMBER, GAP) is None
    capacity.end(attempt(), rung(Outcome.CUSTOMER_BUSY), NOON)
    assert capacity.line(trunk, NOON) == NOON


def test_a_decision_that_was_not_claimed_leaves_nothing() -> None:
    capacity, trunk = Capacity(narrow()), narrow().trunks["first"]
    before = capacity.number_free_at(NUMBER, GAP)
    capacity.begin(ACCOUNTS["acme"], LINES, NUMBER, NOON)
    capacity.undo(ACCOUNTS["acme"], LINES, NUMBER, NOON)
    assert (capacity.line(trunk, NOON), capacity.number_free_at(NUMBER, GAP)) == (NOON, before)


@pytest.mark.parametrize(
    ("verdict", "left_in_peace"),
    [
        (rung(Outcome.CONNECTED, rang=True), True),
        (rung(Outcome.CUSTOMER_BUSY), True),
        (rung(Outcome.CUSTOMER_NO_ANSWER), True),
        (rung(Outcome.CUSTOMER_DECLINED), True),
        (rung(Outcome.CUSTOMER_UNREACHABLE), True),
        (rung(Outcome.ABANDONED_BY_AGENT), True),
        (rung(Outcome.IN_DOUBT), True),
        (rung(Outcome.TRUNK_FAILURE), True),
        (rung(Outcome.TRUNK_FAILURE, rang=True), True),
        (rung(Outcome.TRUNK_FAILURE, rang=False), False),
        (rung(Outcome.AGENT_BUSY), False),
        (rung(Outcome.AGENT_NO_ANSWER), False),
        (rung(Outcome.AGENT_DECLINED), False),
        (rung(Outcome.AGENT_UNAVAILABLE), False),
        (rung(Outcome.PBX_FAILURE), False),
        (rung(Outcome.NOT_PLACED), False),
        (rung(Outcome.CANCELLED), False),
    ],
    ids=lambda value: f"{value.outcome} rang={value.rang}" if isinstance(value, Verdict) else "",
)
def test_a_number_that_may_have_rung_is_left_in_peace(
    verdict: Verdict,
    left_in_peace: bool,  # noqa: FBT001  # a column of the table
) -> None:
    capacity = Capacity(directory())
    capacity.begin(ACCOUNTS["acme"], LINES, NUMBER, NOON)
    capacity.keep(attempt())
    capacity.end(attempt(), verdict, NOON)
    assert (capacity.number_free_at(NUMBER, GAP) == NOON + GAP) is left_in_peace


def test_talk_counts_towards_the_accounts_day_and_what_is_old_is_forgotten() -> None:
    capacity = Capacity(narrow())
    (capped,) = capacity.capped()
    capacity.load({NUMBER: NOON - GAP}, {"acme": Usage(1, timedelta(minutes=9))}, NOON)
    capacity.begin(capped, LINES, NUMBER, NOON)
    capacity.keep(attempt())
    capacity.end(attempt(), replace(rung(Outcome.CONNECTED), talk=timedelta(minutes=1)), NOON)
    assert capacity.allowance(capped, NOON) > NOON
    capacity.tidy(NOON + GAP)
    assert capacity.number_free_at(NUMBER, GAP) != NOON + GAP


def test_a_restart_makes_nobody_faster() -> None:
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], pace=Pace(per_second=0.1))}
    host = replace(directory(), trunks=trunks)
    capacity, trunk = Capacity(host), trunks["first"]
    earlier = [Begun("sales", "one", "first", NOON - 9 * SECOND), Begun("support", "one", "first", NOON - 4 * SECOND)]
    capacity.load({}, {}, NOON, earlier)
    assert capacity.line(trunk, NOON) == NOON + 6 * SECOND
    assert capacity.line(trunks["second"], NOON) == NOON, "what has no rate is free"
    assert longest_spacing(host) == timedelta(seconds=10)
    assert longest_spacing(directory()) == timedelta(0)


def test_a_clock_that_was_set_back_leaves_no_slot_in_the_future() -> None:
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], pace=Pace(per_second=0.1))}
    capacity, trunk = Capacity(replace(directory(), trunks=trunks)), trunks["first"]
    capacity.begin(ACCOUNTS["acme"], LINES, NUMBER, NOON)
    earlier = NOON - timedelta(days=1)
    capacity.clock_stepped(earlier)
    assert capacity.line(trunk, earlier) == earlier


def test_a_department_that_left_the_configuration_still_ends_its_calls() -> None:
    capacity = Capacity(directory())
    capacity.take_up(attempt("closed-down"))
    capacity.end(attempt("closed-down"), rung(Outcome.CONNECTED), NOON)
    assert capacity.number_free_at(NUMBER, GAP) == NOON + GAP


def test_an_accounts_departments_are_those_of_its_sites() -> None:
    assert departments_of(directory(), ACCOUNTS["acme"]) == ["sales", "support"]
