"""`/v1/calls`: the call log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from dialer.domain.outcome import Outcome
from dialer.intake.keys import KeyHolder
from dialer.intake.listing import WantedCalls
from dialer.web.access import holder
from dialer.web.bodies import CallPage, call_body
from dialer.web.problems import EVERYWHERE, documented
from dialer.web.requests import Cursor, Instant, Limit, handed_out, in_order, known_parameters, services_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/calls", tags=["calls"], dependencies=[Depends(known_parameters)])


@router.get("", responses=documented(*EVERYWHERE))
async def calls(
    here: Annotated[Services, Depends(services_of)],
    its: Annotated[KeyHolder, Depends(holder("read"))],
    outcome: Annotated[list[Outcome], Query(description="Any of these; none: all.")] = [],  # noqa: B006  # as FastAPI has it
    department: str | None = None,
    since: Instant = None,
    before: Instant = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CallPage:
    """The site's ended calls by their end, newest first; those of its departments that are gone, too. Scope `read`."""
    in_order(since, before, "before")
    which = WantedCalls(frozenset(outcome), department, since, before)
    with handed_out():
        page = await here.views.calls(its.site, which, limit, cursor)
    return CallPage(items=[call_body(attempt) for attempt in page.items], next=page.cursor)
