"""Recorded sessions with a real Asterisk 22, replayed: whole, and as they may reach a daemon that misses, doubles or
reorders what it is told.

The recordings in `tests/replay` are a daemon's own sessions from the banner on, one call each (`record.py` makes them);
`answers.ami` holds replies that calls do not show.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import pytest
from asterisk.ami.event import Event as OtherEvent
from asterisk.ami.response import Response as OtherResponse
from panoramisk.ami_protocol import AMIProtocol

from dialer.ami import journal
from dialer.ami.codec import Framer, Message
from dialer.ami.inbound import CalledIn, Inbound
from dialer.ami.tracker import track
from dialer.domain.attempt import Attempt, State, advance
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId, attempt_of
from dialer.domain.outcome import EndRecord, Outcome, Verdict, classify
from dialer.engine.ports import Unfinished
from tests.replay.record import CALLED_IN, CALLERS
from tests.unit import plain
from tests.unit.ami.mutations import BOOT, NOW, Daemon, Story, Timing, mutations, timings

REPLAY = Path(__file__).parents[2] / "replay"

# The steps of each call, as told; and the outcome that they come to.
ANSWERED = ["AgentRinging", "AgentAnswered", "AgentAnswered"]
PLACED = [*ANSWERED, "CustomerDialling"]
RUNG = [*PLACED, "CustomerRinging"]
TALKED = [*RUNG, "Bridged"]
GONE = ["Ended", "AgentGone"]
LEFT = ["AgentGone", "Ended"]
STORIES: dict[str, tuple[list[str], Outcome | None]] = {
    "agent-accepts-by-answering": ([*TALKED, *GONE], Outcome.CONNECTED),
    "agent-busy": ([*GONE, "OriginateFailed"], Outcome.AGENT_BUSY),
    "agent-declined": (["AgentRinging", *GONE, "OriginateFailed"], Outcome.AGENT_DECLINED),
    "agent-hangs-up-in-the-whisper": ([*ANSWERED, *GONE], Outcome.AGENT_DECLINED),
    "agent-hangs-up-while-ringing": ([*RUNG, *GONE], Outcome.ABANDONED_BY_AGENT),
    "agent-no-answer": (["AgentRinging", "Ended", "OriginateFailed", "AgentGone"], Outcome.AGENT_NO_ANSWER),
    "agent-silent": ([*ANSWERED, *GONE], Outcome.AGENT_NO_ANSWER),
    "agent-unknown": (["OriginateFailed"], None),
    "agent-wrong-key": ([*ANSWERED, *GONE], Outcome.AGENT_DECLINED),
    "agent-wrong-key-unfiltered": ([*ANSWERED, *GONE], Outcome.AGENT_DECLINED),
    "bridged-agent-hangs-up": ([*TALKED, *GONE], Outcome.CONNECTED),
    "bridged-customer-hangs-up": ([*TALKED, *LEFT], Outcome.CONNECTED),
    "customer-answers-at-once": ([*PLACED, "Bridged", *GONE], Outcome.CONNECTED),
    "customer-busy": ([*RUNG, *GONE], Outcome.CUSTOMER_BUSY),
    "closed": ([*ANSWERED, *GONE], Outcome.CANCELLED),
    "customer-congestion": ([*PLACED, *GONE], Outcome.TRUNK_FAILURE),
    "customer-congestion-after-ringing": ([*RUNG, *GONE], Outcome.TRUNK_FAILURE),
    "customer-declined": ([*RUNG, *GONE], Outcome.CUSTOMER_DECLINED),
    "customer-early-media": ([*PLACED, "Bridged", *GONE], Outcome.CONNECTED),
    "customer-early-media-no-answer": ([*PLACED, *GONE], Outcome.CUSTOMER_NO_ANSWER),
    "customer-no-answer": ([*RUNG, *GONE], Outcome.CUSTOMER_NO_ANSWER),
    "customer-unallocated": ([*PLACED, *GONE], Outcome.CUSTOMER_UNREACHABLE),
    "hung-up-while-the-agent-rings": (["AgentRinging", "Ended", "OriginateFailed", "AgentGone"], Outcome.CANCELLED),
    "hung-up-while-the-customer-rings": ([*RUNG, *GONE], Outcome.ABANDONED_BY_AGENT),
    "hung-up-while-they-talk": ([*TALKED, *GONE], Outcome.CONNECTED),
    "late": ([*ANSWERED, *GONE], Outcome.PBX_FAILURE),
    "max-duration": ([*TALKED, *GONE], Outcome.CONNECTED),
    "revoked-before-it-began": ([*ANSWERED, *GONE], Outcome.CANCELLED),
    "revoked-in-the-whisper": ([*ANSWERED, *GONE], Outcome.CANCELLED),
    "transferred": ([*TALKED, "AgentGone", "CustomerDialling", "CustomerRinging", "Ended"], Outcome.CONNECTED),
    "transferred-to-nobody": ([*TALKED, *LEFT], Outcome.CONNECTED),
}
# Whether the customer's phone rang or sent early media; what is not named here never came so far.
RANG = {
    **dict.fromkeys(("customer-congestion", "customer-unallocated"), False),
    **{name: True for name, (steps, _) in STORIES.items() if {"CustomerRinging", "Bridged"} & {*steps}},
    "customer-early-media-no-answer": True,
}
RECORDED = [name for name, (_, outcome) in STORIES.items() if outcome]


def messages(name: str) -> list[Message]:
    framer = Framer()
    framer.receive((REPLAY / f"{name}.ami").read_bytes())
    return list(iter(framer.next_message, None))


def told(name: str) -> list[tuple[AttemptId, Event]]:
    return [seen for message in messages(name) if (seen := track(message)) is not None]


def recorded(name: str) -> list[EndRecord | Unfinished]:
    """What the journal held of the call when it was over."""
    read = (message for message in messages(name) if message.event == "DBGetResponse")
    ours = (message for message in read if message.get("Family") == journal.FAMILY and attempt_of(message.get("Key")))
    return [journal.parse(message.get("Val")) for message in ours]


@cache
def story(name: str) -> Story:
    record = next(iter(recorded(name)), None)
    assert not isinstance(record, Unfinished)
    return Story(tuple(event for _, event in told(name)), record)


def run(events: list[Event]) -> Attempt:
    attempt = plain.attempt(NOW, pbx_boot=BOOT)
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


@pytest.mark.parametrize("name", RECORDED)
def test_the_journal_says_the_very_same_end(name: str) -> None:
    records = recorded(name)
    assert len(records) == 1
    (ended,) = [event for _, event in told(name) if type(event).__name__ == "Ended"]
    assert getattr(ended, "record", None) == records[0]
    assert run([event for _, event in told(name)]).state is State.ENDED


@pytest.mark.parametrize("name", RECORDED)
def test_whether_the_customers_phone_rang_is_told(name: str) -> None:
    verdict = verdict_of([event for _, event in told(name)])
    assert verdict is not None
    assert verdict.rang is RANG.get(name)


def test_who_called_in_is_told_once_from_any_point_on_and_however_doubled() -> None:
    seen = messages(CALLED_IN)
    callers = [CalledIn("carrier", number) for number in CALLERS]
    answers = [index for index, message in enumerate(seen) if message.event == "Newstate"]
    assert len(answers) == len(callers), "who was not answered costs no message"
    for start in range(len(seen) + 1):
        inbound = Inbound({"from-trunk": "carrier", "menu": "carrier"})
        doubled = [message for message in seen[start:] for _ in range(2)]
        found = [call for message in doubled if (call := inbound.read(message))]
        assert found == callers[sum(index < start for index in answers) :]
    assert [track(message) for message in seen if track(message)] == []


# --- whatever reaches the daemon, and whenever it looks --------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_whatever_reaches_the_daemon_the_end_is_the_true_one(name: str) -> None:
    """Equal to the true one in every way, and never even in doubt: a PBX that lives always knows."""
    call = story(name)
    assert call.record is not None
    truth = classify(call.record)
    for kind, stream in mutations(len(call.events)):
        for timing in timings(len(call.events)):
            daemon = Daemon(call, timing)
            assert daemon.follow(stream) == truth, (kind, stream, timing)
            assert daemon.finished == [truth], "ended once"
            assert_legal(daemon.history)


def test_whatever_is_missed_of_a_phone_that_never_rang_nobody_was_rung() -> None:
    """Without a sign of failure it is shown never to have begun; with one, that the phone is not there."""
    call = story("agent-unknown")
    found = {
        verdict.outcome
        for _, stream in mutations(len(call.events))
        for timing in timings(len(call.events))
        if (verdict := Daemon(call, timing).follow(stream))
    }
    assert found == {Outcome.AGENT_UNAVAILABLE, Outcome.NOT_PLACED}


def assert_legal(history: list[Attempt]) -> None:
    """One more step each time, never back to an earlier state, and nothing after the end."""
    order = list(State)
    for before, after in pairwise(history):
        assert after.timeline[:-1] == before.timeline
        assert order.index(after.state) >= order.index(before.state)
        assert before.verdict is None


def test_a_journal_that_is_read_before_the_channels_leaves_calls_in_doubt() -> None:
    """The order of the two questions matters, and the replay shows it."""
    too_soon = Timing(patience=0, lag=-1)
    found = {
        verdict.outcome
        for name, (_, outcome) in STORIES.items()
        for _, stream in mutations(len(story(name).events))
        if outcome and (verdict := Daemon(story(name), too_soon).follow(stream)) and verdict.outcome is not outcome
    }
    assert found == {Outcome.IN_DOUBT}


def test_how_much_is_replayed(record_property: Callable[[str, object], None]) -> None:
    counts = Counter(kind for name in STORIES for kind, _ in mutations(len(story(name).events)))
    runs = sum(
        len(timings(len(story(name).events))) * sum(1 for _ in mutations(len(story(name).events))) for name in STORIES
    )
    for key, value in {"recordings": len(STORIES), **counts, "runs": runs}.items():
        record_property(key, value)
    assert {path.stem for path in REPLAY.glob("*.ami")} == {*STORIES, CALLED_IN, "answers"}
    assert len(STORIES) >= 29
    assert min(counts["lost"], counts["swapped"]) >= 147
    assert min(counts["doubled"], counts["gap"]) >= 672
    assert runs >= 40_000


# --- our codec against two others ----------------------------------------------------------------------------------

Plain = dict[str, tuple[str, ...]]

# What the others read otherwise in these recordings, and why. (recording, reader, header): their value.
DIFFERENCES: dict[tuple[str, str, str], tuple[str, ...] | None] = {
    # asterisk-ami keeps the last of an event's doubled headers only.
    ("answers", "asterisk-ami", "twice"): ("two",),
    # Stock panoramisk strips each message: an empty last header vanishes.
    ("hung-up-while-the-agent-rings", "panoramisk", "bridgeid"): None,
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
        *((name, reader) for name in [*STORIES, CALLED_IN, "answers"] for reader in list(READERS)[:2]),
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
