"""Fairness among accounts: a small one is never kept waiting by another's backlog."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.scheduling.turns import Turns


def test_accounts_that_were_never_served_come_as_given() -> None:
    assert Turns().order(["b", "a", "c"]) == ["b", "a", "c"]


def test_who_was_served_goes_to_the_end() -> None:
    turns = Turns()
    turns.take("a")
    turns.take("b")
    assert turns.order(["a", "b", "c", "d"]) == ["c", "d", "a", "b"]
    turns.take("a")
    assert turns.order(["a", "b"]) == ["b", "a"]


def test_a_turn_of_which_nothing_came_is_given_back() -> None:
    turns = Turns()
    for account in ("a", "b"):
        turns.take(account)
    turns.give_back(turns.take("a"))
    assert turns.order(["b", "a"]) == ["a", "b"]


def test_a_turn_that_comes_back_late_gives_no_second_one() -> None:
    turns = Turns()
    for account in ("a", "b"):
        turns.take(account)
    late = turns.take("a")
    turns.take("a")
    turns.give_back(late)
    assert turns.order(["a", "b"]) == ["b", "a"]


def test_only_who_waits_is_in_the_order() -> None:
    turns = Turns()
    for account in ("a", "b", "c"):
        turns.take(account)
    assert turns.order({"c", "a"}) == ["a", "c"]
    assert turns.order([]) == []


def test_waiting_longer_makes_up_for_no_more_than_one_turn() -> None:
    turns = Turns()
    for _ in range(100):
        turns.take("busy")
    assert [_serve(turns, {"busy", "quiet"}) for _ in range(4)] == ["quiet", "busy", "quiet", "busy"]


def _serve(turns: Turns, waiting: set[str]) -> str:
    first = turns.order(sorted(waiting))[0]
    turns.take(first)
    return first


ACCOUNTS = ["a", "b", "c", "d", "e"]


@dataclass
class Line:
    """Callbacks of one account. `passed` is who was served since its first one came to the head of the line."""

    waiting: int = 0
    passed: Counter[str] = field(default_factory=Counter)


@settings(max_examples=300)
@given(
    arrivals=st.lists(
        st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(1, 40), max_size=3),
        min_size=1,
        max_size=60,
    )
)
@example(arrivals=[{"a": 5000, "b": 300}, {}, {}, {"c": 1}, {}, {}, {"c": 1, "d": 1}, {}, {}, {"e": 40}])
def test_whatever_the_backlogs_each_other_account_passes_a_waiting_one_at_most_once(
    arrivals: list[dict[str, int]],
) -> None:
    """One call begins a slot; before each slot some callbacks arrive. Afterwards the lines are served until empty."""
    turns = Turns()
    lines = {account: Line() for account in ACCOUNTS}
    slot = 0
    while slot < len(arrivals) or any(line.waiting for line in lines.values()):
        for account, count in (arrivals[slot] if slot < len(arrivals) else {}).items():
            lines[account].waiting += count
        slot += 1
        waiting = {account for account, line in lines.items() if line.waiting}
        if not waiting:
            continue
        served = _serve(turns, waiting)
        for account in waiting - {served}:
            passed = lines[account].passed
            passed[served] += 1
            assert passed[served] == 1, f"{served} passed {account} twice"
            assert passed.total() < len(ACCOUNTS)
        lines[served].waiting -= 1
        lines[served].passed.clear()
