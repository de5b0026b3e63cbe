"""`/v1/do-not-call`: who does not want to be called any more."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from dialer.domain import phone
from dialer.domain.errors import RequestRefused
from dialer.intake import changes
from dialer.intake.changes import Answer
from dialer.intake.keys import KeyHolder
from dialer.intake.text import single_line
from dialer.web.access import holder
from dialer.web.bodies import ObjectionBody, ObjectionPage, Silent
from dialer.web.problems import EVERYWHERE, WITH_BODY, Problem, documented
from dialer.web.requests import (
    Cursor,
    Limit,
    body_of,
    handed_out,
    known_parameters,
    only,
    schema_of,
    services_of,
)
from dialer.web.senders import source_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/do-not-call", tags=["do-not-call"], dependencies=[Depends(known_parameters)])

Here = Annotated[Services, Depends(services_of)]
Manager = Annotated[KeyHolder, Depends(holder("manage"))]

_MAX_PHONE = 100
_MAX_WHY = 200
_UNSAID = "told to the site"
_ALWAYS = documented(*EVERYWHERE)


@router.get("", responses=_ALWAYS)
async def listed(here: Here, its: Manager, limit: Limit = 100, cursor: Cursor = None) -> ObjectionPage:
    """The numbers that the site put on the list, first to last. Scope `manage`.

    The list holds for everybody; what others put on it is theirs to see.
    """
    with handed_out():
        page = await here.views.objections(source_of(its.site), limit, cursor)
    items = [ObjectionBody(phone=each.number, why=each.why, since=each.since) for each in page.items]
    return ObjectionPage(items=items, next=page.cursor)


@router.post(
    "",
    status_code=201,
    responses={**_ALWAYS, **documented(*WITH_BODY)},
    openapi_extra=schema_of("ObjectionRequest"),
)
async def add(request: Request, here: Here, its: Manager) -> Silent:
    """Keep a number from being called, by any site. Scope `manage`.

    What waits for it ends; a call under way is stopped unless its customer is being called already.
    """
    body, _ = await body_of(request)
    only(body, "phone", "why")
    number = _number(single_line(body.get("phone"), "phone", _MAX_PHONE), here, its)
    why = single_line(body.get("why"), "why", _MAX_WHY) or _UNSAID
    done = await changes.object_to(here.changing, here.daemon.wake, number, source_of(its.site), why, here.waiting)
    ours = [id_ for id_ in done.rejected if await here.views.callback(its.site, id_) is not None]
    answers = Counter(change.answer for change in done.under_way if change.callback.site == its.site)
    return Silent(
        phone=number,
        rejected=len(ours),
        stopped=answers[Answer.DONE],
        too_late=answers[Answer.TOO_LATE],
        undecided=answers[Answer.UNDECIDED],
    )


@router.delete("/{number}", status_code=204, responses={**_ALWAYS, **documented(404)})
async def remove(here: Here, its: Manager, number: str) -> None:
    """Take a number off the list that the site put there. Scope `manage`.

    It stays for as long as somebody else objects, such as the visitor by their own page.
    """
    if not await here.views.withdraw(_number(number, here, its), source_of(its.site)):
        raise Problem(404, "objection_unknown", "the site did not put this number on the list")


def _number(text: str, here: Services, its: KeyHolder) -> str:
    if not text:
        raise RequestRefused("field_missing", "phone", "missing or empty", remedy="send it")
    return phone.parse(text, here.directory.sites[its.site].region).e164
