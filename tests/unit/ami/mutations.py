"""The ways in which a recorded call may reach a daemon otherwise than it went, and the daemon's path through each.

The path is the engine's own: events through the state machine; where that asks for a look, and after a gap, the PBX's
traces through `judge`. What the PBX would have answered at any moment follows from the recording itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dialer.domain import events as ev
from dialer.domain.attempt import State, advance
from dialer.domain.commands import Finish, Look
from dialer.domain.events import Event
from dialer.domain.outcome import EndRecord, Verdict
from dialer.engine.ports import Traces, Unfinished
from dialer.engine.reconcile import Knowledge, Verdictless, judge
from tests.unit import plain

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOOT = "2026-03-01 00:00:00"

_JOURNAL: tuple[tuple[type[Event], str], ...] = (
    (ev.Bridged, "answered"),
    (ev.CustomerDialling, "customer_dialled"),
    (ev.AgentAnswered, "agent_answered"),
)
"""What the journal holds after an event, the latest first."""


@dataclass(frozen=True)
class Story:
    """A call as it went, and the end that the PBX recorded (None: it never made a channel)."""

    events: tuple[Event, ...]
    record: EndRecord | None

    def traces(self, listed: int, read: int) -> Traces:
        """What the PBX answers whose channels are listed after `listed` events, and its journal read after `read`."""
        seen = {type(event) for event in self.events[:listed]}
        return Traces(
            agent_alive=self.record is not None and ev.AgentGone not in seen,
            customer_alive=ev.CustomerDialling in seen and ev.Ended not in seen,
            journal=self._journal(read),
        )

    def _journal(self, read: int) -> EndRecord | Unfinished | None:
        seen = {type(event) for event in self.events[:read]}
        if ev.Ended in seen:
            return self.record
        if seen >= {ev.Bridged, ev.AgentGone}:
            return Unfinished("agent_left")
        return next((Unfinished(step) for kind, step in _JOURNAL if kind in seen), None)


@dataclass(frozen=True)
class Gap:
    """The daemon sees nothing until the call has come to its event `until`; then it looks."""

    until: int


Stream = tuple[int | Gap, ...]
"""What reaches the daemon: events by their place in the story, and gaps."""


def mutations(count: int) -> Iterator[tuple[str, Stream]]:
    """Every way, each with its name, for a story of so many events."""
    whole = tuple(range(count))
    yield "whole", whole
    for since in range(count + 1):
        for until in range(since, count + 1):
            yield "gap", (*whole[:since], Gap(until), *whole[until:])
    for at in whole:
        yield "lost", (*whole[:at], *whole[at + 1 :])
        for later in range(at + 1, count + 1):
            yield "doubled", (*whole[:later], at, *whole[later:])
        for later in range(at + 2, count + 1):
            swapped = later == at + 2
            yield "swapped" if swapped else "late", (*whole[:at], *whole[at + 1 : later], at, *whole[later:])


@dataclass(frozen=True)
class Timing:
    """How many more events come between a doubt and the look, and from the list of channels to the journal."""

    patience: int
    lag: int


def timings(count: int) -> list[Timing]:
    """Timings for a story of so many events: a look at once or ever later, a journal read at once, soon or last."""
    return [Timing(patience, lag) for patience in range(count) for lag in sorted({0, 1, count - 1})]


class Daemon:
    """Follows one attempt through a stream; `history` is the attempt after each change."""

    def __init__(self, story: Story, timing: Timing) -> None:
        self._story = story
        self._timing = timing
        self._reached = 0
        self._look_in: int | None = None
        self.history = [plain.attempt(NOW, pbx_boot=BOOT)]
        self.finished: list[Verdict] = []

    def follow(self, stream: Stream) -> Verdict | None:
        """The verdict in the end: a call that nobody tells of any more is found by the sweep."""
        for step in stream:
            if isinstance(step, Gap):
                self._look_in = None
                self._reached = max(self._reached, step.until)
                self._look(Knowledge.GAP)
            else:
                self._reached = max(self._reached, step + 1)
                self._apply(self._story.events[step])
                self._tick()
        self._reached = len(self._story.events)
        if self._look_in is not None:
            self._look(Knowledge.WATCHED)
        if self.history[-1].state is not State.ENDED:
            self._look(Knowledge.GAP)
        return self.history[-1].verdict

    def _apply(self, event: Event) -> None:
        after, commands = advance(self.history[-1], event, NOW)
        if after is not self.history[-1]:
            self.history.append(after)
        for command in commands:
            match command:
                case Look():
                    self._look_in = self._timing.patience if self._look_in is None else self._look_in
                case Finish(verdict):
                    self.finished.append(verdict)

    def _tick(self) -> None:
        if self._look_in == 0:
            self._look_in = None
            self._look(Knowledge.WATCHED)
        elif self._look_in is not None:
            self._look_in -= 1

    def _look(self, knowledge: Knowledge) -> None:
        if self.history[-1].state is State.ENDED:
            return
        traces = self._story.traces(self._reached, max(0, self._reached + self._timing.lag))
        match judge(self.history[-1], traces, knowledge, BOOT):
            case Verdictless.UNPROVEN:
                self._look(Knowledge.BARRED)
            case Verdictless.LIVES:
                pass
            case event:
                self._apply(event)
