"""The books can fail: each kind of broken promise, on made-up records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.outcome import Outcome, Verdict, blame_of
from dialer.intake.changes import Answer
from tests.chaos.books import CRASH, GIVEN_UP, STUCK, WIPED, Balance, Faults, balance
from tests.chaos.bounds import NO_BOUNDS, Bounds, Wish
from tests.contract import story
from tests.lab import FarCall

NUMBER = story.PHONE
ID = story.callback(1).id


def at(seconds: float) -> datetime:
    return story.NOON + timedelta(seconds=seconds)


def callback(status: Status = Status.COMPLETED) -> Callback:
    return replace(story.callback(1), status=status)


def attempt(
    outcome: Outcome | None, begin: float = 0, end: float = 10, *, talk: float = 0, detail: str = ""
) -> Attempt:
    made = replace(story.attempt_at(story.callback(1), twin=f"{begin:.0f}"), created_at=at(begin))
    if outcome is None:
        return made
    verdict = Verdict(outcome, 16, blame_of(outcome), timedelta(seconds=talk), detail=detail)
    return replace(made, verdict=verdict, ended_at=at(end))


def call(who: str, start: float, answer: float | None, end: float, disposition: str = "ANSWERED") -> FarCall:
    return FarCall(
        who=who,
        dialled=NUMBER if who == "customer" else "anna",
        caller_number="",
        caller_name="",
        callback_id=ID if who == "agent" else "",
        page="",
        department="",
        disposition=disposition,
        hung_up=True,
        uniqueid="",
        start=at(start),
        answer=None if answer is None else at(answer),
        end=at(end),
        duration=end - start,
        billsec=0 if answer is None else end - answer,
    )


def struck(
    attempts: Sequence[Attempt],
    far: Sequence[FarCall],
    *,
    status: Status = Status.COMPLETED,
    faults: Faults = Faults(),  # noqa: B008  # frozen
    bounds: Bounds = NO_BOUNDS,
) -> Balance:
    return balance([ID], {ID: (callback(status), attempts)}, far, faults, bounds)


AGENT = call("agent", 0, 1, 10)
CUSTOMER = call("customer", 3, 4, 9)
CONNECTED = attempt(Outcome.CONNECTED, talk=5)
REFUSED = call("customer", 3, None, 4, "BUSY")
NO_RING = Verdict(Outcome.TRUNK_FAILURE, 34, blame_of(Outcome.TRUNK_FAILURE), rang=False)


def test_an_honest_account_balances() -> None:
    found = struck([CONNECTED], [AGENT, CUSTOMER])
    assert found.even
    assert found.outcomes == {Outcome.CONNECTED: 1}


def test_two_attempts_each_with_its_own_call_balance() -> None:
    second = [call("agent", 20, 21, 30), call("customer", 23, 24, 29)]
    attempts = [attempt(Outcome.CUSTOMER_BUSY, 0, 5), attempt(Outcome.CONNECTED, 20, 30, talk=5)]
    assert struck(attempts, [AGENT, REFUSED, *second]).even


def test_a_number_is_the_same_however_its_trunk_writes_it() -> None:
    failed = replace(attempt(Outcome.TRUNK_FAILURE, 0, 5), verdict=NO_RING)
    by_the_other = [call("agent", 20, 21, 30), replace(call("customer", 23, 24, 29), dialled=NUMBER.removeprefix("+"))]
    far = [AGENT, call("customer", 3, None, 3, "CONGESTION"), *by_the_other]
    assert struck([failed, attempt(Outcome.CONNECTED, 20, 30, talk=5)], far).even


def test_by_two_trunks_a_customer_is_rung_twice_as_well_as_by_one() -> None:
    again = replace(call("customer", 5, None, 6, "BUSY"), dialled=NUMBER.removeprefix("+"))
    assert len(struck([attempt(Outcome.CUSTOMER_BUSY)], [AGENT, REFUSED, again]).rung_twice) == 1


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.IN_PROGRESS])
def test_a_callback_that_is_not_settled_is_lost(status: Status) -> None:
    assert len(struck([CONNECTED], [AGENT, CUSTOMER], status=status).lost) == 1


def test_a_callback_that_waits_for_a_person_is_not_lost() -> None:
    assert struck([CONNECTED], [AGENT, CUSTOMER], status=Status.NEEDS_REVIEW).lost == []


def test_an_accepted_callback_that_the_store_does_not_know_is_lost() -> None:
    assert len(balance([ID], {}, [], Faults()).lost) == 1


def test_an_attempt_without_an_outcome_is_lost() -> None:
    assert len(struck([attempt(None)], []).lost) == 1


def test_two_calls_of_one_attempt_are_one_too_many() -> None:
    again = call("customer", 5, None, 6, "NO ANSWER")
    found = struck([attempt(Outcome.CUSTOMER_BUSY)], [AGENT, REFUSED, again])
    assert len(found.rung_twice) == 1


def test_a_second_call_while_the_first_lives_is_one_too_many() -> None:
    busy, second = attempt(Outcome.CUSTOMER_NO_ANSWER, 0, 3.5), attempt(Outcome.CUSTOMER_BUSY, 3.6, 6)
    far = [AGENT, call("customer", 3, None, 8, "NO ANSWER"), call("customer", 4, None, 5, "BUSY")]
    assert len(struck([busy, second], far).rung_twice) == 1


def test_a_call_after_the_customer_was_reached_is_one_too_many() -> None:
    attempts = [CONNECTED, attempt(Outcome.CUSTOMER_BUSY, 20, 25)]
    far = [AGENT, CUSTOMER, call("agent", 20, 21, 25), call("customer", 23, None, 24, "BUSY")]
    assert len(struck(attempts, far).rung_twice) == 1


def test_a_call_without_an_attempt_is_one_too_many() -> None:
    assert len(struck([], [AGENT, CUSTOMER]).rung_twice) == 1


def test_a_call_to_a_number_of_no_callback_is_one_too_many() -> None:
    stranger = replace(CUSTOMER, dialled="+442079460998")
    assert len(struck([CONNECTED], [AGENT, CUSTOMER, stranger]).rung_twice) == 1


@pytest.mark.parametrize(
    "agents",
    [
        [],
        [call("agent", 0, None, 10, "NO ANSWER")],
        [call("agent", 3, 3.5, 10)],
        [call("agent", 0, 1, 3)],
        [replace(AGENT, callback_id="callback-2")],
    ],
    ids=["nobody", "never answered", "answered later", "left before the answer", "another customer's"],
)
def test_a_customer_rung_without_an_agent_on_the_line_is_rung_into_silence(agents: list[FarCall]) -> None:
    assert len(struck([CONNECTED], [*agents, CUSTOMER]).silent) == 1


def test_an_agent_who_left_while_the_customer_rang_in_vain_was_there_when_it_began() -> None:
    abandoned = attempt(Outcome.ABANDONED_BY_AGENT)
    far = [call("agent", 0, 1, 3.2), call("customer", 3, None, 3.3, "NO ANSWER")]
    assert struck([abandoned], far).even


def test_an_answer_that_crossed_the_hang_up_on_the_wire_is_none() -> None:
    attempts = [attempt(Outcome.ABANDONED_BY_AGENT, 0, 4), attempt(Outcome.CONNECTED, 20, 30, talk=5)]
    second = [call("agent", 20, 21, 30), call("customer", 23, 24, 29)]
    assert struck(attempts, [AGENT, call("customer", 3, 4.01, 4.02), *second]).even


@pytest.mark.parametrize(("answer", "end"), [(3.1, 3.2), (4, 5)], ids=["answered long before", "went on"])
def test_an_answer_that_did_not_cross_the_hang_up_is_one(answer: float, end: float) -> None:
    abandoned = attempt(Outcome.ABANDONED_BY_AGENT, 0, 4)
    assert len(struck([abandoned], [AGENT, call("customer", 3, answer, end)]).wrong_outcome) == 1


@pytest.mark.parametrize(
    ("outcome", "talk", "far"),
    [
        (Outcome.CONNECTED, 5, REFUSED),
        (Outcome.CONNECTED, 5, None),
        (Outcome.CUSTOMER_BUSY, 0, CUSTOMER),
        (Outcome.CUSTOMER_BUSY, 0, None),
        (Outcome.CUSTOMER_NO_ANSWER, 0, REFUSED),
        (Outcome.CUSTOMER_DECLINED, 0, CUSTOMER),
        (Outcome.CUSTOMER_UNREACHABLE, 0, REFUSED),
        (Outcome.TRUNK_FAILURE, 0, CUSTOMER),
        (Outcome.ABANDONED_BY_AGENT, 0, CUSTOMER),
        (Outcome.AGENT_BUSY, 0, REFUSED),
        (Outcome.AGENT_DECLINED, 0, REFUSED),
        (Outcome.AGENT_NO_ANSWER, 0, REFUSED),
        (Outcome.AGENT_UNAVAILABLE, 0, REFUSED),
        (Outcome.NOT_PLACED, 0, REFUSED),
        (Outcome.CANCELLED, 0, REFUSED),
        (Outcome.PBX_FAILURE, 0, REFUSED),
    ],
)
def test_an_outcome_that_the_far_end_contradicts_is_wrong(outcome: Outcome, talk: float, far: FarCall | None) -> None:
    calls = [AGENT, *([far] if far else [])]
    assert len(struck([attempt(outcome, talk=talk)], calls).wrong_outcome) == 1


def test_a_talk_that_the_far_end_timed_otherwise_is_told_apart() -> None:
    found = struck([attempt(Outcome.CONNECTED, talk=3)], [AGENT, CUSTOMER])
    assert (len(found.talk_apart), found.wrong_outcome, found.even) == (1, [], False)


@pytest.mark.parametrize(
    ("detail", "source", "faults"),
    [
        ("cut off after answered: no end was recorded", CRASH, Faults([at(5)])),
        ("its journal entry is gone", CRASH, Faults([at(5)])),
        ("it is overdue, and its channel cannot be hung up", STUCK, Faults(hang_ups_swallowed=True)),
    ],
)
def test_a_doubt_needs_its_cause(detail: str, source: str, faults: Faults) -> None:
    doubtful = attempt(Outcome.IN_DOUBT, 0, 10, detail=detail)
    explained = struck([doubtful], [AGENT, CUSTOMER], status=Status.NEEDS_REVIEW, faults=faults)
    assert explained.even
    assert explained.doubts == {source: 1}
    unexplained = struck([doubtful], [AGENT, CUSTOMER], status=Status.NEEDS_REVIEW)
    assert len(unexplained.wrong_outcome) == 1


def test_a_crash_explains_only_what_lived_then() -> None:
    doubtful = attempt(Outcome.IN_DOUBT, 0, 10, detail="cut off after answered: no end was recorded")
    assert len(struck([doubtful], [], faults=Faults([at(11)])).wrong_outcome) == 1


@pytest.mark.parametrize(
    ("detail", "source"),
    [
        ("the PBX's database was wiped or replaced, and its journal with it", WIPED),
        ("PBX main is no longer configured", GIVEN_UP),
        ("something else", "unknown"),
    ],
)
def test_doubts_that_no_fault_of_a_run_explains(detail: str, source: str) -> None:
    found = struck([attempt(Outcome.IN_DOUBT, detail=detail)], [], faults=Faults([at(5)], hang_ups_swallowed=True))
    assert found.doubts == {source: 1}
    assert len(found.wrong_outcome) == 1


# --- changes of mind -------------------------------------------------------------------------------------------------

KEPT = attempt(Outcome.CANCELLED, 0, 4)
VAIN = call("agent", 0, 1, 4)


def wish(
    kind: WishKind = WishKind.CANCEL,
    answer: Answer = Answer.DONE,
    *,
    noted: float = 2,
    answered: float = 4,
    due: float | None = None,
) -> Bounds:
    told = Wish(kind, at(noted), at(answered), answer, None if due is None else at(due))
    return Bounds(wishes={ID: told})


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        (wish(), Status.CANCELLED),
        (wish(WishKind.OBJECTION), Status.REJECTED),
        (wish(WishKind.OBJECTION, Answer.UNDECIDED), Status.REJECTED),
    ],
)
def test_who_was_not_rung_after_a_change_of_mind_got_what_they_wanted(bounds: Bounds, status: Status) -> None:
    assert struck([KEPT], [VAIN], status=status, bounds=bounds).even


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.NEEDS_REVIEW])
def test_an_attempt_that_came_first_may_decide_instead(status: Status) -> None:
    found = struck([CONNECTED], [AGENT, CUSTOMER], status=status, bounds=wish(answer=Answer.TOO_LATE))
    assert found.even


def test_a_moved_callback_is_rung_when_its_time_has_come() -> None:
    attempts = [KEPT, attempt(Outcome.CONNECTED, 20, 30, talk=5)]
    far = [VAIN, call("agent", 20, 21, 30), call("customer", 23, 24, 29)]
    assert struck(attempts, far, bounds=wish(WishKind.MOVE, due=20)).even


@pytest.mark.parametrize("bounds", [wish(answered=2.5), wish(WishKind.MOVE, answered=2.5, due=60)])
def test_a_call_after_a_change_of_mind_was_acknowledged_breaks_the_promise(bounds: Bounds) -> None:
    found = struck([CONNECTED], [AGENT, CUSTOMER], status=Status.CANCELLED, bounds=bounds)
    assert len(found.rung_after_withdrawn) == 1


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize(("kind", "due"), [(WishKind.CANCEL, None), (WishKind.OBJECTION, None), (WishKind.MOVE, 60)])
def test_a_new_attempt_after_a_change_of_mind_was_noted_breaks_it_whatever_was_answered(
    kind: WishKind, due: float | None, answer: Answer
) -> None:
    bounds = wish(kind, answer, due=due)
    found = struck([KEPT, attempt(Outcome.AGENT_BUSY, 20, 21)], [VAIN], status=Status.FAILED, bounds=bounds)
    assert len(found.rung_after_withdrawn) == 1


@pytest.mark.parametrize(
    ("bounds", "attempts", "status"),
    [
        (wish(), [CONNECTED], Status.COMPLETED),
        (wish(WishKind.OBJECTION), [CONNECTED], Status.CANCELLED),
        (wish(answer=Answer.UNDECIDED), [CONNECTED], Status.EXPIRED),
        (wish(answer=Answer.TOO_LATE), [KEPT], Status.FAILED),
    ],
    ids=["told that it is done", "another end", "no attempt's end", "kept from its customer for nothing"],
)
def test_a_callback_that_ends_otherwise_than_wished_is_wrong(
    bounds: Bounds, attempts: list[Attempt], status: Status
) -> None:
    far = [AGENT, CUSTOMER] if attempts == [CONNECTED] else [VAIN]
    assert len(struck(attempts, far, status=status, bounds=bounds).wrong_outcome) == 1


# --- bounds ----------------------------------------------------------------------------------------------------------

PEACE = Bounds(gap=timedelta(seconds=1))


def test_a_number_that_rang_is_left_in_peace_for_a_while() -> None:
    attempts = [attempt(Outcome.CUSTOMER_BUSY, 0, 4), attempt(Outcome.CONNECTED, 5, 11, talk=4)]
    far = [AGENT, REFUSED, call("agent", 5, 5.5, 11), call("customer", 6.5, 7, 11)]
    assert struck(attempts, far, bounds=PEACE).even


def test_a_call_too_soon_after_the_last_is_seen_at_the_far_end() -> None:
    attempts = [attempt(Outcome.CUSTOMER_BUSY, 0, 3), attempt(Outcome.CONNECTED, 4, 11, talk=6)]
    far = [AGENT, REFUSED, call("customer", 4.9, 5, 11)]
    assert len(struck(attempts, far, bounds=PEACE).too_soon) == 1


def test_an_attempt_too_soon_after_the_last_is_seen_before_it_rings() -> None:
    attempts = [attempt(Outcome.CUSTOMER_BUSY, 0, 4), attempt(Outcome.AGENT_BUSY, 4.9, 6)]
    assert len(struck(attempts, [AGENT, REFUSED], status=Status.FAILED, bounds=PEACE).too_soon) == 1


@pytest.mark.parametrize(
    "first", [attempt(Outcome.AGENT_BUSY, 0, 4), replace(attempt(Outcome.TRUNK_FAILURE, 0, 4), verdict=NO_RING)]
)
def test_after_an_attempt_that_rang_nobody_the_next_may_come_at_once(first: Attempt) -> None:
    attempts = [first, attempt(Outcome.AGENT_BUSY, 4, 6)]
    assert struck(attempts, [], status=Status.FAILED, bounds=PEACE).even


def test_a_callback_that_may_not_be_rung_is_not_tried() -> None:
    spared = Bounds(spared={ID})
    assert struck([], [], status=Status.EXPIRED, bounds=spared).even
    assert len(struck([attempt(Outcome.AGENT_BUSY)], [], status=Status.FAILED, bounds=spared).out_of_time) == 1
