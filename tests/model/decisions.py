"""The daemon's own pure decisions, asked with the model's words; every answer is remembered, because it is pure."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dialer.ami import journal
from dialer.domain import attempt as machine
from dialer.domain.attempt import State, Step
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.commands import Finish, Look
from dialer.domain.directory import Delay, Interval, OpeningHours, RetryRule
from dialer.domain.events import Ended, Event
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import EndRecord, Outcome
from dialer.engine.ports import Traces, Unfinished
from dialer.engine.reconcile import Knowledge, Verdictless, judge
from dialer.scheduling import retry
from tests.unit import plain

_NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
_SAME, _OTHER = "same", "other"
_ATTEMPT = plain.attempt(_NOW, pbx_boot=_SAME)
_CALLBACK = Callback(CallbackId("C"), "example", "sales", Visitor("+442079460001"), _NOW, None, _NOW)
_DEPARTMENT = plain.department(
    hours=OpeningHours(ZoneInfo("UTC"), ((Interval(time(0), None),),) * 7),
    retry=RetryRule(
        delays={
            outcome: (Delay(timedelta(minutes=1)),) for outcome in Outcome if outcome not in {"connected", "in_doubt"}
        },
        max_customer_attempts=2,
        max_agent_rings=2,
    ),
)

reached: set[str] = set()
"""The names of everything that `judge` answered since the last `forget`."""


def forget() -> None:
    """Begin to note anew what is reached."""
    reached.clear()
    means.cache_clear()


@cache
def means(
    state: str,
    legs: tuple[bool, bool],
    entry: str,
    knowledge: str,
    same_boot: bool,  # noqa: FBT001  # part of a memo's key
    same_identity: bool | None,  # noqa: FBT001  # as above
) -> Event | Verdictless:
    """`judge`: what traces mean for an attempt in this state. `same_identity` None: the attempt knows of none."""
    known = "" if same_identity is None else _SAME
    attempt = replace(_ATTEMPT, state=State(state), pbx_identity=known)
    traces = Traces(*legs, _read(entry), _SAME if same_identity else _OTHER)
    meaning = judge(attempt, traces, Knowledge[knowledge], _SAME if same_boot else _OTHER)
    reached.add(meaning.name if isinstance(meaning, Verdictless) else type(meaning).__name__)
    return meaning


def _read(entry: str) -> EndRecord | Unfinished | None:
    return journal.parse(entry) if entry else None


@cache
def told(entry: str) -> Event:
    """The event that carries this record of an end."""
    record = journal.parse_end(entry)
    assert record is not None, f"the dialplan does not write {entry}"
    return Ended(record)


@cache
def advance(state: str, steps: tuple[str, ...], event: Event) -> tuple[str, tuple[str, ...], str, bool] | None:
    """`attempt.advance`: the state and the doubts in the timeline after an event, the outcome ('': none yet), and
    whether a look is due; None when the event was absorbed."""
    before = replace(_ATTEMPT, state=State(state), timeline=tuple(Step(name, _NOW) for name in steps))
    after, commands = machine.advance(before, event, _NOW)
    if after is before:
        return None
    look = any(isinstance(command, Look) for command in commands)
    ends = [command.verdict.outcome.value for command in commands if isinstance(command, Finish)]
    kept = tuple(step.name for step in after.timeline) if look else steps
    return after.state.value, kept, ends[0] if ends else "", look


@cache
def amended(entry: str) -> str:
    """`attempt.amend`: the outcome of an attempt in doubt once its end was found ('': this is none)."""
    record = journal.parse_end(entry) if entry else None
    if record is None:
        return ""
    verdict = machine.amend(_ATTEMPT, record, _NOW).verdict
    return verdict.outcome.value if verdict else ""


@cache
def plan(outcome: str, customer_attempts: int, agent_rings: int) -> tuple[str, int, int]:
    """`retry.plan`: the callback's next status and its two counters."""
    callback = replace(
        _CALLBACK, status=Status.IN_PROGRESS, customer_attempts=customer_attempts, agent_rings=agent_rings
    )
    step = retry.plan(callback, retry.Ending(Outcome(outcome)), _DEPARTMENT, (), _NOW, spread=0.0)
    return step.status.value, step.customer_attempts, step.agent_rings
