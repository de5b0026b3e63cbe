"""Verdicts: one row for each end that was measured on a real Asterisk, and for each that the dialplan can write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.domain.outcome import (
    Blame,
    EndRecord,
    JournalStep,
    Outcome,
    Party,
    blame_of,
    classify,
    verdict,
)

NOW = datetime(2030, 5, 17, 10, 0, tzinfo=UTC)


def record(step: JournalStep, *, why: str = "", dial_status: str = "", cause: int = 16) -> EndRecord:
    return EndRecord(NOW, step, None, why, dial_status, cause, None)


@pytest.mark.parametrize(
    ("dial_status", "cause", "outcome", "blame"),
    [
        ("BUSY", 17, Outcome.CUSTOMER_BUSY, Blame.CUSTOMER),
        ("BUSY", 0, Outcome.CUSTOMER_BUSY, Blame.CUSTOMER),
        ("NOANSWER", 0, Outcome.CUSTOMER_NO_ANSWER, Blame.CUSTOMER),
        ("NOANSWER", 16, Outcome.CUSTOMER_NO_ANSWER, Blame.CUSTOMER),
        ("NOANSWER", 21, Outcome.CUSTOMER_DECLINED, Blame.CUSTOMER),
        ("NOANSWER", 1, Outcome.CUSTOMER_UNREACHABLE, Blame.CUSTOMER),
        ("NOANSWER", 26, Outcome.CUSTOMER_NO_ANSWER, Blame.CUSTOMER),
        ("CHANUNAVAIL", 21, Outcome.CUSTOMER_DECLINED, Blame.CUSTOMER),
        ("CHANUNAVAIL", 1, Outcome.CUSTOMER_UNREACHABLE, Blame.CUSTOMER),
        ("CHANUNAVAIL", 18, Outcome.CUSTOMER_NO_ANSWER, Blame.CUSTOMER),
        ("CHANUNAVAIL", 20, Outcome.CUSTOMER_UNREACHABLE, Blame.CUSTOMER),
        ("CHANUNAVAIL", 27, Outcome.TRUNK_FAILURE, Blame.CARRIER),
        ("CHANUNAVAIL", 16, Outcome.PBX_FAILURE, Blame.US),
        ("CHANUNAVAIL", 38, Outcome.TRUNK_FAILURE, Blame.CARRIER),
        ("CONGESTION", 34, Outcome.TRUNK_FAILURE, Blame.CARRIER),
        ("CANCEL", 16, Outcome.ABANDONED_BY_AGENT, Blame.AGENT),
        ("", 16, Outcome.ABANDONED_BY_AGENT, Blame.AGENT),
    ],
)
def test_a_customer_leg_that_was_not_answered(dial_status: str, cause: int, outcome: Outcome, blame: Blame) -> None:
    end = classify(record(JournalStep.CUSTOMER_DIALLED, dial_status=dial_status, cause=cause))
    assert (end.outcome, end.blame, end.cause, end.talk) == (outcome, blame, cause, timedelta(0))


@pytest.mark.parametrize(
    ("sip", "rang", "outcome"),
    [
        (403, False, Outcome.TRUNK_FAILURE),
        (401, False, Outcome.TRUNK_FAILURE),
        (407, False, Outcome.TRUNK_FAILURE),
        # A phone that rang: it is its user who declines, whatever word their device has for it.
        (403, True, Outcome.CUSTOMER_DECLINED),
        # Not told that it did not ring is not told that it did not: nobody is rung again for that.
        (403, None, Outcome.CUSTOMER_DECLINED),
        (603, False, Outcome.CUSTOMER_DECLINED),
        (0, False, Outcome.CUSTOMER_DECLINED),
    ],
)
def test_a_carrier_that_bars_us_is_no_customer_who_declines(*, sip: int, rang: bool | None, outcome: Outcome) -> None:
    ended = record(JournalStep.CUSTOMER_DIALLED, dial_status="CHANUNAVAIL", cause=21)
    end = classify(replace(ended, sip=sip, rang=rang))
    assert (end.outcome, end.detail) == (outcome, f"sip_{sip}" if sip else "")


@pytest.mark.parametrize(("rang", "outcome"), [(False, Outcome.TRUNK_FAILURE), (True, Outcome.CUSTOMER_NO_ANSWER)])
def test_a_loop_among_the_carriers_is_no_customer_who_does_not_answer(*, rang: bool, outcome: Outcome) -> None:
    ended = record(JournalStep.CUSTOMER_DIALLED, dial_status="NOANSWER", cause=19)
    assert classify(replace(ended, sip=483, rang=rang)).outcome is outcome


@pytest.mark.parametrize("rang", [False, True])
def test_who_wants_no_such_call_has_declined(*, rang: bool) -> None:
    ended = record(JournalStep.CUSTOMER_DIALLED, dial_status="CHANUNAVAIL", cause=127)
    assert classify(replace(ended, sip=607, rang=rang)).outcome is Outcome.CUSTOMER_DECLINED
    assert classify(replace(ended, sip=608, rang=rang)).outcome is Outcome.TRUNK_FAILURE


@pytest.mark.parametrize(
    ("cause", "rang", "outcome"),
    [
        (16, False, Outcome.TRUNK_FAILURE),
        (17, False, Outcome.CUSTOMER_BUSY),
        (0, False, Outcome.CUSTOMER_BUSY),
        # It rang, and then their phone sent us on: they were tried.
        (16, True, Outcome.CUSTOMER_BUSY),
        (16, None, Outcome.CUSTOMER_BUSY),
    ],
)
def test_a_carrier_that_sends_us_elsewhere_is_no_customer_who_is_busy(
    *, cause: int, rang: bool | None, outcome: Outcome
) -> None:
    ended = record(JournalStep.CUSTOMER_DIALLED, dial_status="BUSY", cause=cause)
    assert classify(replace(ended, rang=rang)).outcome is outcome


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (17, Outcome.AGENT_BUSY),
        (19, Outcome.AGENT_NO_ANSWER),
        (0, Outcome.AGENT_NO_ANSWER),
        (21, Outcome.AGENT_DECLINED),
        (26, Outcome.CANCELLED),
        (20, Outcome.AGENT_UNAVAILABLE),
        (23, Outcome.AGENT_NO_ANSWER),
        (127, Outcome.AGENT_UNAVAILABLE),
    ],
)
def test_an_agent_leg_that_was_not_answered(cause: int, outcome: Outcome) -> None:
    assert classify(record(JournalStep.AGENT_RINGING, cause=cause)).outcome is outcome


def test_an_agent_whose_call_a_colleague_picked_up_did_not_answer() -> None:
    end = classify(record(JournalStep.AGENT_RINGING, why="picked_up", cause=26))
    assert (end.outcome, end.blame, end.detail) == (Outcome.AGENT_NO_ANSWER, Blame.AGENT, "picked_up")


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("", Outcome.AGENT_DECLINED),
        ("agent_declined", Outcome.AGENT_DECLINED),
        ("agent_silent", Outcome.AGENT_NO_ANSWER),
        ("refused_revoked", Outcome.CANCELLED),
        ("refused_unjournalled", Outcome.PBX_FAILURE),
    ],
)
def test_an_agent_who_answered_and_did_not_accept(why: str, outcome: Outcome) -> None:
    end = classify(record(JournalStep.AGENT_ANSWERED, why=why))
    assert (end.outcome, end.detail) == (outcome, why)


@pytest.mark.parametrize("step", [JournalStep.AGENT_RINGING, JournalStep.CUSTOMER_DIALLED])
@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("refused_again", Outcome.CANCELLED),
        ("refused_revoked", Outcome.CANCELLED),
        ("refused_late", Outcome.PBX_FAILURE),
        ("refused_setup", Outcome.PBX_FAILURE),
        ("a word of a later dialplan", Outcome.PBX_FAILURE),
    ],
)
def test_what_the_dialplan_refused(step: JournalStep, why: str, outcome: Outcome) -> None:
    assert classify(record(step, why=why)).outcome is outcome


@pytest.mark.parametrize("step", JournalStep)
def test_an_answer_is_a_connection_whatever_else_the_record_says(step: JournalStep) -> None:
    end = classify(
        EndRecord(NOW, step, NOW - timedelta(seconds=4), "max_duration", "CONGESTION", 34, Party.AGENT),
    )
    assert (end.outcome, end.blame) == (Outcome.CONNECTED, Blame.NOBODY)
    assert (end.talk, end.hung_up_by, end.detail) == (timedelta(seconds=4), Party.AGENT, "max_duration")


def test_an_answer_that_was_over_before_it_was_noted_is_a_connection_without_talk() -> None:
    end = classify(record(JournalStep.CUSTOMER_DIALLED, dial_status="ANSWER"))
    assert (end.outcome, end.blame, end.talk, end.hung_up_by) == (Outcome.CONNECTED, Blame.NOBODY, timedelta(0), None)


def test_a_clock_that_stepped_back_gives_no_negative_talk_time() -> None:
    end = classify(EndRecord(NOW, JournalStep.CUSTOMER_DIALLED, NOW + timedelta(hours=1), "", "ANSWER", 16, None))
    assert (end.outcome, end.talk) == (Outcome.CONNECTED, timedelta(0))


@pytest.mark.parametrize(
    ("outcome", "blame"),
    [
        (Outcome.CONNECTED, Blame.NOBODY),
        (Outcome.CUSTOMER_BUSY, Blame.CUSTOMER),
        (Outcome.CUSTOMER_NO_ANSWER, Blame.CUSTOMER),
        (Outcome.CUSTOMER_DECLINED, Blame.CUSTOMER),
        (Outcome.CUSTOMER_UNREACHABLE, Blame.CUSTOMER),
        (Outcome.AGENT_BUSY, Blame.AGENT),
        (Outcome.AGENT_NO_ANSWER, Blame.AGENT),
        (Outcome.AGENT_DECLINED, Blame.AGENT),
        (Outcome.AGENT_UNAVAILABLE, Blame.AGENT),
        (Outcome.ABANDONED_BY_AGENT, Blame.AGENT),
        (Outcome.TRUNK_FAILURE, Blame.CARRIER),
        (Outcome.PBX_FAILURE, Blame.US),
        (Outcome.NOT_PLACED, Blame.US),
        (Outcome.CANCELLED, Blame.NOBODY),
        (Outcome.IN_DOUBT, Blame.UNKNOWN),
    ],
)
def test_blame(outcome: Outcome, blame: Blame) -> None:
    assert blame_of(outcome) is blame
    assert verdict(outcome, "why", 16).blame is blame


def test_the_list_of_outcomes_is_closed() -> None:
    assert len(Outcome) == 15
