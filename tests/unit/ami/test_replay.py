"""Recorded sessions with a real Asterisk 22, replayed: whole, from every point on, with events lost and doubled.

The recordings in `tests/replay` are a daemon's own sessions from the banner on, one call each; `answers.ami` holds
replies that calls do not show.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from asterisk.ami.event import Event as OtherEvent
from asterisk.ami.response import Response as OtherResponse
from panoramisk.ami_protocol import AMIProtocol

from dialer.ami import journal
from dialer.ami.codec import Framer, Message
from dialer.ami.tracker import track
from dialer.domain.attempt import Attempt, State, advance
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord, Outcome, Verdict

REPLAY = Path(__file__).parents[2] / "replay"
NOW = datetime(2026, 3, 1, tzinfo=UTC)

# The steps of each call, as told; and the outcome that they come to.
PLACED = ["AgentRinging", "AgentAnswered", "AgentAnswered", "CustomerDialling"]
RUNG = [*PLACED, "CustomerRinging"]
FAILED = [*RUNG, "Ended", "AgentGone"]
STORIES: dict[str, tuple[list[str], Outcome | None]] = {
    "agent-busy": (["Ended", "AgentGone", "OriginateFailed"], Outcome.AGENT_BUSY),
    "agent-hangs-up-while-ringing": (FAILED, Outcome.ABANDONED_BY_AGENT),
    "agent-no-answer": (["AgentRinging", "Ended", "OriginateFailed", "AgentGone"], Outcome.AGENT_NO_ANSWER),
    "agent-unknown": (["OriginateFailed"], None),
    "agent-wrong-key-unfiltered": ([*PLACED[:3], "Ended", "AgentGone"], Outcome.AGENT_DECLINED),
    "bridged-agent-hangs-up": ([*RUNG, "Bridged", "Ended", "AgentGone"], Outcome.CONNECTED),
    "bridged-customer-hangs-up": ([*RUNG, "Bridged", "Ended", "AgentGone"], Outcome.CONNECTED),
    "customer-busy": (FAILED, Outcome.CUSTOMER_BUSY),
    "customer-declined": (FAILED, Outcome.CUSTOMER_DECLINED),
    "customer-no-answer": (FAILED, Outcome.CUSTOMER_NO_ANSWER),
    "customer-unallocated": ([*PLACED, "Ended", "AgentGone"], Outcome.CUSTOMER_UNREACHABLE),
    "transferred": (
        [*RUNG, "Bridged", "AgentGone", "CustomerDialling", "CustomerRinging", "Ended"],
        Outcome.CONNECTED,
    ),
}


def messages(name: str) -> list[Message]:
    framer = Framer()
    framer.receive((REPLAY / f"{name}.ami").read_bytes())
    return list(iter(framer.next_message, None))


def told(name: str) -> list[tuple[AttemptId, Event]]:
    return [seen for message in messages(name) if (seen := track(message)) is not None]


def run(events: list[Event]) -> Attempt:
    attempt = Attempt(
        id=AttemptId("a"),
        callback_id=CallbackId("c"),
        number=1,
        department="sales",
        pbx="pbx",
        pbx_boot="",
        agent="anna",
        trunk="trunk",
        caller_id="+442079460000",
        dialled="+441614960001",
        due_at=NOW,
        ready_at=NOW,
        created_at=NOW,
    )
    for event in events:
        attempt, _ = advance(attempt, event, NOW)
    return attempt


def verdict_of(events: list[Event]) -> Verdict | None:
    return run(events).verdict


@pytest.mark.parametrize("name", STORIES)
def test_a_call_is_told_as_it_went(name: str) -> None:
    steps, outcome = STORIES[name]
    seen = told(name)
    assert [type(event).__name__ for _, event in seen] == steps
    assert len({attempt for attempt, _ in seen}) == 1
    verdict = verdict_of([event for _, event in seen])
    assert (verdict.outcome if verdict else None) is outcome


@pytest.mark.parametrize("name", STORIES)
def test_a_call_seen_from_any_point_on_ends_alike(name: str) -> None:
    events = [event for _, event in told(name)]
    end = next((index for index, event in enumerate(events) if type(event).__name__ == "Ended"), -1)
    for start in range(len(events) + 1):
        assert verdict_of(events[start:]) == (verdict_of(events) if start <= end else None)


@pytest.mark.parametrize("name", STORIES)
def test_lost_and_doubled_events_do_not_change_the_end(name: str) -> None:
    events = [event for _, event in told(name)]
    for index, event in enumerate(events):
        assert verdict_of([*events[:index], event, *events[index:]]) == verdict_of(events)
        lost = verdict_of(events[:index] + events[index + 1 :])
        assert lost == (None if type(event).__name__ == "Ended" else verdict_of(events))


@pytest.mark.parametrize("name", [name for name, (_, outcome) in STORIES.items() if outcome])
def test_the_journal_says_the_very_same_end(name: str) -> None:
    records = [journal.parse(message.get("Val")) for message in messages(name) if message.event == "DBGetResponse"]
    assert len(records) == 1
    assert isinstance(records[0], EndRecord)
    (ended,) = [event for _, event in told(name) if type(event).__name__ == "Ended"]
    assert getattr(ended, "record", None) == records[0]
    assert run([event for _, event in told(name)]).state is State.ENDED


# --- our codec against two others ----------------------------------------------------------------------------------

Plain = dict[str, tuple[str, ...]]

# What the others read otherwise in these recordings, and why. (recording, reader, header): their value.
DIFFERENCES: dict[tuple[str, str, str], tuple[str, ...] | None] = {
    # asterisk-ami keeps the last of an event's doubled headers only.
    ("answers", "asterisk-ami", "twice"): ("two",),
    # Stock panoramisk decodes each read by itself and ignores what is incomplete: letters split across reads vanish.
    ("answers", "panoramisk, byte by byte", "text"): ("Zo: a, b: c ",),
}


class Stock(AMIProtocol):  # type: ignore[misc]  # an untyped base
    """panoramisk as it ships, up to the point where it has a message."""

    def __init__(self) -> None:
        self.connection_made(None)
        self.seen: list[Plain] = []

    def handle_message(self, message: object) -> None:
        values = dict(message.items())  # type: ignore[attr-defined]  # panoramisk's Message is untyped
        self.seen.append(
            {k.lower(): tuple(v) if isinstance(v, list) else (v,) for k, v in values.items() if k != "content"}
        )


def panoramisk(data: bytes, size: int = 1 << 20) -> list[Plain]:
    stock = Stock()
    stock.encoding = "utf8"
    # The banner is glued to the first message: stock panoramisk takes it for one of its lines, without harm.
    for at in range(0, len(data), size):
        stock.data_received(data[at : at + size])
    return stock.seen


def asterisk_ami(data: bytes) -> Iterator[Plain]:
    for pack in data.partition(b"\r\n")[2].decode().split("\r\n\r\n")[:-1]:
        if OtherResponse.match(pack):
            response = OtherResponse.read(pack)
            yield {"response": (response.status,)} | {k.lower(): tuple(v.split("\n")) for k, v in response.keys.items()}
        elif OtherEvent.match(pack):
            event = OtherEvent.read(pack)
            yield {"event": (event.name,)} | {k.lower(): (v,) for k, v in event.keys.items()}


READERS: dict[str, Callable[[bytes], Iterable[Plain]]] = {
    "asterisk-ami": asterisk_ami,
    "panoramisk": panoramisk,
    "panoramisk, byte by byte": partial(panoramisk, size=1),
}


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        *((name, reader) for name in [*STORIES, "answers"] for reader in list(READERS)[:2]),
        ("answers", list(READERS)[2]),
    ],
)
def test_other_readers_agree_but_for_the_listed_differences(name: str, reader: str) -> None:
    ours = [message.headers() for message in messages(name)]
    theirs = list(READERS[reader]((REPLAY / f"{name}.ami").read_bytes()))
    found = {
        (name, reader, header): other.get(header)
        for own, other in zip(ours, theirs, strict=True)
        for header in own.keys() | other.keys()
        if own.get(header) != other.get(header)
    }
    assert found == {key: value for key, value in DIFFERENCES.items() if key[:2] == (name, reader)}
