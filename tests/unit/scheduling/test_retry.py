"""The next step after an attempt, outcome by outcome, bound by bound. Now is Monday, 13 May 2030, 11:00 in London."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.directory import Delay, Department, RetryRule
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.scheduling.hours import open_in_all
from dialer.scheduling.retry import Ending, NextStep, plan
from tests.unit.scheduling.samples import DEPARTMENT, LONDON, NEW_YORK, hours, utc

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
DUE = NOW - timedelta(minutes=1)
OFFICE = hours(LONDON, mon_fri="09:00-17:00")
ALL_DAY = hours(LONDON, "00:00-24:00")
NEVER = hours(LONDON)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def ladder(*minutes: int, opening: bool = False) -> tuple[Delay, ...]:
    return tuple(Delay(count * MINUTE, opening) for count in minutes)


RETRYABLE = [outcome for outcome in Outcome if outcome not in {Outcome.CONNECTED, Outcome.IN_DOUBT}]
RULE = RetryRule(
    delays=dict.fromkeys(RETRYABLE, ladder(1, 5, 60)),
    max_customer_attempts=4,
    max_agent_rings=6,
)
SALES = replace(DEPARTMENT, hours=OFFICE, retry=RULE)

CUSTOMERS = [
    Outcome.CUSTOMER_BUSY,
    Outcome.CUSTOMER_NO_ANSWER,
    Outcome.CUSTOMER_DECLINED,
    Outcome.CUSTOMER_UNREACHABLE,
    Outcome.ABANDONED_BY_AGENT,
]
AGENTS = [
    Outcome.AGENT_BUSY,
    Outcome.AGENT_NO_ANSWER,
    Outcome.AGENT_DECLINED,
    Outcome.AGENT_UNAVAILABLE,
    Outcome.TRUNK_FAILURE,
    Outcome.PBX_FAILURE,
]
FREE = [Outcome.NOT_PLACED, Outcome.CANCELLED]

CALLBACK = Callback(
    id=CallbackId("01HZXW0000000000000000000C"),
    site="shop",
    department="sales",
    visitor=Visitor(phone="+441614960001"),
    requested_at=DUE,
    wanted_at=None,
    due_at=DUE,
    status=Status.IN_PROGRESS,
)


def callback(customer_attempts: int = 0, agent_rings: int = 0) -> Callback:
    return replace(CALLBACK, customer_attempts=customer_attempts, agent_rings=agent_rings)


def step(outcome: Outcome, rule: RetryRule = RULE, customer_attempts: int = 0, agent_rings: int = 0) -> NextStep:
    department = replace(SALES, retry=rule)
    return plan(callback(customer_attempts, agent_rings), Ending(outcome), department, (), NOW, 0.0)


# --- one outcome after the other -------------------------------------------------------------------------------------


def test_a_connection_completes_the_callback() -> None:
    assert step(Outcome.CONNECTED) == NextStep(Status.COMPLETED, DUE, "connected", 1, 0, day=TODAY, day_attempts=1)


def test_a_doubt_goes_to_a_person_and_changes_no_count() -> None:
    assert step(Outcome.IN_DOUBT, customer_attempts=2, agent_rings=1) == NextStep(
        Status.NEEDS_REVIEW, DUE, "in_doubt", 2, 1
    )


@pytest.mark.parametrize("outcome", CUSTOMERS)
@pytest.mark.parametrize(("before", "delay"), [(0, MINUTE), (1, 5 * MINUTE), (2, 60 * MINUTE)])
def test_the_customers_ladder(outcome: Outcome, before: int, delay: timedelta) -> None:
    assert step(outcome, customer_attempts=before, agent_rings=3) == NextStep(
        Status.SCHEDULED,
        NOW + delay,
        f"again after {outcome} ({before + 1} of 4)",
        before + 1,
        0,
        day=TODAY,
        day_attempts=1,
    )


@pytest.mark.parametrize("outcome", AGENTS)
@pytest.mark.parametrize(("before", "delay"), [(0, MINUTE), (1, 5 * MINUTE), (2, 60 * MINUTE), (4, 60 * MINUTE)])
def test_the_agents_ladder_uses_up_no_customer_attempt_and_its_last_step_repeats(
    outcome: Outcome, before: int, delay: timedelta
) -> None:
    assert step(outcome, customer_attempts=2, agent_rings=before) == NextStep(
        Status.SCHEDULED, NOW + delay, f"again after {outcome} (agents rung {before + 1} of 6 times)", 2, before + 1
    )


def test_a_carrier_that_fails_after_the_customers_phone_rang_uses_up_a_customer_attempt() -> None:
    """Its own ladder and the old promise stay: the customer decided nothing."""
    before = replace(callback(1, 4), day=TODAY, day_attempts=1, expires_at=NOW + HOUR)
    rang = Ending(Outcome.TRUNK_FAILURE, rang=True, failover=True)
    assert plan(before, rang, replace(SALES, patience=2 * HOUR), (), NOW, 0.0) == NextStep(
        Status.SCHEDULED,
        NOW + 5 * MINUTE,
        "again after trunk_failure (2 of 4)",
        2,
        0,
        expires_at=NOW + HOUR,
        day=TODAY,
        day_attempts=2,
    )
    assert plan(replace(before, customer_attempts=3), rang, SALES, (), NOW, 0.0).status is Status.FAILED


@pytest.mark.parametrize("outcome", FREE)
def test_what_rang_nobody_costs_nothing(outcome: Outcome) -> None:
    assert step(outcome, customer_attempts=1, agent_rings=1) == NextStep(
        Status.SCHEDULED, NOW + MINUTE, f"again after {outcome}", 1, 1
    )


@pytest.mark.parametrize("outcome", CUSTOMERS)
def test_the_cap_on_customer_attempts(outcome: Outcome) -> None:
    assert step(outcome, customer_attempts=3) == NextStep(
        Status.FAILED, DUE, f"{outcome}: 4 attempts were made", 4, 0, day=TODAY, day_attempts=1
    )


@pytest.mark.parametrize("outcome", AGENTS)
def test_the_cap_on_agent_rings(outcome: Outcome) -> None:
    assert step(outcome, agent_rings=5) == NextStep(
        Status.FAILED, DUE, f"{outcome}: agents were rung 6 times in vain", 0, 6
    )


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_an_outcome_without_a_ladder_is_not_tried_again(outcome: Outcome) -> None:
    after = step(outcome, replace(RULE, delays={}))
    assert (after.status, after.reason) == (Status.FAILED, f"{outcome}: not tried again")


@pytest.mark.parametrize("outcome", CUSTOMERS + AGENTS)
def test_a_department_that_never_opens_gives_up(outcome: Outcome) -> None:
    after = plan(callback(), Ending(outcome), replace(SALES, hours=NEVER), (), NOW, 0.0)
    assert (after.status, after.due_at) == (Status.FAILED, DUE)
    assert after.reason.startswith(f"again after {outcome} (")
    assert after.reason.endswith("), but never opens")


# --- when: delays, jitter, opening time, quiet hours -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "rungs", "jitter", "spread", "now", "due"),
    [
        ("wall time", ladder(5), 0, 0, "2030-05-13T10:00", "2030-05-13T10:05"),
        ("wall time, over the closing", ladder(5), 0, 0, "2030-05-13T15:58", "2030-05-14T08:00"),
        ("wall time, over the weekend", ladder(5), 0, 0, "2030-05-17T15:58", "2030-05-20T08:00"),
        ("wall time, longer than the night", ladder(18 * 60), 0, 0, "2030-05-13T15:00", "2030-05-14T09:00"),
        ("opening time", ladder(120, opening=True), 0, 0, "2030-05-13T10:00", "2030-05-13T12:00"),
        ("opening time, overnight", ladder(120, opening=True), 0, 0, "2030-05-13T15:00", "2030-05-14T09:00"),
        ("opening time, just to the closing", ladder(120, opening=True), 0, 0, "2030-05-13T14:00", "2030-05-14T08:00"),
        ("opening time, over the weekend", ladder(120, opening=True), 0, 0, "2030-05-17T15:00", "2030-05-20T09:00"),
        ("opening time, after a late call", ladder(120, opening=True), 0, 0, "2030-05-13T16:10", "2030-05-14T10:00"),
        ("opening time, none there is", ladder(60 * 24 * 400, opening=True), 0, 0, "2030-05-13T10:00", None),
        ("jitter, its least", ladder(60), 0.1, 0, "2030-05-13T10:00", "2030-05-13T11:00"),
        ("jitter, half of it", ladder(60), 0.1, 0.5, "2030-05-13T10:00", "2030-05-13T11:03"),
        ("jitter, nearly all of it", ladder(60), 0.1, 0.999, "2030-05-13T10:00", "2030-05-13T11:05:59.640"),
        ("jitter of opening time", ladder(60, opening=True), 0.5, 0.5, "2030-05-13T15:30", "2030-05-14T08:45"),
        ("no jitter, whatever the spread", ladder(60), 0, 0.999, "2030-05-13T10:00", "2030-05-13T11:00"),
        # London's clocks go forward on 31 March and back on 27 October.
        ("over the shorter weekend", ladder(120, opening=True), 0, 0, "2030-03-29T16:00", "2030-04-01T09:00"),
        ("over the longer weekend", ladder(120, opening=True), 0, 0, "2030-10-25T15:00", "2030-10-28T10:00"),
    ],
)
def test_the_next_try_is_due(
    what: str, rungs: tuple[Delay, ...], jitter: float, spread: float, now: str, due: str | None
) -> None:
    rule = replace(RULE, delays={Outcome.CUSTOMER_BUSY: rungs}, jitter=jitter)
    after = plan(CALLBACK, Ending(Outcome.CUSTOMER_BUSY), replace(SALES, retry=rule), (), utc(now), spread)
    assert (after.status, after.due_at) == ((Status.SCHEDULED, utc(due)) if due else (Status.FAILED, DUE))


@pytest.mark.parametrize(
    ("what", "quiet", "now", "due"),
    [
        ("both may be called", "08:00-21:00", "2030-05-13T13:00", "2030-05-13T13:01"),
        ("New York still sleeps", "08:00-21:00", "2030-05-13T11:30", "2030-05-13T12:00"),
        ("we have closed when it wakes up", "13:00-21:00", "2030-05-13T15:59:30", None),
        ("the next working day", "08:00-21:00", "2030-05-17T15:59:30", "2030-05-20T12:00"),
    ],
)
def test_the_next_try_keeps_the_quiet_hours(what: str, quiet: str, now: str, due: str | None) -> None:
    windows = (hours(NEW_YORK, quiet),)
    after = plan(CALLBACK, Ending(Outcome.CUSTOMER_BUSY), SALES, windows, utc(now), 0.0)
    assert (after.status, after.due_at) == ((Status.SCHEDULED, utc(due)) if due else (Status.FAILED, DUE))


# --- no more than so many a day --------------------------------------------------------------------------------------

NEXT_DAY = "again after customer_busy ({} of 4), the next day: no more than 2 a day"


@pytest.mark.parametrize(
    ("what", "outcome", "before", "day", "made", "due", "reason"),
    [
        ("the day's first", "customer_busy", 0, None, 0, NOW + MINUTE, "again after customer_busy (1 of 4)"),
        (
            "yesterday's count no more",
            "customer_busy",
            2,
            YESTERDAY,
            2,
            NOW + HOUR,
            "again after customer_busy (3 of 4)",
        ),
        ("the day's last", "customer_busy", 1, TODAY, 1, utc("2030-05-14T08:00"), NEXT_DAY.format(2)),
        ("one more than the day's last", "customer_busy", 2, TODAY, 2, utc("2030-05-14T08:00"), NEXT_DAY.format(3)),
        (
            "an agent's failure, while some are left",
            "agent_busy",
            1,
            TODAY,
            1,
            NOW + MINUTE,
            "again after agent_busy (agents rung 1 of 6 times)",
        ),
        (
            "an agent's failure, once none are left",
            "agent_busy",
            2,
            TODAY,
            2,
            utc("2030-05-14T08:00"),
            "again after agent_busy (agents rung 1 of 6 times), the next day: no more than 2 a day",
        ),
        (
            "a failure on the day after",
            "not_placed",
            2,
            YESTERDAY,
            2,
            NOW + MINUTE,
            "again after not_placed",
        ),
    ],
)
def test_the_cap_a_day(
    what: str, outcome: str, before: int, day: date | None, made: int, due: datetime, reason: str
) -> None:
    department = replace(SALES, retry=replace(RULE, max_customer_attempts_a_day=2))
    ended = replace(CALLBACK, customer_attempts=before, day=day, day_attempts=made)
    after = plan(ended, Ending(Outcome(outcome)), department, (), NOW, 0.0)
    assert (after.status, after.due_at, after.reason) == (Status.SCHEDULED, due, reason)


@pytest.mark.parametrize(
    ("what", "zone", "now", "due", "day"),
    [
        ("London's midnight", "Europe/London", "2030-05-13T10:00", "2030-05-13T23:00", "2030-05-13"),
        ("New York's midnight", "America/New_York", "2030-05-14T02:00", "2030-05-14T04:00", "2030-05-13"),
        ("the ladder goes further", "Europe/London", "2030-05-13T22:30", "2030-05-13T23:30", "2030-05-13"),
        ("exactly at midnight", "Europe/London", "2030-05-13T22:00", "2030-05-13T23:00", "2030-05-13"),
        ("the clocks went forward today", "Europe/London", "2030-03-31T10:00", "2030-03-31T23:00", "2030-03-31"),
        ("the clocks went back today", "Europe/London", "2030-10-27T10:00", "2030-10-28T00:00", "2030-10-27"),
        ("a day that begins at 01:00", "Asia/Beirut", "2027-03-27T10:00", "2027-03-27T22:00", "2027-03-27"),
        ("a day whose last hour comes twice", "Asia/Beirut", "2027-10-30T10:00", "2027-10-30T22:00", "2027-10-30"),
    ],
)
def test_the_day_is_the_departments_own(what: str, zone: str, now: str, due: str, day: str) -> None:
    rule = replace(RULE, max_customer_attempts_a_day=1, delays={Outcome.CUSTOMER_BUSY: ladder(60)})
    department = replace(SALES, retry=rule, hours=hours(ZoneInfo(zone), "00:00-24:00"))
    after = plan(CALLBACK, Ending(Outcome.CUSTOMER_BUSY), department, (), utc(now), 0.0)
    assert (after.status, after.due_at) == (Status.SCHEDULED, utc(due))
    assert (after.day, after.day_attempts) == (date.fromisoformat(day), 1)


# --- until when ------------------------------------------------------------------------------------------------------

EXPIRED = "{}: its time ran out before the next try"


@pytest.mark.parametrize(
    ("what", "outcome", "patience", "expires", "until", "expected"),
    [
        # The customer's side decided: the promise begins anew, from 10:01.
        ("anew", "customer_busy", 2 * HOUR, "10:00:30", None, "12:01"),
        ("anew, over the closing", "customer_busy", 7 * HOUR, None, None, "next day 09:01"),
        ("anew, not past the window", "customer_busy", 2 * HOUR, "10:00:30", "11:00", "11:00"),
        ("the window alone", "customer_busy", None, "11:00", "11:00", "11:00"),
        ("no bounds", "customer_busy", None, None, None, None),
        ("the window ends as it is due", "customer_busy", 2 * HOUR, None, "10:01", "expired"),
        ("the window ended before", "abandoned_by_agent", None, None, "10:00", "expired"),
        # Anything else: the old promise runs out.
        ("as it was", "agent_busy", 2 * HOUR, "11:00", None, "11:00"),
        ("as it was: for ever", "agent_busy", 2 * HOUR, None, None, None),
        ("a second is left", "agent_busy", 2 * HOUR, "10:01:01", None, "10:01:01"),
        ("it runs out as it is due", "agent_busy", 2 * HOUR, "10:01", None, "expired"),
        ("it ran out before", "trunk_failure", 2 * HOUR, "09:59", None, "expired"),
        ("it ran out, and nobody was rung", "not_placed", 2 * HOUR, "10:01", None, "expired"),
        ("it ran out, and we let it go", "cancelled", 2 * HOUR, "10:01", None, "expired"),
        ("the window ends first", "pbx_failure", 2 * HOUR, "11:00", "10:01", "expired"),
    ],
)
def test_a_promise_is_kept_in_its_time_or_given_up(
    what: str, outcome: str, patience: timedelta | None, expires: str | None, until: str | None, expected: str | None
) -> None:
    def at(clock: str | None) -> datetime | None:
        return utc(f"2030-05-13T{clock}") if clock else None

    ended = replace(CALLBACK, expires_at=at(expires), wanted_until=at(until))
    after = plan(ended, Ending(Outcome(outcome)), replace(SALES, patience=patience), (), NOW, 0.0)
    if expected == "expired":
        assert (after.status, after.due_at) == (Status.EXPIRED, DUE)
        assert (after.expires_at, after.reason) == (at(expires), EXPIRED.format(outcome))
    else:
        end = utc("2030-05-14T09:01") if expected == "next day 09:01" else at(expected)
        assert (after.status, after.due_at, after.expires_at) == (Status.SCHEDULED, NOW + MINUTE, end)


def test_an_end_changes_neither_due_nor_expiry() -> None:
    ended = replace(CALLBACK, expires_at=NOW + HOUR)
    for outcome in (Outcome.CONNECTED, Outcome.IN_DOUBT):
        after = plan(ended, Ending(outcome), replace(SALES, patience=HOUR), (), NOW, 0.0)
        assert (after.due_at, after.expires_at) == (DUE, NOW + HOUR)


# --- another trunk ---------------------------------------------------------------------------------------------------

FAILED_OVER = Ending(Outcome.TRUNK_FAILURE, rang=False, agent="anna", trunk="carrier", failover=True)
COUNTED = replace(CALLBACK, customer_attempts=2, agent_rings=3, day=TODAY, day_attempts=2, expires_at=NOW + 2 * HOUR)


def test_another_trunk_takes_over_at_once_with_the_same_agent_and_nothing_is_counted() -> None:
    tried = replace(COUNTED, failed_trunks=("first",))
    rule = replace(RULE, delays={}, max_customer_attempts_a_day=2)
    assert plan(tried, FAILED_OVER, replace(SALES, retry=rule), (), NOW, 0.5) == NextStep(
        Status.SCHEDULED,
        NOW,
        "again by another trunk after trunk_failure",
        customer_attempts=2,
        agent_rings=3,
        expires_at=NOW + 2 * HOUR,
        day=TODAY,
        day_attempts=2,
        prefer_agent="anna",
        failed_trunks=("first", "carrier"),
    )


@pytest.mark.parametrize(
    "ending",
    [
        replace(FAILED_OVER, failover=False),  # no other trunk
        replace(FAILED_OVER, rang=True),
        replace(FAILED_OVER, rang=None),  # it may have rung
        replace(FAILED_OVER, outcome=Outcome.PBX_FAILURE),
        replace(FAILED_OVER, outcome=Outcome.CUSTOMER_BUSY),
    ],
)
def test_otherwise_the_next_try_begins_with_all_trunks_and_agents(ending: Ending) -> None:
    after = plan(replace(COUNTED, failed_trunks=("first",)), ending, SALES, (), NOW, 0.0)
    assert (after.status, after.prefer_agent, after.failed_trunks) == (Status.SCHEDULED, "", ())
    assert after.due_at > NOW
    assert (after.customer_attempts, after.agent_rings) in {(3, 0), (2, 4)}


@pytest.mark.parametrize(
    ("what", "department", "ended", "now", "status", "due"),
    [
        ("we have closed", SALES, CALLBACK, "2030-05-13T16:00", Status.SCHEDULED, utc("2030-05-14T12:00")),
        ("New York sleeps", SALES, CALLBACK, "2030-05-13T08:00", Status.SCHEDULED, utc("2030-05-13T12:00")),
        ("never opens", replace(SALES, hours=NEVER), CALLBACK, "2030-05-13T13:00", Status.FAILED, DUE),
        ("ran out", SALES, replace(CALLBACK, expires_at=NOW), "2030-05-13T13:00", Status.EXPIRED, DUE),
        ("window over", SALES, replace(CALLBACK, wanted_until=NOW), "2030-05-13T13:00", Status.EXPIRED, DUE),
    ],
)
def test_another_trunk_keeps_the_hours_and_the_promise(
    what: str, department: Department, ended: Callback, now: str, status: Status, due: datetime
) -> None:
    after = plan(ended, FAILED_OVER, department, (hours(NEW_YORK, "08:00-21:00"),), utc(now), 0.0)
    assert (after.status, after.due_at) == (status, due)
    if status is not Status.SCHEDULED:
        assert (after.prefer_agent, after.failed_trunks) == ("", ())


# --- whatever happens ------------------------------------------------------------------------------------------------

endings = st.builds(
    Ending,
    outcome=st.sampled_from([*Outcome]),
    rang=st.sampled_from([None, True, False]),
    agent=st.just("anna"),
    trunk=st.just("carrier"),
    failover=st.booleans(),
)


@given(
    story=st.lists(st.tuples(endings, st.floats(0, 0.999)), min_size=1, max_size=200),
    cap=st.none() | st.integers(1, 3),
    opening=st.booleans(),
    patience=st.none() | st.integers(1, 60).map(lambda count: count * HOUR),
    until=st.none() | st.integers(1, 200).map(lambda count: NOW + count * HOUR),
)
def test_any_run_of_outcomes_keeps_caps_hours_and_promises(
    story: list[tuple[Ending, float]],
    cap: int | None,
    opening: bool,  # noqa: FBT001  # drawn
    patience: timedelta | None,
    until: datetime | None,
) -> None:
    rule = replace(
        RULE,
        delays=dict.fromkeys(RETRYABLE, ladder(1, 90, opening=opening)),
        max_customer_attempts_a_day=cap,
        jitter=0.2,
    )
    department = replace(SALES, retry=rule, patience=patience)
    windows = (hours(NEW_YORK, "08:00-21:00"), hours(LONDON, "08:00-21:00"))
    current, now = replace(CALLBACK, wanted_until=until), NOW
    decided: dict[date, int] = {}
    for ending, spread in story:
        after = plan(current, ending, department, windows, now, spread)
        if after.customer_attempts > current.customer_attempts:
            _count(decided, now)
        assert max(decided.values(), default=0) <= (cap or RULE.max_customer_attempts)
        assert current.customer_attempts <= after.customer_attempts <= RULE.max_customer_attempts
        assert after.agent_rings <= RULE.max_agent_rings
        if after.status is not Status.SCHEDULED:
            assert (after.due_at, after.expires_at) == (current.due_at, current.expires_at)
            return
        assert after.due_at > now or after.prefer_agent
        assert open_in_all((OFFICE, *windows), after.due_at)
        assert all(end is None or after.due_at < end for end in (after.expires_at, until))
        now = after.due_at
        current = _scheduled(current, after)


def _count(decided: dict[date, int], now: datetime) -> None:
    today = now.astimezone(LONDON).date()
    decided[today] = decided.get(today, 0) + 1


def _scheduled(before: Callback, step: NextStep) -> Callback:
    return replace(
        before,
        due_at=step.due_at,
        customer_attempts=step.customer_attempts,
        agent_rings=step.agent_rings,
        expires_at=step.expires_at,
        day=step.day,
        day_attempts=step.day_attempts,
        failed_trunks=step.failed_trunks,
    )
