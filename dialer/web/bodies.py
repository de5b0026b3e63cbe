"""The bodies of answers. Every time in them has its zone."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from dialer.domain.attempt import Attempt, State
from dialer.domain.callback import Callback, Status
from dialer.domain.outcome import Blame, Outcome, Party
from dialer.intake.changes import Answer
from dialer.intake.listing import Known

_SENT = "originate_sent"


class Promised(BaseModel):
    """A callback without anything of its visitor's. `due_at`: when it is, or was, to be called next; `expires_at`: when
    that is given up (null: never)."""

    id: str
    status: Status
    site: str
    department: str
    external_id: str | None
    requested_at: datetime
    wanted_at: datetime | None
    wanted_until: datetime | None
    due_at: datetime
    expires_at: datetime | None


class Accepted(Promised):
    """The promise for a request. `double`: it was made before, for an open callback to the same number and department,
    or by the same `external_id`."""

    double: bool


class ConsentBody(BaseModel):
    """The evidence that the call was asked for."""

    wording: str
    given_at: datetime
    page: str


class VisitorBody(BaseModel):
    """Who asked to be called."""

    phone: str
    name: str
    email: str
    page: str
    message: str
    session: str
    sms: bool
    consent: ConsentBody | None


class CallbackBody(Promised):
    """A callback as it stands. `reason`: why it is so; `version` counts its changes."""

    reason: str
    attempts: int
    customer_attempts: int
    version: int
    visitor: VisitorBody


class CallbackPage(BaseModel):
    """Some callbacks; `next` asks for what follows, null: nothing does."""

    items: list[CallbackBody]
    next: str | None


class Changed(BaseModel):
    """What became of a change. `done`: it is so. `undecided`: a call is under way and it is not known yet who was
    first; it is noted and decided soon."""

    answer: Literal[Answer.DONE, Answer.UNDECIDED]
    callback: Promised


class CallBody(BaseModel):
    """One attempt at a callback. `lateness_seconds` is Originate sent less due (null: never sent)."""

    id: str
    callback_id: str
    attempt: int
    state: State
    department: str
    number: str
    caller_id: str
    agent: str
    pbx: str
    trunk: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    cause: int | None
    blame: Blame | None
    talk_seconds: float | None
    hung_up_by: Party | None
    lateness_seconds: float | None


class Attempts(BaseModel):
    """A callback's attempts, first to last."""

    items: list[CallBody]


class CallPage(BaseModel):
    """Some calls; `next` asks for what follows, null: nothing does."""

    items: list[CallBody]
    next: str | None


class ObjectionBody(BaseModel):
    """A number (E.164) that is never called."""

    phone: str
    why: str
    since: datetime


class ObjectionPage(BaseModel):
    """Some objections; `next` asks for what follows, null: nothing does."""

    items: list[ObjectionBody]
    next: str | None


class Silent(BaseModel):
    """What an objection did: how many of the site's waiting callbacks it ended, and how many calls under way could
    still be stopped, could not, or are not decided yet."""

    phone: str
    rejected: int
    stopped: int
    too_late: int
    undecided: int


class Slot(BaseModel):
    """A time that can be promised, by the department's clock, and when that promise would be given up (null: never)."""

    at: datetime
    expires_at: datetime | None


class Slots(BaseModel):
    """Times that can be promised, earliest first."""

    department: str
    zone: str
    slots: list[Slot]


def promised_body(callback: Callback, external_id: str | None) -> Promised:
    """A callback for whoever may not see its visitor."""
    return Promised.model_validate(_promise(callback, external_id))


def accepted_text(callback: Callback, external_id: str | None, *, double: bool) -> tuple[int, str]:
    """The answer to a request, as it is kept: a `Wording`."""
    body = Accepted.model_validate({**_promise(callback, external_id), "double": double})
    return 200 if double else 201, body.model_dump_json()


def callback_body(known: Known) -> CallbackBody:
    """All of a callback."""
    callback = known.callback
    visitor = callback.visitor
    more: dict[str, Any] = {
        "reason": callback.reason,
        "attempts": callback.attempts,
        "customer_attempts": callback.customer_attempts,
        "version": callback.version,
        "visitor": {name: getattr(visitor, name) for name in VisitorBody.model_fields if name != "consent"},
    }
    consent = visitor.consent
    more["visitor"]["consent"] = consent and {name: getattr(consent, name) for name in ConsentBody.model_fields}
    return CallbackBody.model_validate({**_promise(callback, known.external_id), **more})


def call_body(attempt: Attempt) -> CallBody:
    """One attempt."""
    end = attempt.verdict
    sent = next((step.at for step in attempt.timeline if step.name == _SENT), None)
    return CallBody(
        id=attempt.id,
        callback_id=attempt.callback_id,
        attempt=attempt.number,
        state=attempt.state,
        department=attempt.department,
        number=attempt.dialled,
        caller_id=attempt.caller_id,
        agent=attempt.agent,
        pbx=attempt.pbx,
        trunk=attempt.trunk,
        due_at=attempt.due_at,
        started_at=attempt.created_at,
        ended_at=attempt.ended_at,
        outcome=end.outcome if end else None,
        cause=end.cause if end else None,
        blame=end.blame if end else None,
        talk_seconds=end.talk.total_seconds() if end else None,
        hung_up_by=end.hung_up_by if end else None,
        lateness_seconds=(sent - attempt.due_at).total_seconds() if sent else None,
    )


def _promise(callback: Callback, external_id: str | None) -> dict[str, object]:
    return {
        "id": callback.id,
        "status": callback.status,
        "site": callback.site,
        "department": callback.department,
        "external_id": external_id,
        "requested_at": callback.requested_at,
        "wanted_at": callback.wanted_at,
        "wanted_until": callback.wanted_until,
        "due_at": callback.due_at,
        "expires_at": callback.expires_at,
    }
