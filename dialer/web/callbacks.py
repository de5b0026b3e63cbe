"""`/v1/callbacks`: handed in, looked at, moved and cancelled."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import CallbackId
from dialer.intake import changes
from dialer.intake.changes import Answer, Change
from dialer.intake.keys import KeyHolder
from dialer.intake.listing import Known, Wanted
from dialer.intake.once import Once, fingerprint, take_in
from dialer.intake.text import single_line
from dialer.web.access import address_of, holder
from dialer.web.bodies import (
    Accepted,
    Attempts,
    CallbackBody,
    CallbackPage,
    Changed,
    call_body,
    callback_body,
    promised_body,
)
from dialer.web.problems import EVERYWHERE, WITH_BODY, Problem, documented
from dialer.web.requests import (
    Cursor,
    Instant,
    Limit,
    body_of,
    handed_out,
    idempotency_key,
    in_order,
    known_parameters,
    only,
    schema_of,
    services_of,
)
from dialer.web.senders import sender, source_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[Depends(known_parameters)])

Here = Annotated[Services, Depends(services_of)]
Submitter = Annotated[KeyHolder, Depends(holder("submit"))]
Reader = Annotated[KeyHolder, Depends(holder("read"))]
Manager = Annotated[KeyHolder, Depends(holder("manage"))]

_MAX_EXTERNAL_ID = 128
_MAX_TIME = 64
_BY_API = "cancelled through the API"

_NOT_FROM_A_PAGE = {
    "address": "a key that may only submit counts the address that the request comes from",
    "external_id": "a key that may only submit can be read by anybody, and your ids are yours",
}

_ALWAYS = documented(*EVERYWHERE)
_ONE = {**_ALWAYS, **documented(404)}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Send a key of your own making, and the same again with every repetition of the same request: the "
    "answer is then the same, and there is one callback. Kept for 7 days.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


@router.post(
    "",
    status_code=201,
    response_model=Accepted,
    response_description="Promised, and durable",
    responses={
        200: {"model": Accepted, "description": "Promised already: by an open callback, or by the same external id"},
        **_ALWAYS,
        **documented(*WITH_BODY),
    },
    openapi_extra={**schema_of("CallbackRequest"), "parameters": [_KEY]},
)
async def submit(request: Request, here: Here, its: Submitter) -> Response:
    """Hand in a visitor's request to be called; the answer is what is promised.

    Scope `submit`; from pages of the site's own origins, too. What is durable is answered: nothing else is.
    """
    key = idempotency_key(request)
    body, raw = await body_of(request)
    if its.publishable:
        _from_a_page(body, request)
    external_id = single_line(body.pop("external_id", None), "external_id", _MAX_EXTERNAL_ID) or None
    once = Once(its.id, key, fingerprint(raw)) if key is not None else None
    now = here.clock.now()
    of = sender(here.directory, its.site)
    given = await take_in(here.submissions, here.directory, of, body, external_id, once, now, here.rule)
    if given.new is not None:
        here.daemon.taken_in(given.new)
    return Response(given.body, given.status, {"cache-control": "no-store"}, "application/json")


@router.get("", responses=_ALWAYS)
async def find(  # noqa: PLR0913, PLR0917  # a parameter for each filter
    here: Here,
    its: Reader,
    status: Annotated[list[Status], Query(description="Any of these; none: all.")] = [],  # noqa: B006  # as FastAPI has it
    department: str | None = None,
    due_from: Instant = None,
    due_before: Instant = None,
    external_id: Annotated[str | None, Query(description="Your own id of a callback handed in here.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CallbackPage:
    """The site's callbacks by due time, earliest first. Scope `read`."""
    in_order(due_from, due_before, "due_before")
    which = Wanted(frozenset(status), department, due_from, due_before, source_of(its.site), external_id)
    with handed_out():
        page = await here.views.callbacks(its.site, which, limit, cursor)
    return CallbackPage(items=[callback_body(known) for known in page.items], next=page.cursor)


@router.get("/{id}", responses=_ONE)
async def show(here: Here, its: Reader, id: str) -> CallbackBody:  # noqa: A002  # the path's own word
    """One callback. Scope `read`."""
    return callback_body(await _of(here, its, id))


@router.get("/{id}/attempts", responses=_ONE)
async def attempts(here: Here, its: Reader, id: str) -> Attempts:  # noqa: A002  # the path's own word
    """A callback's attempts, first to last. Scope `read`."""
    known = await _of(here, its, id)
    return Attempts(items=[call_body(attempt) for attempt in await here.views.attempts(known.callback.id)])


_CHANGES = {
    202: {"model": Changed, "description": "Undecided: a call is under way, and nobody has said yet who was first"},
    **_ONE,
    **documented(409),
}


@router.patch(
    "/{id}",
    response_model=Changed,
    responses={**_CHANGES, **documented(*WITH_BODY)},
    openapi_extra=schema_of("MoveRequest"),
)
async def move(request: Request, here: Here, its: Manager, id: str) -> Response:  # noqa: A002  # the path's own word
    """Move a callback to another time. Scope `manage`.

    200: it is moved. 202: a call is under way, and it is not known yet who was first. 409: too late, or the callback is
    over.
    """
    body, _ = await body_of(request)
    only(body, "at", "until")
    if "at" not in body:
        raise RequestRefused("field_missing", "at", "missing", remedy="send it; null is as soon as possible")
    wish = single_line(body["at"], "at", _MAX_TIME), single_line(body.get("until"), "until", _MAX_TIME)
    known = await _of(here, its, id)
    id_, now = known.callback.id, here.clock.now()
    change = await changes.move(here.changing, here.daemon.wake, here.directory, id_, wish, now, here.waiting)
    return _answer(change, known.external_id)


@router.delete("/{id}", response_model=Changed, responses=_CHANGES)
async def cancel(here: Here, its: Manager, id: str) -> Response:  # noqa: A002  # the path's own word
    """Cancel a callback. Scope `manage`; answers as for a move."""
    known = await _of(here, its, id)
    change = await changes.cancel(here.changing, here.daemon.wake, known.callback.id, _BY_API, here.waiting)
    return _answer(change, known.external_id)


async def _of(here: Services, its: KeyHolder, id_: str) -> Known:
    """The site's callback by this id. Raises `Problem`: also for another site's, as if there were none."""
    known = await here.views.callback(its.site, CallbackId(id_))
    if known is None:
        raise Problem(404, "callback_unknown", "there is no such callback")
    return known


def _answer(change: Change, external_id: str | None) -> Response:
    callback = change.callback
    if change.answer is Answer.TOO_LATE:
        raise Problem(409, "too_late", _too_late(callback))
    body = Changed(answer=change.answer, callback=promised_body(callback, external_id))
    return JSONResponse(body.model_dump(mode="json"), 200 if change.answer is Answer.DONE else 202)


def _too_late(callback: Callback) -> str:
    if callback.status is Status.IN_PROGRESS:
        return "the customer is being called; the change holds for what comes after this call"
    return f"by now the callback is {callback.status}"


def _from_a_page(body: dict[str, object], request: Request) -> None:
    """Whoever holds a key that anybody may read is known by where they come from, not by what they say; and an id of
    the site's own that they took would answer its server's request with a stranger's callback."""
    for field, what in _NOT_FROM_A_PAGE.items():
        if body.get(field) is not None:
            raise RequestRefused(f"{field}_not_allowed", field, what, remedy="leave it out")
    body["address"] = address_of(request) or None
