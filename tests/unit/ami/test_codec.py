"""The framer gives the same messages however the bytes are cut; the encoder lets nothing through that ends a line."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ami.codec import MAX_HEADERS, MAX_LINE, MAX_MESSAGE, Framer, Message, Unsendable, encode
from dialer.domain.errors import NeverSent, ProtocolViolation

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
STREAM = (
    BANNER
    + "Response: Success\r\nActionID: mi-1\r\nMessage: Zoë 🎉\r\n\r\n".encode()
    + b"Event: VarSet\r\nVariable: A\r\nValue: skipped\r\n\r\n"
    + b"\r\nEvent: Hangup\r\nUniqueid: mi-2\r\nChanVariable: a=1\r\nCause: 16\r\nChanVariable: b: 2\r\n\r\n"
    + b"\r\n\r\nResponse: Follows\r\nOutput: one: 1\r\nOutput: \r\nOutput:two\r\nno colon here\r\n\r\n"
    + b"Event: Hangup\r\nUniqueid: \xff\xfe\r\nEvent: Again\r\n\r\nEvent: Unfinished\r\n"
)
EXPECTED = [
    {"response": ("Success",), "actionid": ("mi-1",), "message": ("Zoë 🎉",)},
    {"event": ("Hangup",), "uniqueid": ("mi-2",), "chanvariable": ("a=1", "b: 2"), "cause": ("16",)},
    {"response": ("Follows",), "output": ("one: 1", "", "two"), "": ("no colon here",)},
    {"event": ("Hangup", "Again"), "uniqueid": ("\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}",)},
]


def read(framer: Framer, *chunks: bytes) -> list[Message]:
    messages = []
    for chunk in chunks:
        framer.receive(chunk)
        while (message := framer.next_message()) is not None:
            messages.append(message)
    return messages


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_same_messages_at_every_split(cut: int) -> None:
    framer = Framer({"Hangup"})
    assert [m.headers() for m in read(framer, STREAM[:cut], STREAM[cut:])] == EXPECTED
    assert framer.version == "11.0.0"


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_same_messages_whatever_the_chunks(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(bounds)]
    assert [m.headers() for m in read(Framer({"Hangup"}), *chunks)] == EXPECTED


def test_byte_by_byte() -> None:
    assert [m.headers() for m in read(Framer({"Hangup"}), *(bytes([byte]) for byte in STREAM))] == EXPECTED


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_framed_alike_or_refused_alike(noise: bytes, cut: int) -> None:
    data = BANNER + noise + b"\r\n\r\n"
    whole, parts = read(Framer(), data), read(Framer(), data[:cut], data[cut:])
    assert [m.headers() for m in whole] == [m.headers() for m in parts]


@given(st.lists(st.tuples(st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True), st.text(max_size=80)), max_size=20))
def test_what_is_encoded_is_read_back(headers: list[tuple[str, str]]) -> None:
    try:
        data = encode([("Action", "Test"), *headers])
    except Unsendable:
        return
    (message,) = read(Framer(), BANNER, data)
    expected: dict[str, list[str]] = {"action": ["Test"]}
    for name, value in headers:
        expected.setdefault(name.lower(), []).append(value)
    assert message.headers() == {name: tuple(values) for name, values in expected.items()}


def test_a_message_is_read_in_any_case() -> None:
    response, hangup, output, doubled = read(Framer({"Hangup"}), STREAM)
    assert (response.response, response.event, response.action_id) == ("Success", "", "mi-1")
    assert (hangup.event, hangup.get("CAUSE"), hangup.get("None", "-")) == ("Hangup", "16", "-")
    assert hangup.get("ChanVariable") == "a=1"
    assert output.getall("Output") == ("one: 1", "", "two")
    assert output.getall("nothing") == ()
    assert doubled.event == "Hangup"


def test_a_message_shows_no_values() -> None:
    response = read(Framer(), STREAM)[0]
    assert repr(response) == "<Message of 3 headers>"


def test_everything_is_wanted_without_a_choice() -> None:
    assert [m.event for m in read(Framer(), STREAM)] == ["", "VarSet", "Hangup", "", "Hangup"]


def test_an_unwanted_event_of_one_line_is_skipped() -> None:
    assert read(Framer({"Hangup"}), BANNER, b"Event: VarSet\r\n\r\n") == []


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0", b"SSH-2.0-x\r\n", b"asterisk call manager/1\r\n", b"Asterisk Call Mx"],
)
def test_another_service_is_no_manager(garbage: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        read(Framer(), garbage)


def test_a_banner_without_end_is_refused() -> None:
    with pytest.raises(ProtocolViolation):
        read(Framer(), BANNER[:-2], *([b"9"] * 300))


def test_a_banner_without_version_is_a_banner() -> None:
    framer = Framer()
    assert len(read(framer, b"Asterisk Call Manager/\r\nResponse: Success\r\n\r\n")) == 1
    assert framer.version == "unknown"


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
@pytest.mark.parametrize("chunk", [1 << 16, MAX_MESSAGE * 2])
def test_a_message_without_end_is_refused_and_stays_refused(end: bytes, chunk: int) -> None:
    data = b"Event: X\r\nA: " + b"a" * MAX_MESSAGE + end
    framer = Framer()
    with pytest.raises(ProtocolViolation):
        read(framer, BANNER, *(data[at : at + chunk] for at in range(0, len(data), chunk)))
    with pytest.raises(ProtocolViolation):
        framer.next_message()


def test_a_message_of_the_greatest_size_passes() -> None:
    head = b"Event: X\r\nA: "
    assert len(read(Framer(), BANNER, head + b"a" * (MAX_MESSAGE - len(head)) + b"\r\n\r\n")) == 1


@pytest.mark.parametrize(
    "bad", ["a\rb", "a\nb", "a\r\nAction: Command", "a\0b", "\r", "lone \ud83d surrogate", "é" * 600]
)
def test_a_value_that_the_line_cannot_hold_is_refused_unquoted(bad: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        encode([("Action", "Originate"), ("Variable", bad)])
    assert isinstance(refusal.value, NeverSent)
    assert bad not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("name", ["", "A:B", "A B", "A\r\nB", "Ä", "A\0"])
def test_a_name_that_is_no_word_is_refused(name: str) -> None:
    with pytest.raises(Unsendable):
        encode([(name, "x")])


def test_the_longest_line_and_the_most_headers_pass() -> None:
    longest = "x" * (MAX_LINE - len("Name: \r\n"))
    data = encode([("Name", longest)] * MAX_HEADERS)
    assert data.endswith(b"\r\n\r\n")
    assert max(map(len, data.split(b"\r\n"))) == MAX_LINE - 2
    with pytest.raises(Unsendable):
        encode([("Name", longest + "x")])
    with pytest.raises(Unsendable):
        encode([("Name", "x")] * (MAX_HEADERS + 1))
