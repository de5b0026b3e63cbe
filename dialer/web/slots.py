"""`/v1/departments/{id}/slots`: the times that can be promised."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from dialer.intake.allowance import Allowance
from dialer.intake.keys import KeyHolder
from dialer.intake.moments import MAX_AHEAD
from dialer.intake.slots import slots
from dialer.intake.submission import callable_number
from dialer.web.access import holder
from dialer.web.bodies import Slot, Slots
from dialer.web.problems import EVERYWHERE, Problem, documented
from dialer.web.requests import Instant, in_order, known_parameters, services_of
from dialer.web.senders import departments_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/departments", tags=["slots"], dependencies=[Depends(known_parameters)])

_USUAL_SPAN = timedelta(days=7)
_LONGEST_SPAN = timedelta(days=31)
_MOST = 500

Minutes = Annotated[
    int, Query(description="Minutes from one to the next.", json_schema_extra={"enum": [5, 10, 15, 20, 30, 60]})
]


@router.get("/{id}/slots", responses=documented(*EVERYWHERE, 404))
async def offered(
    here: Annotated[Services, Depends(services_of)],
    its: Annotated[KeyHolder, Depends(holder("submit"))],
    id: str,  # noqa: A002  # the path's own word
    since: Annotated[Instant, Query(alias="from")] = None,
    until: Instant = None,
    number: Annotated[
        str | None,
        Query(max_length=100, description="Whom to call, for their quiet hours; absent: those of the site's own zone."),
    ] = None,
    every: Minutes = 15,
) -> Slots:
    """The times that can be promised, at most 500 of 31 days: a request `at` one of them is promised exactly that.

    Scope `submit`; from pages of the site's own origins, too. From now, and for 7 days, unless it is said otherwise.
    """
    department = departments_of(here.directory, its.site).get(id)
    if department is None:
        raise Problem(404, "department_unknown", "the site has no such department")
    if every not in {5, 10, 15, 20, 30, 60}:
        raise Problem(
            422, "field_invalid", "not a part of an hour that is known: 5, 10, 15, 20, 30 or 60", field="every"
        )
    in_order(since, until, "until")
    now = here.clock.now()
    allowed = await Allowance(here.submissions, here.directory, now).free_from(department)
    end = now + MAX_AHEAD
    first = min(max(since or now, now, allowed), end)
    last = min(until or first + _USUAL_SPAN, first + _LONGEST_SPAN, end)
    e164 = callable_number(number, department, here.directory) if number is not None else None
    found = slots(here.directory, department, e164, first, last, timedelta(minutes=every), _MOST)
    zone = department.hours.zone
    return Slots(
        department=department.id,
        zone=zone.key,
        slots=[
            Slot(at=each.due_at.astimezone(zone), expires_at=each.expires_at and each.expires_at.astimezone(zone))
            for each in found
        ],
    )
