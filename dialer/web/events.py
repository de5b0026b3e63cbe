"""`/v1/events`: what the widget tells, anonymously."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from dialer.intake.keys import KeyHolder
from dialer.intake.widget import widget_events
from dialer.reports.spans import day_start
from dialer.web.access import holder
from dialer.web.problems import documented
from dialer.web.requests import body_of, known_parameters, schema_of, services_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[Depends(known_parameters)])


@router.post(
    "",
    status_code=204,
    responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503),
    openapi_extra=schema_of("EventsRequest"),
)
async def tell(
    request: Request,
    here: Annotated[Services, Depends(services_of)],
    its: Annotated[KeyHolder, Depends(holder("submit", lambda services: services.events_door))],
) -> None:
    """Tell how far visits came: 1 to 50 events. Scope `submit`; from pages of the site's own origins, too.

    Whatever holds more than kind, session and page is refused whole. What a session tells twice on a day of the same
    page counts once, so an answer that was lost may be asked for again. These requests have limits of their own.
    """
    body, _ = await body_of(request)
    zone = here.directory.sites[its.site].zone
    await here.events.tell(widget_events(body, its.site), day_start(zone, here.clock.now()))
