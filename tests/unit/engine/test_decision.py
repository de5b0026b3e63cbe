"""What is dialled, by whom, by which way and in whose turn: a table of situations, each told in one line."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialer.domain.callback import Callback, Visitor
from dialer.domain.directory import Account, Overflow, Pace
from dialer.domain.ids import CallbackId
from dialer.domain.phone import NumberPolicy
from dialer.domain.stop import EVERYTHING, Scope, Stop
from dialer.engine.capacity import Lines
from dialer.engine.choices import Place
from dialer.engine.ports import Usage
from tests.unit.engine.floor import (
    ACCOUNTS,
    MINUTE,
    NOON,
    RULE,
    SECOND,
    TRUNKS,
    Floor,
    callback,
    directory,
)

NIGHT = NOON.replace(hour=20)
MORNING = (NOON + timedelta(days=1)).replace(hour=9)


def with_accounts(**accounts: Account) -> Floor:
    return Floor(replace(directory(), accounts={**ACCOUNTS, **accounts}))


def with_trunks(**changes: object) -> Floor:
    """Each of the trunks changed so."""
    trunks = {id_: replace(trunk, **changes) for id_, trunk in TRUNKS.items()}  # type: ignore[arg-type]  # own fields
    return Floor(replace(directory(), trunks=trunks))


# --- who and by which way --------------------------------------------------------------------------------------------


def test_each_department_gets_its_own_agents_and_the_first_way_out_of_their_pbx() -> None:
    found = Floor().words(callback(1), callback(2, "support"), callback(3, "smiths"))
    assert sorted(found) == ["1 anna first", "2 ben first", "3 cleo first"]


def test_an_agent_of_another_pbx_is_reached_by_a_trunk_of_that_pbx() -> None:
    assert Floor(busy=["anna"]).words(callback(1)) == ["1 eve far"]


def test_what_waits_for_a_dead_pbx_goes_by_the_other() -> None:
    assert Floor(down=["one"]).words(callback(1), callback(2, "support"), callback(3, "smiths")) == [
        "1 eve far",
        "3 finn far",
    ]


def test_nobody_free_means_that_nothing_is_decided() -> None:
    found = Floor(busy=["anna", "eve"]).decide(callback(1))
    assert (found.made, found.look_at) == ((), None), "a phone's state wakes it"


def test_an_agent_takes_one_call_at_a_time() -> None:
    floor = Floor(busy=["eve"])
    assert floor.words(callback(1), callback(2)) == ["1 anna first"]
    assert floor.words(callback(2)) == []


def test_overflow_helps_once_a_callback_has_waited_and_not_before() -> None:
    sales = {"overflow": Overflow(5 * MINUTE, ("ben",))}
    floor = Floor(directory(sales=sales), busy=["anna", "eve"])
    early = floor.decide(callback(1))
    assert (early.made, early.look_at) == ((), NOON + 5 * MINUTE)
    assert floor.words(callback(1), now=NOON + 5 * MINUTE) == ["1 ben first"]


def test_the_departments_own_agent_comes_before_one_who_helps() -> None:
    floor = Floor(directory(sales={"overflow": Overflow(MINUTE, ("ben",))}), busy=["eve"])
    assert floor.words(callback(1), now=NOON + 2 * MINUTE) == ["1 anna first"]


# --- trunks ----------------------------------------------------------------------------------------------------------


def test_a_trunk_that_is_full_is_passed_over() -> None:
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], pace=Pace(at_once=1))}
    floor = Floor(replace(directory(), trunks=trunks))
    assert floor.words(callback(1, "smiths"), callback(2, "smiths")) == ["1 cleo first", "2 dan second"]


def test_what_can_be_called_leaves_out_trunks_that_are_stopped_resting_or_out_of_sight() -> None:
    prefixes = {"first": ("+4420",), "second": ("+447",), "far": ("+1",)}
    trunks = {id_: replace(trunk, prefixes=prefixes[id_]) for id_, trunk in TRUNKS.items()}
    floor = Floor(replace(directory(), trunks=trunks))
    assert set(floor.decider.numbers(NOON)) == set(floor.directory.departments)
    assert floor.decider.numbers(NOON)["sales"] == ()
    floor.decider.stops = frozenset([Stop(Scope.TRUNK, "first"), Stop(Scope.DEPARTMENT, "sales")])
    assert floor.decider.numbers(NOON)["sales"] == ("+1", "+447")
    del floor.decider.ready["two"]
    assert floor.decider.numbers(NOON)["sales"] == ("+447",)
    floor.decider.stops = frozenset()
    until = [floor.health.failed("second", NOON) for _ in range(3)][-1]
    assert floor.decider.numbers(NOON)["sales"] == ("+4420",)
    assert floor.decide().look_at == until, "then it is to be read what the trunk takes"
    assert until is not None
    assert floor.decider.numbers(until)["sales"] == ("+4420", "+447")


def test_what_waits_for_a_trunk_is_neither_put_away_nor_in_the_way_of_others() -> None:
    mobile, landline = replace(TRUNKS["first"], prefixes=("+447",)), replace(TRUNKS["second"], prefixes=("+4420",))
    paces = ((Pace(at_once=1), None), (Pace(per_second=0.5), NOON + 2 * SECOND))
    for pace, look_at in paces:
        trunks = {**TRUNKS, "first": replace(mobile, pace=pace), "second": landline}
        floor = Floor(replace(directory(), trunks=trunks), down=["two"])
        one, two = (replace(callback(n, "smiths"), visitor=Visitor(f"+4474001234{n:02}")) for n in (1, 2))
        had_its_day = replace(two, day=NOON.date(), day_attempts=9)
        assert floor.words(one) == ["1 cleo first"]
        waiting = floor.decide(had_its_day)
        assert (waiting.made, waiting.look_at, waiting.passed_over) == ((), look_at, {"smiths": 1})
        assert floor.words(had_its_day, callback(3, "smiths", due=NOON + SECOND), now=NOON + SECOND) == ["3 dan second"]


def test_a_trunk_that_has_a_slot_in_a_moment_is_waited_for() -> None:
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], pace=Pace(per_second=2))}
    floor = Floor(replace(directory(), trunks=trunks), down=["two"])
    found = floor.decide(callback(1, "smiths"), callback(2, "smiths"))
    assert len(found.made) == 1
    assert found.look_at == NOON + SECOND / 2


def test_a_trunk_that_rests_is_passed_over_until_its_rest_is_over() -> None:
    floor = Floor(busy=["eve"])
    for _ in range(3):
        until = floor.health.failed("first", NOON)
    assert floor.words(callback(1)) == ["1 anna second"]
    assert until is not None
    again = Floor(busy=["eve"])
    for _ in range(3):
        again.health.failed("first", NOON)
    assert again.words(callback(1), now=until) == ["1 anna first"]


def test_after_a_trunk_failed_the_same_agent_goes_by_the_next() -> None:
    floor = Floor()
    one = callback(1, prefer_agent="anna", failed_trunks=("first",))
    floor.roster.promise("anna", one.id, NOON + 20 * SECOND)
    older = callback(2, due=NOON - MINUTE)
    assert floor.words(one, older) == ["2 eve far", "1 anna second"], "nobody else gets the agent"


def test_an_agent_who_is_kept_takes_that_callback_also_where_nobody_is_free_for_older_ones() -> None:
    floor = Floor(busy=["eve"])
    one = callback(1, prefer_agent="anna", failed_trunks=("first",))
    floor.roster.promise("anna", one.id, NOON + 20 * SECOND)
    older, younger = callback(2, due=NOON - MINUTE), callback(3, due=NOON + SECOND)
    assert floor.words(one, older, younger, now=NOON + SECOND) == ["1 anna second"]


def test_an_agent_who_is_kept_and_still_busy_is_waited_for_a_while() -> None:
    floor = Floor(busy=["anna"])
    one = callback(1, prefer_agent="anna", failed_trunks=("first",))
    floor.roster.promise("anna", one.id, NOON + 20 * SECOND)
    found = floor.decide(one)
    assert (found.made, found.look_at) == ((), NOON + 20 * SECOND)
    assert floor.words(one, now=NOON + 20 * SECOND) == ["1 eve far"]


def test_when_every_trunk_has_failed_it_begins_again_with_the_first() -> None:
    assert Floor(busy=["eve"]).words(callback(1, failed_trunks=("first", "second"))) == ["1 anna first"]


def test_where_the_only_trunk_for_a_number_rests_it_waits_although_another_is_free() -> None:
    trunks = {**TRUNKS, "second": replace(TRUNKS["second"], prefixes=("+44161",))}
    floor = Floor(replace(directory(), trunks=trunks), busy=["eve"])
    for _ in range(3):
        until = floor.health.failed("first", NOON)
    found = floor.decide(callback(1))
    assert (found.made, found.look_at) == ((), until)


def test_a_number_that_no_trunk_takes_is_rejected() -> None:
    assert with_trunks(prefixes=("+1",)).words(callback(1)) == [
        "1 rejected no trunk of the department takes this number"
    ]


def test_a_prefix_leads_to_its_own_trunk() -> None:
    trunks = {**TRUNKS, "first": replace(TRUNKS["first"], prefixes=("+44161",))}
    floor = Floor(replace(directory(), trunks=trunks), busy=["eve"])
    assert floor.words(callback(1)) == ["1 anna second"]


# --- when ------------------------------------------------------------------------------------------------------------


def test_a_closed_department_waits_for_its_opening() -> None:
    found = Floor().decide(callback(1, due=NIGHT - MINUTE), now=NIGHT)
    assert (found.made, found.look_at) == ((), MORNING)


def test_quiet_hours_of_the_number_put_a_callback_off() -> None:
    policy = NumberPolicy(regions=frozenset({"GB", "US"}))
    floor = with_accounts(acme=replace(ACCOUNTS["acme"], numbers=policy))
    new_york = replace(callback(1), visitor=Visitor("+12125550123"))
    assert floor.words(new_york) == ["1 → 2026-03-04 13:00"]


def test_quiet_hours_that_outlast_the_promise_end_it() -> None:
    policy = NumberPolicy(regions=frozenset({"GB", "US"}))
    floor = with_accounts(acme=replace(ACCOUNTS["acme"], numbers=policy))
    new_york = replace(callback(1, expires_at=NOON + MINUTE), visitor=Visitor("+12125550123"))
    assert floor.words(new_york) == ["1 expired it may not be called before its time runs out"]


def test_a_day_that_has_had_its_attempts_is_over_also_for_a_callback_that_was_moved_back_into_it() -> None:
    rule = replace(RULE, max_customer_attempts_a_day=2)
    floor = Floor(directory(sales={"retry": rule}))
    today = NOON.date()
    assert floor.words(callback(1, day=today, day_attempts=2)) == ["1 → 2026-03-05 09:00"]
    assert floor.words(callback(2, day=today, day_attempts=1)) == ["2 anna first"]
    assert floor.words(callback(3, day=today - timedelta(days=1), day_attempts=2)) == ["3 eve far"]


def test_who_is_kept_for_one_callback_is_looked_at_again_when_that_ends() -> None:
    """Also where the one that they are kept for does not come back."""
    floor = Floor(busy=["eve"])
    kept_until = NOON + 20 * SECOND
    floor.roster.promise("anna", callback(1).id, kept_until)
    found = floor.decide(callback(2))
    assert (found.made, found.look_at) == ((), kept_until)
    assert floor.words(callback(2), now=kept_until) == ["2 anna first"]


def test_a_promise_that_ran_out_is_not_dialled() -> None:
    assert Floor().words(callback(1, expires_at=NOON)) == ["1 expired nobody could take it in time"]
    assert Floor().words(callback(1, expires_at=NOON + SECOND)) == ["1 anna first"]


def test_the_customer_is_not_rung_after_closing_time_nor_after_their_window() -> None:
    (placed,) = Floor().decide(callback(1)).made
    assert isinstance(placed, Place)
    assert placed.ring_until == NOON.replace(hour=17)
    (placed,) = Floor().decide(callback(1, wanted_until=NOON + MINUTE)).made
    assert isinstance(placed, Place)
    assert placed.ring_until == NOON + MINUTE


def test_a_number_is_rung_once_at_a_time_and_then_left_in_peace() -> None:
    floor = Floor()
    one, other = callback(1), replace(callback(2, "smiths"), visitor=Visitor(callback(1).visitor.phone))
    assert floor.words(one, other) == ["1 anna first"]
    floor.capacity.load({one.visitor.phone: NOON}, {}, NOON)
    calm = Floor()
    calm.capacity.load({one.visitor.phone: NOON - MINUTE}, {}, NOON)
    found = calm.decide(other)
    assert (found.made, found.look_at) == ((), NOON + MINUTE)
    assert calm.words(other, now=NOON + MINUTE) == ["2 cleo first"]


def test_what_is_looked_at_and_left_is_counted_by_department() -> None:
    floor = Floor()
    floor.capacity.load({callback(1).visitor.phone: NOON - MINUTE}, {}, NOON)
    found = floor.decide(callback(1), callback(2), callback(3, expires_at=NOON), callback(4, "support"))
    assert found.passed_over["sales"] == 1
    assert found.passed_over["support"] == 0
    assert len(found.made) == 3


# --- stops, destinations and caps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "goes_on"),
    [
        (EVERYTHING, []),
        (Stop(Scope.ACCOUNT, "acme"), ["3 cleo first"]),
        (Stop(Scope.DEPARTMENT, "sales"), ["2 ben first", "3 cleo first"]),
        (Stop(Scope.TRUNK, "first"), ["1 anna second", "2 ben second", "3 cleo second"]),
        (Stop(Scope.ACCOUNT, "unknown"), ["1 anna first", "2 ben first", "3 cleo first"]),
    ],
    ids=str,
)
def test_what_is_paused_is_not_dialled(stop: Stop, goes_on: Sequence[str]) -> None:
    floor = Floor()
    floor.decider.stops = frozenset({stop})
    waiting = (callback(1), callback(2, "support"), callback(3, "smiths"))
    assert sorted(floor.words(*waiting)) == goes_on
    floor.decider.stops = frozenset()
    assert len(goes_on) + len(floor.words(*[one for one in waiting if f"{int(one.id[1:])} " not in str(goes_on)])) == 3


def test_a_paused_agent_is_not_rung() -> None:
    floor = Floor()
    floor.roster.pause({"anna"}, NOON)
    assert floor.words(callback(1)) == ["1 eve far"]


@pytest.mark.parametrize(
    ("number", "refused"),
    [
        ("+447911123456", "number_foreign"),
        ("+449098790000", "number_premium"),
        ("+447000123456", "number_personal"),
        ("+442079460999", "number_denied"),
    ],
)
def test_a_destination_that_became_forbidden_ends_rejected(number: str, refused: str) -> None:
    policy = NumberPolicy(deny=frozenset({"+442079460999"}))
    floor = with_accounts(acme=replace(ACCOUNTS["acme"], numbers=policy))
    one = replace(callback(1), visitor=Visitor(number))
    assert floor.words(one) == [f"1 rejected {refused}"]


def test_a_used_up_day_waits_for_the_next() -> None:
    floor = with_accounts(acme=replace(ACCOUNTS["acme"], max_attempts_a_day=1))
    assert floor.words(callback(1)) == ["1 anna first"]
    found = floor.decide(callback(2), callback(3, "smiths"))
    assert [int(each.callback.id[1:]) for each in found.made] == [3], "another account goes on"
    assert found.look_at == NOON.replace(hour=0) + timedelta(days=1)
    assert floor.words(callback(2), now=MORNING) == ["2 eve far"]


def test_what_earlier_runs_used_up_counts() -> None:
    floor = with_accounts(acme=replace(ACCOUNTS["acme"], max_minutes_a_day=60))
    floor.capacity.load({}, {"acme": Usage(3, timedelta(minutes=60))}, NOON)
    assert floor.words(callback(1)) == []
    assert floor.words(callback(1), now=MORNING) == ["1 anna first"]


# --- whose turn ------------------------------------------------------------------------------------------------------


def test_within_an_account_the_earliest_promise_comes_first() -> None:
    trunks = {id_: replace(trunk, pace=Pace(per_second=1)) for id_, trunk in TRUNKS.items()}
    floor = Floor(replace(directory(), trunks=trunks), down=["two"])
    waiting = [callback(1), callback(2, "support", due=NOON - MINUTE)]
    order = []
    for second in range(3):
        order += floor.words(*waiting, now=NOON + second * SECOND)
        waiting = [one for one in waiting if one.id not in {CallbackId(f"C{int(told[0]):025}") for told in order}]
    assert order == ["2 ben first", "1 anna first"]


def test_accounts_take_turns_whatever_their_backlog() -> None:
    trunks = {id_: replace(trunk, pace=Pace(per_second=1)) for id_, trunk in TRUNKS.items()}
    floor = Floor(replace(directory(), trunks=trunks), down=["two"])
    backlog = [callback(number, "smiths", due=NOON - 30 * MINUTE) for number in range(10, 20)]
    assert floor.words(*backlog) == ["10 cleo first"]
    assert floor.words(*backlog[1:], callback(1, due=NOON), now=NOON + SECOND) == ["1 anna first"]


def test_the_pace_spreads_a_backlog() -> None:
    floor = Floor(directory(smiths={"pace": Pace(per_second=4)}))
    backlog = [callback(number, "smiths", due=NOON - 30 * MINUTE) for number in range(10, 20)]
    found = floor.decide(*backlog)
    assert len(found.made) == 1
    assert found.look_at == NOON + SECOND / 4


def test_calls_at_once_wait_for_an_end_and_not_for_a_time() -> None:
    floor = Floor(directory(smiths={"pace": Pace(at_once=1)}))
    found = floor.decide(callback(10, "smiths"), callback(11, "smiths"))
    (placed,) = found.made
    assert (placed.callback.id[-2:], found.look_at) == ("10", None)
    assert isinstance(placed, Place)
    floor.decider.undo(placed, NOON)
    assert floor.words(callback(11, "smiths")) == ["11 dan first"]


def test_a_turn_of_which_nothing_came_is_given_back() -> None:
    floor = Floor(directory(), busy=["ben", "dan", "eve", "finn"])
    floor.decider.turns.take("acme")
    first = floor.decide(callback(1), callback(2, "smiths"))
    ours, theirs = first.made
    assert isinstance(ours, Place)
    assert isinstance(theirs, Place)
    assert [ours.lines.account, theirs.lines.account] == ["bolt", "acme"]
    floor.decider.undo(ours, NOON)
    floor.decider.undo(theirs, NOON)
    assert floor.decide(callback(1), callback(2, "smiths")).made[0].callback.id == ours.callback.id


# --- since when ------------------------------------------------------------------------------------------------------


def ready(floor: Floor, one: Callback, now: datetime) -> datetime:
    (placed,) = floor.decide(one, now=now).made
    assert isinstance(placed, Place)
    return placed.ready_at


def test_ready_is_the_last_of_due_free_and_open() -> None:
    later = NOON + 10 * SECOND
    assert ready(Floor(), callback(1), later) == NOON
    floor = Floor(busy=["anna", "eve"])
    floor.idle("anna", NOON + 3 * SECOND)
    assert ready(floor, callback(1), later) == NOON + 3 * SECOND
    floor = Floor()
    opening = NOON.replace(hour=9)
    assert not floor.decide(callback(1, due=opening - MINUTE), now=opening - SECOND).made
    assert ready(floor, callback(1, due=opening - MINUTE), opening + SECOND) == opening


def test_ready_waits_for_a_slot_of_the_pace() -> None:
    floor = Floor(directory(smiths={"pace": Pace(per_second=1)}))
    assert len(floor.decide(callback(10, "smiths"), callback(11, "smiths")).made) == 1
    assert ready(floor, callback(11, "smiths"), NOON + 3 * SECOND) == NOON + SECOND


def test_ready_after_a_pause_is_its_end() -> None:
    floor = Floor()
    floor.decider.stops = frozenset({EVERYTHING})
    assert not floor.decide(callback(1)).made
    floor.decider.stops = frozenset()
    assert ready(floor, callback(1), NOON + MINUTE) == NOON + MINUTE


def test_what_a_call_holds_is_known_by_account_department_pbx_and_trunk() -> None:
    (placed,) = Floor(busy=["anna"]).decide(callback(1)).made
    assert isinstance(placed, Place)
    assert placed.lines == Lines("acme", "sales", "two", "far")
