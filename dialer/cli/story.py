"""One callback's whole story, for a person to read or a program to keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from dialer.cli.output import fine_stamp, line, local_stamp, pairs, stamp
from dialer.cli.records import Record, lateness, resolution_record, whole_attempt, whole_callback
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Department, Directory
from dialer.store.views import Pause, Resolution

_ASAP = "as soon as possible"


@dataclass(frozen=True, slots=True)
class Story:
    """What the store holds of one callback, and of the pause that may hold it back."""

    callback: Callback
    attempts: Sequence[Attempt]
    resolutions: Sequence[Resolution]
    pause: Pause | None


def record(story: Story, directory: Directory) -> Record:
    """All of it as one record; `next` is what comes next and why, in words."""
    callback = story.callback
    return {
        **whole_callback(callback),
        "next": _next(callback, directory.departments.get(callback.department), story.pause),
        "calls": [whole_attempt(attempt) for attempt in story.attempts],
        "resolutions": [resolution_record(made) for made in story.resolutions],
    }


def tell(story: Story, directory: Directory) -> None:
    """Print it: the request, what comes next and why, each attempt with its timeline, and what people decided. Times
    are UTC."""
    callback = story.callback
    department = directory.departments.get(callback.department)
    pairs([*_request(callback, department), ("next", _next(callback, department, story.pause))])
    for attempt in story.attempts:
        line()
        pairs(_attempt(attempt))
        pairs([(_moment(step.at, attempt), f"{step.name}  {step.detail}".strip()) for step in attempt.timeline], 2)
    if story.resolutions:
        line()
        pairs([("resolved", f"{stamp(made.decided_at)} as {made.words}") for made in story.resolutions])


def _request(callback: Callback, department: Department | None) -> list[tuple[str, str]]:
    visitor = callback.visitor
    zone = department.hours.zone if department else None
    told = [
        ("callback", callback.id),
        ("status", callback.status),
        ("department", callback.department if department else f"{callback.department} (not in the configuration)"),
        ("site", callback.site),
        ("number", visitor.phone),
        ("name", visitor.name),
        ("e-mail", visitor.email),
        ("page", visitor.page),
        ("message", visitor.message),
        ("session", visitor.session),
        ("requested", stamp(callback.requested_at)),
        ("wanted", _both(callback.wanted_at, zone) if callback.wanted_at else _ASAP),
    ]
    if visitor.consent:
        told.append(("consent", f"{stamp(visitor.consent.given_at)} {visitor.consent.page}".strip()))
        told.append(("wording", visitor.consent.wording))
    return [(name, value) for name, value in told if value]


def _next(callback: Callback, department: Department | None, pause: Pause | None) -> str:
    """What becomes of the callback from here, and why."""
    match callback.status:
        case Status.SCHEDULED:
            return "; ".join(_try(callback, department, pause))
        case Status.IN_PROGRESS:
            return "an attempt is under way"
        case Status.NEEDS_REVIEW:
            never = "what nobody saw is never redialled by itself"
            return f"a person decides ({callback.reason}): {never}; see: dialer callbacks resolve --help"
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED | Status.EXPIRED | Status.REJECTED:
            return f"nothing: {callback.reason or callback.status}"
        case _:
            assert_never(callback.status)


def _try(callback: Callback, department: Department | None, pause: Pause | None) -> list[str]:
    told = [
        f"attempt {callback.attempts + 1} at {_both(callback.due_at, department.hours.zone if department else None)}"
    ]
    told.append(callback.reason or "the first try")
    if department is None:
        told.append("waits: its department is not in the configuration")
    else:
        rule = department.retry
        told.append(f"the customer's side decided {callback.customer_attempts} of {rule.max_customer_attempts}")
        told.append(f"agents rung in vain {callback.agent_rings} of {rule.max_agent_rings}")
    if pause is not None:
        told.append(f"waits: everything is paused by {pause.who}")
    return told


def _attempt(attempt: Attempt) -> list[tuple[str, str]]:
    late, end = lateness(attempt), attempt.verdict
    told = [
        (f"attempt {attempt.number}", attempt.id),
        ("route", f"PBX {attempt.pbx}, agent {attempt.agent}, trunk {attempt.trunk}"),
        ("dialled", f"{attempt.dialled} as {attempt.caller_id}"),
        ("due", stamp(attempt.due_at)),
        ("begun", stamp(attempt.created_at)),
        ("late", "" if late is None else f"{late.total_seconds():.3f} s"),
    ]
    if end is None:
        told.append(("state", attempt.state))
    else:
        told.append(("outcome", end.outcome))
        told.append(("why", f"cause {end.cause}, blame {end.blame}{f', {end.detail}' if end.detail else ''}"))
        told.append(
            ("talk", f"{end.talk.total_seconds():.3f} s{f', {end.hung_up_by} hung up' if end.hung_up_by else ''}")
        )
    return [(name, value) for name, value in told if value]


def _moment(at: datetime, attempt: Attempt) -> str:
    """A step's time to the microsecond, with its date only where that is not the attempt's own."""
    whole = fine_stamp(at)
    date, _, time = whole.partition("T")
    return time if stamp(attempt.created_at).startswith(date) else whole


def _both(at: datetime, zone: ZoneInfo | None) -> str:
    """An instant in UTC, and by the department's clock where that is known."""
    return f"{stamp(at)} ({local_stamp(at, zone)} {zone.key})" if zone else stamp(at)
