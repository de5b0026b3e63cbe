"""The state machine: each transition, and any order of events."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain import events as ev
from dialer.domain.attempt import TRANSITIONS, Attempt, State, Step, _line, _verdict, advance, amend
from dialer.domain.commands import Finish, Look
from dialer.domain.outcome import Blame, EndRecord, JournalStep, Outcome, Party, classify
from tests.unit import plain

NOW = datetime(2030, 5, 17, 10, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(seconds=30)

ANSWERED = EndRecord(
    ended_at=NOW - timedelta(seconds=1),
    step=JournalStep.CUSTOMER_DIALLED,
    answered_at=EARLIER,
    why="",
    dial_status="ANSWER",
    cause=16,
    hung_up_by=Party.CUSTOMER,
)

EVENTS: tuple[ev.Event, ...] = (
    ev.Sent(),
    ev.Unsent("the link was down"),
    ev.Refused("Extension does not exist"),
    ev.AgentRinging(),
    ev.AgentAnswered(),
    ev.CustomerDialling(),
    ev.CustomerRinging(),
    ev.Bridged(),
    ev.OriginateFailed(5),
    ev.AgentGone(16),
    ev.HandedOver(),
    ev.NoTrace(),
    ev.Released("revoked"),
    ev.Ended(ANSWERED),
    ev.Lost("nobody watched"),
)

LIVING = [state for state in State if state is not State.ENDED]
PROGRESS = {
    ev.AgentRinging: State.AGENT_RINGING,
    ev.AgentAnswered: State.AGENT_ANSWERED,
    ev.CustomerDialling: State.CUSTOMER_DIALLING,
    ev.CustomerRinging: State.CUSTOMER_RINGING,
    ev.Bridged: State.BRIDGED,
}


def attempt(state: State = State.ORIGINATING) -> Attempt:
    return plain.attempt(NOW, state=state)


def test_the_samples_hold_one_of_each_event() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(ev.Event))


def test_the_table_has_a_row_for_each_state() -> None:
    assert set(TRANSITIONS) == set(State)


def test_a_call_that_goes_well_is_told_step_by_step() -> None:
    call = attempt()
    story: tuple[ev.Event, ...] = (
        ev.Sent(),
        ev.AgentRinging(),
        ev.AgentAnswered(),
        ev.CustomerDialling(),
        ev.CustomerRinging(),
        ev.Bridged(),
    )
    for event in story:
        call, commands = advance(call, event, NOW)
        assert commands == ()
    assert call.state is State.BRIDGED
    call, commands = advance(call, ev.Ended(ANSWERED), NOW)
    assert [step.name for step in call.timeline] == [
        "originate_sent",
        "agent_ringing",
        "agent_answered",
        "customer_dialling",
        "customer_ringing",
        "bridged",
        "ended",
    ]
    assert call.timeline[-1] == Step("ended", NOW, "ANSWER, cause 16")
    assert call.state is State.ENDED
    assert call.ended_at == ANSWERED.ended_at
    assert call.verdict is not None
    assert call.verdict.outcome is Outcome.CONNECTED
    assert call.verdict.talk == timedelta(seconds=29)
    assert call.verdict.hung_up_by is Party.CUSTOMER
    assert commands == (Finish(call.verdict),)


@pytest.mark.parametrize("state", LIVING)
@pytest.mark.parametrize(("kind", "target"), PROGRESS.items())
def test_progress_goes_forward_only(state: State, kind: Callable[[], ev.Event], target: State) -> None:
    order = list(State)
    before = attempt(state)
    after, commands = advance(before, kind(), NOW)
    assert commands == ()
    if order.index(target) > order.index(state):
        assert after.state is target
    else:
        assert after is before


@pytest.mark.parametrize("state", LIVING)
@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ev.OriginateFailed(5), Step("originate_failed", NOW, "reason 5")),
        (ev.AgentGone(17), Step("agent_gone", NOW, "cause 17")),
    ],
)
def test_a_doubt_ends_nothing_and_asks_to_look(state: State, event: ev.Event, line: Step) -> None:
    after, commands = advance(attempt(state), event, NOW)
    assert after.state is state
    assert after.timeline == (line,)
    assert commands == (Look(line.name),)


@pytest.mark.parametrize("state", LIVING)
def test_the_recorded_end_and_the_loss_end_every_living_state(state: State) -> None:
    ended, _ = advance(attempt(state), ev.Ended(ANSWERED), NOW)
    assert (ended.state, ended.ended_at) == (State.ENDED, ANSWERED.ended_at)
    lost, _ = advance(attempt(state), ev.Lost("nobody watched"), NOW)
    assert (lost.state, lost.ended_at) == (State.ENDED, NOW)
    assert lost.verdict is not None
    assert (lost.verdict.outcome, lost.verdict.blame) == (Outcome.IN_DOUBT, Blame.UNKNOWN)
    assert lost.verdict.detail == "nobody watched"


@pytest.mark.parametrize(
    ("event", "outcome", "detail"),
    [
        (ev.Unsent("the link was down"), Outcome.NOT_PLACED, "the link was down"),
        (ev.Refused("no such extension"), Outcome.PBX_FAILURE, "no such extension"),
        (ev.NoTrace(), Outcome.AGENT_UNAVAILABLE, "the agent's phone is not registered or not known to the PBX"),
    ],
)
def test_what_never_made_a_channel_ends_only_before_the_agent_rang(
    event: ev.Event, outcome: Outcome, detail: str
) -> None:
    ended, _ = advance(attempt(), event, NOW)
    assert ended.verdict is not None
    assert (ended.verdict.outcome, ended.verdict.detail) == (outcome, detail)
    for state in LIVING[1:]:
        before = attempt(state)
        assert advance(before, event, NOW) == (before, ())


def test_an_end_without_a_dial_says_why_it_came() -> None:
    silent = replace(ANSWERED, step=JournalStep.AGENT_ANSWERED, answered_at=None, dial_status="", why="agent_silent")
    bare = replace(silent, step=JournalStep.AGENT_RINGING, why="", cause=17)
    assert advance(attempt(), ev.Ended(silent), NOW)[0].timeline[-1].detail == "agent_silent, cause 16"
    assert advance(attempt(), ev.Ended(bare), NOW)[0].timeline[-1].detail == "no dial, cause 17"


@pytest.mark.parametrize("state", State)
def test_a_hand_over_is_noted_only_while_they_talk(state: State) -> None:
    after, commands = advance(attempt(state), ev.HandedOver(), NOW)
    assert commands == ()
    assert [step.name for step in after.timeline] == (["handed_over"] if state is State.BRIDGED else [])


@pytest.mark.parametrize("state", LIVING)
def test_only_an_attempt_that_did_not_dial_its_customer_is_released(state: State) -> None:
    after, commands = advance(attempt(state), ev.Released("revoked"), NOW)
    if state in {State.ORIGINATING, State.AGENT_RINGING, State.AGENT_ANSWERED}:
        assert after.verdict is not None
        assert (after.verdict.outcome, after.verdict.detail) == (Outcome.NOT_PLACED, "revoked")
        assert commands == (Finish(after.verdict),)
    else:
        assert (after, commands) == (attempt(state), ())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_ended_attempt_absorbs_everything(event: ev.Event) -> None:
    before = attempt(State.ENDED)
    assert advance(before, event, NOW) == (before, ())


def test_an_event_that_ends_nothing_has_no_verdict() -> None:
    with pytest.raises(AssertionError, match="Sent does not end an attempt"):
        _verdict(ev.Sent())


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_any_order_of_events_gives_a_legal_history(story: list[ev.Event]) -> None:
    order = list(State)
    call, finishes = attempt(), 0
    for second, event in enumerate(story):
        after, commands = advance(call, event, NOW + timedelta(seconds=second))
        assert order.index(after.state) >= order.index(call.state)
        assert after.timeline[: len(call.timeline)] == call.timeline
        target = TRANSITIONS[call.state].get(type(event))
        name = _line(event)[0]
        doubled = target is call.state and any(step.name == name for step in call.timeline)
        assert (after is call) == (target is None or doubled)
        assert len(after.timeline) - len(call.timeline) == (after is not call)
        finishes += sum(isinstance(command, Finish) for command in commands)
        assert finishes == (after.state is State.ENDED)
        assert (after.verdict is None) == (after.ended_at is None) == (after.state is not State.ENDED)
        call = after


def test_no_personal_data_shows_in_a_repr() -> None:
    assert "441614960001" not in repr(attempt())


def test_an_attempt_in_doubt_is_amended_by_the_record_of_its_end() -> None:
    lost, _ = advance(attempt(State.BRIDGED), ev.Lost("nobody saw it"), NOW)
    found = amend(lost, ANSWERED, NOW)
    assert found.verdict == classify(ANSWERED)
    assert (found.state, found.ended_at) == (State.ENDED, ANSWERED.ended_at)
    assert [step.name for step in found.timeline][-2:] == ["lost", "amended"]
