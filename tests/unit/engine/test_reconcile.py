"""What the traces of an attempt mean: every combination of state, living legs, journal and what else we know."""

from datetime import UTC, datetime

import pytest

from dialer.domain.attempt import Attempt, State
from dialer.domain.events import (
    AgentAnswered,
    Bridged,
    CustomerDialling,
    Ended,
    Event,
    HandedOver,
    Lost,
    NoTrace,
    Released,
)
from dialer.domain.outcome import EndRecord, JournalStep
from dialer.engine.ports import Traces, Unfinished
from dialer.engine.reconcile import Knowledge, Verdictless, judge
from tests.unit import plain

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RECORD = EndRecord(NOW, JournalStep.CUSTOMER_DIALLED, None, "", "BUSY", 17, None)
ANSWERED, DIALLED = Unfinished("agent_answered"), Unfinished("customer_dialled")
UP, LEFT, STRANGE = Unfinished("answered"), Unfinished("agent_left"), Unfinished("?")
LIVES, UNPROVEN = Verdictless.LIVES, Verdictless.UNPROVEN
WATCHED, GAP, BARRED = Knowledge
SAME, OTHER = "2026-03-01 08:00:00", "2026-03-01 08:59:00"


HERE, ELSEWHERE = "01HZXW0000000000000000000D", "01HZXW0000000000000000000E"


def attempt(state: State, identity: str = HERE) -> Attempt:
    return plain.attempt(NOW, pbx_boot=SAME, state=state, pbx_identity=identity)


# state, agent alive, customer alive, journal, what we know, present boot → what it means
Row = tuple[State, bool, bool, EndRecord | Unfinished | None, Knowledge, str, type[Event] | Verdictless]
ROWS: list[Row] = [
    # A recorded end settles it, whatever else is seen.
    (State.ORIGINATING, False, False, RECORD, WATCHED, SAME, Ended),
    (State.BRIDGED, False, False, RECORD, GAP, OTHER, Ended),
    (State.AGENT_RINGING, True, False, RECORD, BARRED, SAME, Ended),
    # What lives goes on, from where the journal says that it stands.
    (State.ORIGINATING, True, False, None, WATCHED, SAME, LIVES),
    (State.ORIGINATING, True, False, None, GAP, SAME, LIVES),
    (State.AGENT_RINGING, True, False, None, BARRED, SAME, LIVES),
    (State.ORIGINATING, True, False, ANSWERED, GAP, SAME, AgentAnswered),
    (State.ORIGINATING, True, True, DIALLED, GAP, SAME, CustomerDialling),
    (State.AGENT_RINGING, True, True, UP, GAP, SAME, Bridged),
    (State.AGENT_RINGING, False, True, LEFT, GAP, SAME, Bridged),
    (State.AGENT_RINGING, True, True, STRANGE, GAP, SAME, LIVES),
    (State.CUSTOMER_RINGING, False, True, DIALLED, WATCHED, SAME, CustomerDialling),
    # The agent left and the customer talks on: a transfer.
    (State.BRIDGED, False, True, LEFT, WATCHED, SAME, HandedOver),
    (State.BRIDGED, False, True, UP, WATCHED, SAME, HandedOver),
    (State.BRIDGED, False, True, LEFT, GAP, SAME, Bridged),
    # Begun and cut off: nobody saw the end.
    (State.AGENT_ANSWERED, False, False, ANSWERED, WATCHED, SAME, Lost),
    (State.BRIDGED, False, False, UP, GAP, OTHER, Lost),
    (State.ORIGINATING, False, False, DIALLED, BARRED, SAME, Lost),
    # Nothing at all, when there must be something.
    (State.CUSTOMER_DIALLING, False, False, None, BARRED, SAME, Lost),
    (State.CUSTOMER_RINGING, False, False, None, GAP, OTHER, Lost),
    (State.BRIDGED, False, False, None, WATCHED, SAME, Lost),
    (State.AGENT_ANSWERED, False, False, None, BARRED, SAME, Lost),
    # Nothing at all after a restart of Asterisk: the customer's leg comes only after the flush.
    (State.ORIGINATING, False, False, None, GAP, OTHER, Released),
    (State.AGENT_RINGING, False, False, None, GAP, OTHER, Released),
    (State.AGENT_ANSWERED, False, False, None, GAP, OTHER, Released),
    # Nothing at all: proves something when we watched and were told of a failure, or after the revocation.
    (State.ORIGINATING, False, False, None, WATCHED, SAME, NoTrace),
    (State.AGENT_RINGING, False, False, None, WATCHED, SAME, UNPROVEN),
    (State.ORIGINATING, False, False, None, GAP, SAME, UNPROVEN),
    (State.AGENT_RINGING, False, False, None, GAP, SAME, UNPROVEN),
    (State.ORIGINATING, False, False, None, BARRED, SAME, Released),
    (State.AGENT_RINGING, False, False, None, BARRED, SAME, Released),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_traces_mean(row: Row) -> None:
    state, agent, customer, journal, knowledge, boot, expected = row
    found = judge(attempt(state), Traces(agent, customer, journal, HERE), knowledge, boot)
    assert expected in {found, type(found)}
    if isinstance(found, Ended):
        assert found.record is RECORD
    if isinstance(found, Lost | Released):
        assert found.reason


def test_nothing_found_never_releases_a_customer_who_was_dialled() -> None:
    for state in (State.CUSTOMER_DIALLING, State.CUSTOMER_RINGING, State.BRIDGED):
        for knowledge in Knowledge:
            for boot in (SAME, OTHER):
                assert isinstance(judge(attempt(state), Traces(False, False, None, HERE), knowledge, boot), Lost)


@pytest.mark.parametrize("state", [State.ORIGINATING, State.AGENT_RINGING, State.AGENT_ANSWERED])
@pytest.mark.parametrize("knowledge", Knowledge)
@pytest.mark.parametrize("boot", [SAME, OTHER])
@pytest.mark.parametrize("identity", ["", ELSEWHERE])
def test_nothing_found_in_another_database_proves_nothing(
    state: State, knowledge: Knowledge, boot: str, identity: str
) -> None:
    assert isinstance(judge(attempt(state), Traces(False, False, None, identity), knowledge, boot), Lost)


def test_an_attempt_of_a_time_without_identities_is_judged_by_the_rest() -> None:
    found = judge(attempt(State.ORIGINATING, ""), Traces(False, False, None, HERE), BARRED, SAME)
    assert isinstance(found, Released)


def test_what_lives_or_ended_needs_no_database_of_ours() -> None:
    assert judge(attempt(State.BRIDGED), Traces(True, True, None, ELSEWHERE), GAP, SAME) is LIVES
    assert judge(attempt(State.BRIDGED), Traces(False, False, RECORD, ELSEWHERE), GAP, SAME) == Ended(RECORD)
