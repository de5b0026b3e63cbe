"""Submission: one request as it came in → a callback that can be stored, or why it is refused."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from ulid import ULID

from dialer.domain import phone
from dialer.domain.callback import Callback, Consent, Visitor
from dialer.domain.directory import Department, Directory, Site
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import CallbackId
from dialer.domain.phone import DEFAULT_POLICY, NumberPolicy
from dialer.intake.moments import PAST_TOLERANCE, moment, wanted
from dialer.intake.text import email, several_lines, single_line, web_page
from dialer.scheduling.hours import next_opening

_FIELDS = ("department", "phone", "name", "email", "page", "message", "session", "at", "consent")
_CONSENT_FIELDS = ("wording", "given_at", "page")

_MAX_ID = 40
_MAX_PHONE = 100
_MAX_NAME = 200
_MAX_EMAIL = 254
_MAX_PAGE = 2_048
_MAX_MESSAGE = 4_000
_MAX_SESSION = 128
_MAX_WORDING = 2_000
_MAX_TIME = 64


class CallbackStore(Protocol):
    """The part of the store that takes callbacks in."""

    async def add(self, callbacks: list[Callback]) -> None:
        """Store them all, durable on return; raises `StoreError` when none was stored."""


async def submit(
    store: CallbackStore,
    directory: Directory,
    requests: Iterable[object],
    now: datetime,
    policy: NumberPolicy = DEFAULT_POLICY,
) -> list[Callback | RequestRefused]:
    """Accept what can be accepted of `requests`, in one write; the answers are in the order of the requests.

    A `RequestRefused` among the requests (a line that could not be read) is passed through. Raises `StoreError`: then
    nothing was stored.
    """
    answers = [_answer(request, directory, now, policy) for request in requests]
    accepted = [answer for answer in answers if isinstance(answer, Callback)]
    if accepted:
        await store.add(accepted)
    return answers


def _answer(request: object, directory: Directory, now: datetime, policy: NumberPolicy) -> Callback | RequestRefused:
    if isinstance(request, RequestRefused):
        return request
    try:
        return accept(request, directory, now, policy)
    except RequestRefused as refusal:
        return refusal


def accept(request: object, directory: Directory, now: datetime, policy: NumberPolicy = DEFAULT_POLICY) -> Callback:
    """The callback that `request` (decoded JSON) asks for, with a new id, due when its department is open.

    `now` is UTC. Fields: `department` and `phone`, and optionally `name`, `email`, `page`, `message`, `session`, `at`
    (ISO 8601; none: as soon as possible), `consent` {`wording`, `given_at`, `page`}. null stands for absent.

    Raises `RequestRefused`, whose text never repeats what the visitor gave.
    """
    fields = _object(request, "", _FIELDS)
    department = _department(fields, directory)
    site = directory.sites[department.site]
    text = single_line(fields.get("at"), "at", _MAX_TIME)
    wanted_at = wanted(text, "at", site.zone, now) if text else None
    due_at = next_opening(department.hours, wanted_at or now)
    if due_at is None:
        raise RequestRefused(
            "department_closed", "department", "the department never opens", remedy="choose another department"
        )
    return Callback(
        id=CallbackId(str(ULID())),
        site=site.id,
        department=department.id,
        visitor=_visitor(fields, site, now, policy),
        requested_at=now,
        wanted_at=wanted_at,
        due_at=due_at,
    )


def _department(fields: Mapping[str, object], directory: Directory) -> Department:
    department = directory.departments.get(_required(fields, "department", "department", _MAX_ID))
    if department is None:
        raise RequestRefused("department_unknown", "department", "no such department", remedy="give a department's id")
    return department


def _visitor(fields: Mapping[str, object], site: Site, now: datetime, policy: NumberPolicy) -> Visitor:
    number = phone.parse(_required(fields, "phone", "phone", _MAX_PHONE), site.region)
    policy.check(number)
    return Visitor(
        phone=number.e164,
        name=single_line(fields.get("name"), "name", _MAX_NAME),
        email=email(fields.get("email"), "email", _MAX_EMAIL),
        page=web_page(fields.get("page"), "page", _MAX_PAGE),
        message=several_lines(fields.get("message"), "message", _MAX_MESSAGE),
        session=single_line(fields.get("session"), "session", _MAX_SESSION),
        consent=_consent(fields.get("consent"), site, now),
    )


def _consent(value: object, site: Site, now: datetime) -> Consent | None:
    if value is None:
        return None
    fields = _object(value, "consent", _CONSENT_FIELDS)
    given_at = moment(_required(fields, "given_at", "consent.given_at", _MAX_TIME), "consent.given_at", site.zone)
    if given_at > now + PAST_TOLERANCE:
        raise RequestRefused(
            "time_future", "consent.given_at", "the consent lies in the future", remedy="check the sender's clock"
        )
    wording = several_lines(fields.get("wording"), "consent.wording", _MAX_WORDING)
    if not wording:
        raise _missing("consent.wording")
    return Consent(wording, given_at, web_page(fields.get("page"), "consent.page", _MAX_PAGE))


def _required(fields: Mapping[str, object], key: str, field: str, limit: int) -> str:
    text = single_line(fields.get(key), field, limit)
    if not text:
        raise _missing(field)
    return text


def _missing(field: str) -> RequestRefused:
    return RequestRefused("field_missing", field, "missing or empty", remedy="send it")


def _object(value: object, field: str, known: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise RequestRefused("field_type", field, "not an object", remedy="send a JSON object")
    if not value.keys() <= set(known):
        # The unknown key itself could be a visitor's data in the wrong place.
        raise RequestRefused("field_unknown", field, "holds an unknown field", remedy=f"known are {', '.join(known)}")
    return value
