"""Which events tell of a call that came in and was answered, and which only seem to."""

import pytest

from dialer.ami.codec import Message
from dialer.ami.inbound import CalledIn, Inbound

CONTEXTS = {"from-trunk": "carrier", "menu": "carrier", "from-spare": "spare"}


def state(**changes: str) -> Message:
    """As Asterisk told it of a call that its dialplan had answered."""
    headers = {
        "Event": "Newstate",
        "Channel": "PJSIP/mi-trunk-00000150",
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "CallerIDNum": "+441614960901",
        "CallerIDName": "<unknown>",
        "Context": "from-trunk",
        "Exten": "voice",
        "Uniqueid": "1795579973.336",
        "Linkedid": "1795579973.336",
        **changes,
    }
    return Message({name.lower(): [value] for name, value in headers.items()})


@pytest.mark.parametrize(
    ("changes", "trunk", "number"),
    [
        ({}, "carrier", "+441614960901"),
        ({"Context": "menu"}, "carrier", "+441614960901"),
        ({"Context": "from-spare"}, "spare", "+441614960901"),
        ({"CallerIDNum": "01614960901"}, "carrier", "01614960901"),
        ({"CallerIDNum": "00441614960901"}, "carrier", "00441614960901"),
        ({"CallerIDNum": "9" * 20}, "carrier", "9" * 20),
    ],
)
def test_a_call_that_came_in_and_was_answered(changes: dict[str, str], trunk: str, number: str) -> None:
    assert Inbound(CONTEXTS).read(state(**changes)) == CalledIn(trunk, number)


@pytest.mark.parametrize(
    "changes",
    [
        {"ChannelState": "4", "ChannelStateDesc": "Ring"},
        {"ChannelState": "5"},
        {"ChannelState": ""},
        {"Context": "from-agents"},
        {"Context": ""},
        # Dialled by somebody here: an agent's own call, or one of ours.
        {"Linkedid": "1795579973.335"},
        {"Linkedid": "mi-01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        # No number that could be anybody's.
        {"CallerIDNum": ""},
        {"CallerIDNum": "<unknown>"},
        {"CallerIDNum": "anonymous"},
        {"CallerIDNum": "+"},
        {"CallerIDNum": "+44 161 496 0901"},
        {"CallerIDNum": "44161x"},
        {"CallerIDNum": "٤٤١٦١"},
        {"CallerIDNum": "9" * 21},
        {"CallerIDNum": "+441614960901\n"},
        {"CallerIDNum": "+441614960901, +441614960902"},
    ],
)
def test_what_is_no_such_call(changes: dict[str, str]) -> None:
    assert Inbound(CONTEXTS).read(state(**changes)) is None


def test_each_channel_is_told_once() -> None:
    inbound = Inbound(CONTEXTS)
    assert inbound.read(state())
    assert inbound.read(state()) is None
    assert inbound.read(state(Uniqueid="1795579973.337", Linkedid="1795579973.337"))


def test_what_is_remembered_is_bounded() -> None:
    inbound = Inbound(CONTEXTS)
    assert all(inbound.read(state(Uniqueid=f"1.{each}", Linkedid=f"1.{each}")) for each in range(2000))
    assert inbound.read(state(Uniqueid="1.1999", Linkedid="1.1999")) is None
    assert inbound.read(state(Uniqueid="1.0", Linkedid="1.0")), "long forgotten"


def test_without_contexts_nothing_is_told() -> None:
    inbound = Inbound({})
    assert inbound.contexts == frozenset()
    assert inbound.read(state()) is None


def test_a_callers_number_is_not_shown() -> None:
    assert "+44" not in repr(Inbound(CONTEXTS).read(state()))
