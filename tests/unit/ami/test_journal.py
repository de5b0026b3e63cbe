"""The journal's values are read to the letter, and no value can hurt the reader."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami.journal import UNREADABLE, parse, parse_end
from dialer.domain.outcome import EndRecord, JournalStep, Party
from dialer.engine.ports import Unfinished

ENDED = datetime(2026, 3, 1, 12, 0, 5, 250000, tzinfo=UTC)
ANSWERED = datetime(2026, 3, 1, 12, 0, 1, 1000, tzinfo=UTC)
E, A = 1772366405250, 1772366401001


@pytest.mark.parametrize(
    ("value", "record"),
    [
        (
            f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, ANSWERED, "", "ANSWER", 16, Party.AGENT),
        ),
        (
            f"ended|{E}|customer_dialled|{A}|max_duration|ANSWER|16|customer",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, ANSWERED, "max_duration", "ANSWER", 16, Party.CUSTOMER),
        ),
        (f"ended|{E}|||||17|", EndRecord(ENDED, JournalStep.AGENT_RINGING, None, "", "", 17, None)),
        (
            f"ended|{E}|agent_answered||agent_declined|||",
            EndRecord(ENDED, JournalStep.AGENT_ANSWERED, None, "agent_declined", "", 0, None),
        ),
        (
            f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|1",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, ANSWERED, "", "ANSWER", 16, Party.AGENT, rang=True),
        ),
        (
            f"ended|{E}|customer_dialled|||CONGESTION|34||0",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, None, "", "CONGESTION", 34, None, rang=False),
        ),
        (
            f"ended|{E}|customer_dialled|||CHANUNAVAIL|21||0|403",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, None, "", "CHANUNAVAIL", 21, None, rang=False, sip=403),
        ),
        (
            f"ended|{E}|customer_dialled|||NOANSWER|16||1|",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, None, "", "NOANSWER", 16, None, rang=True),
        ),
        (
            f"ended|{E}|agent_answered||refused_closed||16||",
            EndRecord(ENDED, JournalStep.AGENT_ANSWERED, None, "refused_closed", "", 16, None),
        ),
        # As the dialplans before wrote it.
        (
            f"ended|{E}|customer_dialled|||BUSY|17",
            EndRecord(ENDED, JournalStep.CUSTOMER_DIALLED, None, "", "BUSY", 17, None),
        ),
    ],
)
def test_an_end_is_read(value: str, record: EndRecord) -> None:
    assert parse(value) == record
    assert parse_end(value) == record


@pytest.mark.parametrize(
    "value", [f"agent_answered|{E}", f"customer_dialled|{E}", f"answered|{E}", f"agent_left|{E}|{A}"]
)
def test_a_step_without_an_end_is_unfinished(value: str) -> None:
    assert parse(value) == Unfinished(value.partition("|")[0])
    assert parse_end(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "|",
        "ended",
        "answered",
        "answered|",
        "answered|soon",
        "somewhere|1",
        f"ended|{E}|customer_dialled|{A}||ANSWER",
        f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|1|more",
        f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|1|4030",
        f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|1||more",
        f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|yes",
        f"ended|{E}|customer_dialled|{A}||ANSWER|16|agent|01",
        "ended|x|customer_dialled|||BUSY|17|",
        "ended||customer_dialled|||BUSY|17|",
        f"ended|{E}|elsewhere|||BUSY|17|",
        f"ended|{E}|customer_dialled|never||BUSY|17|",
        f"ended|{E}|customer_dialled||why not|BUSY|17|",
        f"ended|{E}|customer_dialled|||B USY|17|",
        f"ended|{E}|customer_dialled|||BUSY|-1|",
        f"ended|{E}|customer_dialled|||BUSY|9999|",
        f"ended|{E}|customer_dialled|||BUSY|17|somebody",
        "ended|" + "9" * 400 + "|||||17|",
        "ended|١٧٧٢|||||17|",
        "\N{REPLACEMENT CHARACTER}" * 20,
    ],
)
def test_a_broken_value_is_evidence_of_something_unreadable(value: str) -> None:
    assert parse(value) == Unfinished(UNREADABLE)
    assert parse_end(value) is None


@given(
    st.text() | st.lists(st.sampled_from(["ended", "answered", str(E), "", "16", "agent", "9" * 14, "x"])).map("|".join)
)
def test_nothing_raises(value: str) -> None:
    assert isinstance(parse(value), EndRecord | Unfinished)
