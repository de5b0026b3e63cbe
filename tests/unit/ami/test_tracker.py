"""One line per event that tells something of a call of ours, and one per event that only seems to."""

from datetime import UTC, datetime

import pytest

from dialer.ami.codec import Message
from dialer.ami.tracker import TRACKED, track
from dialer.domain import events as ev
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import EndRecord, JournalStep, Party

ATTEMPT = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
OTHER = AttemptId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
OURS = f"mi-{ATTEMPT}"
AGENT = {"DestUniqueid": OURS, "DestLinkedid": OURS}
CUSTOMER = {"Uniqueid": OURS, "Linkedid": OURS, "DestUniqueid": "1795319377.3", "DestLinkedid": OURS}
FOREIGN = {"Uniqueid": "1.1", "Linkedid": "1.1", "DestUniqueid": "1.2", "DestLinkedid": "1.1"}
ASKED = f"mi-01BX5ZZKBKACTAV9WEVGEMMVRZ-17-{ATTEMPT}"
RECORD = "ended|1772366405250|customer_dialled|1772366401000||ANSWER|16|customer"
END = EndRecord(
    datetime(2026, 3, 1, 12, 0, 5, 250000, tzinfo=UTC),
    JournalStep.CUSTOMER_DIALLED,
    datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
    "",
    "ANSWER",
    16,
    Party.CUSTOMER,
)


def message(event: str, *parts: dict[str, str], **headers: str) -> Message:
    merged: dict[str, str] = {"event": event}
    for part in (*parts, headers):
        merged |= {name.lower(): value for name, value in part.items()}
    return Message({name: [value] for name, value in merged.items()})


TELLING = [
    (message("DialState", AGENT, DialStatus="RINGING"), ev.AgentRinging()),
    (message("DialEnd", AGENT, DialStatus="ANSWER"), ev.AgentAnswered()),
    (message("OriginateResponse", ActionID=ASKED, Response="Success", Reason="4"), ev.AgentAnswered()),
    (message("OriginateResponse", ActionID=ASKED, Response="Failure", Reason="3"), ev.OriginateFailed(3)),
    (message("OriginateResponse", ActionID=ASKED, Response="Failure", Reason="soon"), ev.OriginateFailed(0)),
    (message("DialBegin", CUSTOMER), ev.CustomerDialling()),
    (message("DialState", CUSTOMER, DialStatus="RINGING"), ev.CustomerRinging()),
    (message("BridgeEnter", Uniqueid=OURS, Linkedid=OURS), ev.Bridged()),
    (message("UserEvent", UserEvent="MiEnd", Attempt=OURS, Record=RECORD), ev.Ended(END)),
    (message("Hangup", Uniqueid=OURS, Linkedid=OURS, Cause="17"), ev.AgentGone(17)),
    (message("Hangup", Uniqueid=OURS, Linkedid=OURS, Cause=""), ev.AgentGone(0)),
    (message("Hangup", Uniqueid=OURS, Linkedid=OURS, Cause="9" * 5000), ev.AgentGone(0)),
]


@pytest.mark.parametrize(("seen", "event"), TELLING, ids=[type(event).__name__ for _, event in TELLING])
def test_what_is_told_of_our_calls(seen: Message, event: ev.Event) -> None:
    assert track(seen) == (ATTEMPT, event)


SILENT = {
    "a response": message(""),
    "an unknown event": message("VarSet", Uniqueid=OURS),
    "the agent's own DialBegin": message("DialBegin", AGENT),
    "a progress that is not ringing": message("DialState", CUSTOMER, DialStatus="PROGRESS"),
    "an agent who did not answer": message("DialEnd", AGENT, DialStatus="BUSY"),
    "a customer's end of dialling": message("DialEnd", CUSTOMER, DialStatus="ANSWER"),
    "the customer's own way into the bridge": message("BridgeEnter", Uniqueid="1.2", Linkedid=OURS),
    "somebody else's OriginateResponse": message("OriginateResponse", ActionID="7", Uniqueid=OURS, Response="Failure"),
    "the customer's hang-up": message("Hangup", Uniqueid="1.2", Linkedid=OURS, Cause="17"),
    "another user event": message("UserEvent", UserEvent="MiRefused", Attempt=OURS, Record=RECORD),
    "an end of nobody": message("UserEvent", UserEvent="MiEnd", Attempt="x", Record=RECORD),
    "an end that cannot be read": message("UserEvent", UserEvent="MiEnd", Attempt=OURS, Record="ended|soon"),
    **{f"a foreign call's {name}": message(name, FOREIGN, DialStatus="RINGING") for name in sorted(TRACKED)},
}


@pytest.mark.parametrize("seen", SILENT.values(), ids=SILENT)
def test_what_tells_nothing(seen: Message) -> None:
    assert track(seen) is None


def test_a_refused_twin_is_known_by_its_action_and_not_by_its_channel() -> None:
    asked = ASKED.replace(ATTEMPT, OTHER)
    twin = message("OriginateResponse", ActionID=asked, Uniqueid=OURS, Response="Failure", Reason="0")
    assert track(twin) == (OTHER, ev.OriginateFailed(0))
