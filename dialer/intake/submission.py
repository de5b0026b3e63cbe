"""Submission: one request as it came in → a callback that can be stored, or why it is refused."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from ulid import ULID

from dialer.domain import phone
from dialer.domain.callback import Callback, Consent, Visitor
from dialer.domain.directory import Department, Directory, Site
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import CallbackId
from dialer.domain.phone import NumberPolicy
from dialer.intake.admission import AdmissionRule, Double
from dialer.intake.allowance import Allowance, UsageStore
from dialer.intake.moments import PAST_TOLERANCE, moment, window
from dialer.intake.promises import promised
from dialer.intake.text import email, several_lines, single_line, web_page, yes_or_no

_FIELDS = (
    *("department", "phone", "name", "email", "page", "message", "session", "address"),
    *("at", "until", "consent", "sms"),
)
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
_MAX_ADDRESS = 100

_ORIGIN_BYTES = 16
_V6_HOST_BITS = 64


class CallbackStore(UsageStore, Protocol):
    """The part of the store that takes callbacks in. Raises `StoreError` when nothing was stored."""

    async def admit(
        self, callbacks: Sequence[Callback], rule: AdmissionRule
    ) -> list[Callback | Double | RequestRefused]:
        """Store those that the rule lets in and no open callback promises already, durable on return; one answer
        each, in their order."""


async def submit(
    store: CallbackStore, directory: Directory, requests: Iterable[object], now: datetime, rule: AdmissionRule
) -> list[Callback | Double | RequestRefused]:
    """Accept what can be accepted of `requests`, in one write; the answers are in the order of the requests.

    A `RequestRefused` among the requests (a line that could not be read) is passed through. Raises `StoreError`: then
    nothing was stored.
    """
    allowance = Allowance(store, directory, now)
    answers: list[Callback | Double | RequestRefused] = []
    for request in requests:
        answer = _answer(request, directory, now)
        answers.append(answer if isinstance(answer, RequestRefused) else await allowance.check(answer))
    accepted = [answer for answer in answers if isinstance(answer, Callback)]
    if not accepted:
        return answers
    admitted = iter(await store.admit(accepted, rule))
    return [next(admitted) if isinstance(answer, Callback) else answer for answer in answers]


def _answer(request: object, directory: Directory, now: datetime) -> Callback | RequestRefused:
    if isinstance(request, RequestRefused):
        return request
    try:
        return accept(request, directory, now)
    except RequestRefused as refusal:
        return refusal


def accept(request: object, directory: Directory, now: datetime) -> Callback:
    """The callback that `request` (decoded JSON) asks for, with a new id, due when it may first be dialled.

    `now` is UTC. Fields: `department` and `phone`, and optionally `name`, `email`, `page`, `message`, `session`,
    `address` (the visitor's IP address, of which only a key is kept), `at` and `until` (ISO 8601; none: as soon as
    possible, and without an end), `consent` {`wording`, `given_at`, `page`}, `sms` (whether the visitor may be sent
    texts about it). null stands for absent.

    Raises `RequestRefused`, whose text never repeats what the visitor gave.
    """
    fields = _object(request, "", _FIELDS)
    department = _department(fields, directory)
    site = directory.sites[department.site]
    visitor = _visitor(fields, site, now, directory.account_of(department).numbers)
    at, until = (single_line(fields.get(key), key, _MAX_TIME) for key in ("at", "until"))
    wish = window(at, until, site.zone, now)
    _check_trunks(department, directory, visitor.phone)
    promise = promised(directory, department, visitor.phone, wish, now)
    wanted_at, wanted_until = wish
    return Callback(
        id=CallbackId(str(ULID())),
        site=site.id,
        department=department.id,
        visitor=visitor,
        requested_at=now,
        wanted_at=wanted_at,
        due_at=promise.due_at,
        wanted_until=wanted_until,
        expires_at=promise.expires_at,
        origin=_origin(fields.get("address"), site),
    )


def callable_number(text: object, department: Department, directory: Directory) -> str:
    """The number (E.164) that `text` gives, if a callback of this department could be for it. Raises `RequestRefused`
    as `accept`."""
    given = _required({"phone": text}, "phone", "phone", _MAX_PHONE)
    number = phone.parse(given, directory.sites[department.site].region)
    directory.account_of(department).numbers.check(number)
    _check_trunks(department, directory, number.e164)
    return number.e164


def _department(fields: Mapping[str, object], directory: Directory) -> Department:
    department = directory.departments.get(_required(fields, "department", "department", _MAX_ID))
    if department is None:
        raise RequestRefused("department_unknown", "department", "no such department", remedy="give a department's id")
    return department


def _check_trunks(department: Department, directory: Directory, number: str) -> None:
    trunks = [directory.trunks[id_] for id_ in department.trunks]
    if not any(not trunk.prefixes or number.startswith(trunk.prefixes) for trunk in trunks):
        what = "the department has no trunk for this number"
        raise RequestRefused("number_no_trunk", "phone", what, remedy="choose another department, or add a trunk")


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
        sms=yes_or_no(fields.get("sms"), "sms"),
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


def _origin(value: object, site: Site) -> str:
    """A key by which requests from one address are known again at one site; '' when there is none.

    Who has 64 bits of IPv6 addresses to choose from is known by the rest. The key keeps addresses from being read or
    compared across sites; trying all of IPv4 would still find one.
    """
    text = single_line(value, "address", _MAX_ADDRESS)
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise RequestRefused(
            "address_invalid", "address", "not an IP address", remedy="send the visitor's own address or leave it out"
        ) from None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or ipaddress.IPv6Address(int(address) >> _V6_HOST_BITS << _V6_HOST_BITS)
    return blake2b(f"{site.id} {address}".encode(), digest_size=_ORIGIN_BYTES).hexdigest()


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
