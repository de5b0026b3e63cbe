"""One callback's whole story, for a person to read or a program to keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from dialer.cli import stops
from dialer.cli.output import fine_stamp, line, local_stamp, pairs, stamp
from dialer.cli.records import Record, lateness, resolution_record, whole_attempt, whole_callback
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.directory import Department, Directory
from dialer.store.views import Pause, Resolution

_ASAP = "as soon as possible"


@dataclass(frozen=True, slots=True)
class Story:
    """What the store holds of one callback, and the pauses in force, which may hold it back."""

    callback: Callback
    attempts: Sequence[Attempt]
    resolutions: Sequence[Resolution]
    pauses: Sequence[Pause]


def record(story: Story, directory: Directory) -> Record:
    """All of it as one record; `next` is what comes next and why, in words."""
    return {
        **whole_callback(story.callback),
        "next": _next(story, directory),
        "calls": [whole_attempt(attempt) for attempt in story.attempts],
        "resolutions": [resolution_record(made) for made in story.resolutions],
    }


def tell(story: Story, directory: Directory) -> None:
    """Print it: the request, what comes next and why, each attempt with its timeline, and what people decided. Times
    are UTC."""
    department = directory.departments.get(story.callback.department)
    pairs([*_request(story.callback, department), ("next", _next(story, directory))])
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
        ("until", _both(callback.wanted_until, zone) if callback.wanted_until else ""),
        ("expires", _both(callback.expires_at, zone) if callback.expires_at else ""),
    ]
    if visitor.consent:
        told.append(("consent", f"{stamp(visitor.consent.given_at)} {visitor.consent.page}".strip()))
        told.append(("wording", visitor.consent.wording))
    return [(name, value) for name, value in told if value]


def _next(story: Story, directory: Directory) -> str:
    """What becomes of the callback from here, and why."""
    callback = story.callback
    match callback.status:
        case Status.SCHEDULED:
            return "; ".join(_try(story, directory))
        case Status.IN_PROGRESS:
            return _under_way(callback.wish)
        case Status.NEEDS_REVIEW:
            never = "what nobody saw is never redialled by itself"
            wish = f"; it was to be {_wish(callback.wish)}" if callback.wish else ""
            return f"a person decides ({callback.reason}){wish}: {never}; see: dialer callbacks resolve --help"
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED | Status.EXPIRED | Status.REJECTED:
            return f"nothing: {callback.reason or callback.status}"
        case _:
            assert_never(callback.status)


def _under_way(wish: Wish | None) -> str:
    if wish is None:
        return "an attempt is under way"
    if wish.late:
        return f"an attempt is under way, too far to be stopped; after it the callback is {_wish(wish)}"
    return f"an attempt is under way; the callback is being {_wish(wish)}"


def _try(story: Story, directory: Directory) -> list[str]:
    callback = story.callback
    department = directory.departments.get(callback.department)
    told = [
        f"attempt {callback.attempts + 1} at {_both(callback.due_at, department.hours.zone if department else None)}",
        callback.reason or "the first try",
    ]
    if department is None:
        told.append("waits: its department is not in the configuration")
    else:
        told += _counts(callback, department)
        told += _after_failure(callback)
        if not stops.taking(callback, department, directory):
            told.append("waits: no trunk of its department takes its number")
    if held := stops.holding(callback, directory, story.pauses):
        told.append(f"waits: {', '.join(held)}")
    return told


def _counts(callback: Callback, department: Department) -> list[str]:
    """What was used of the rule's bounds."""
    rule = department.retry
    told = [f"the customer's side decided {callback.customer_attempts} of {rule.max_customer_attempts}"]
    if rule.max_customer_attempts_a_day is not None and callback.day is not None:
        told.append(f"on {callback.day} it decided {callback.day_attempts} of {rule.max_customer_attempts_a_day}")
    told.append(f"agents rung in vain {callback.agent_rings} of {rule.max_agent_rings}")
    return told


def _after_failure(callback: Callback) -> list[str]:
    """How the next attempt makes good for a trunk that failed."""
    told = []
    if callback.failed_trunks:
        told.append(f"not by trunk {' or '.join(callback.failed_trunks)}, which failed")
    if callback.prefer_agent:
        told.append(f"first to agent {callback.prefer_agent}, who was there")
    return told


def _wish(wish: Wish) -> str:
    """What somebody wants, as in: the callback is …"""
    match wish.kind:
        case WishKind.CANCEL:
            return f"cancelled ({wish.reason})"
        case WishKind.MOVE:
            return f"moved to {stamp(wish.due_at)}" if wish.due_at else "moved"
        case WishKind.OBJECTION:
            return "ended, because its number is not to be called"
        case WishKind.CALLED_IN:
            return "ended, because the customer called us"
        case _:
            assert_never(wish.kind)


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
