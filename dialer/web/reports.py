"""`/v1/reports`: the site's own figures."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from dialer.intake.keys import KeyHolder
from dialer.reports.calls import Answers, Ends, Punctuality
from dialer.reports.funnel import Funnel
from dialer.reports.groups import By
from dialer.reports.report import Kind, question
from dialer.reports.usage import Usage
from dialer.web.access import holder
from dialer.web.problems import Problem, documented
from dialer.web.requests import known_parameters, services_of
from dialer.web.services import Services

router = APIRouter(prefix="/v1/reports", tags=["reports"], dependencies=[Depends(known_parameters)])

_LONGEST = timedelta(days=400)


class Report(BaseModel):
    """Figures of a span, which begins at `since` and ends before `before`; days are those of `zone`. Durations are
    seconds, shares and rates 0 to 1; null: there was nothing to make the figure of."""

    kind: Kind
    site: str
    department: str
    since: AwareDatetime
    before: AwareDatetime
    zone: str
    by: By | None
    rows: list[Punctuality] | list[Answers] | list[Ends] | list[Funnel] | list[Usage]


@router.get("/{kind}", responses=documented(400, 401, 403, 422, 429, 503))
async def report(
    here: Annotated[Services, Depends(services_of)],
    its: Annotated[KeyHolder, Depends(holder("read"))],
    kind: Kind,
    by: Annotated[By | None, Query(description="What tells the rows apart; absent: one row for all.")] = None,
    first: Annotated[date | None, Query(alias="from", description="The first day; absent: 7 days.")] = None,
    until: Annotated[date | None, Query(description="The day after the last; absent: with today.")] = None,
    department: Annotated[str, Query(max_length=40, description="Only this department's.")] = "",
) -> Report:
    """Figures of the site's attempts that began in a span of at most 400 days, or of its widget's events. Scope `read`.

    Usage is told by account, month and destination, and from the beginning of the month unless it is said otherwise.
    """
    asked = question(here.directory, here.clock.now(), kind, by, first, until, its.site, department)
    span = asked.span
    first_day, end = (at.astimezone(span.zone).date() for at in (span.since, span.before))
    if end - first_day > _LONGEST:  # in days: some have 23 or 25 hours
        raise Problem(422, "span_long", f"longer than {_LONGEST.days} days", field="from")
    rows = await here.reporter.report(here.directory, asked)
    return Report(
        kind=kind,
        site=its.site,
        department=department,
        since=span.since.astimezone(span.zone),
        before=span.before.astimezone(span.zone),
        zone=span.zone.key,
        by=by,
        rows=rows,  # type: ignore[arg-type]  # all of one kind, which the checker cannot see
    )
