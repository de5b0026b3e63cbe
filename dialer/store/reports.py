"""What reports are made of, read by index a page at a time: only the columns that are needed, and nobody's name."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, Text, and_, exists, func, select, tuple_, type_coerce

from dialer.domain.outcome import Outcome
from dialer.domain.widget import EventKind
from dialer.reports.rows import Call, Visit
from dialer.reports.spans import Span
from dialer.store.columns import from_micros
from dialer.store.event_tables import event
from dialer.store.reading import AnyRow, Reading
from dialer.store.tables import HAS_SESSION, attempt, callback, word

_PAGE = 500
_SAME_VISIT = timedelta(hours=1) // timedelta(microseconds=1)

_SENT, _DIALLED, _ANSWERED = "originate_sent", "customer_dialling", "bridged"

Place = tuple[datetime, Any]


class ReportRows:
    """Implements the reports' `Source`. Raises `StoreError`."""

    def __init__(self, store: Reading) -> None:
        self._store = store

    async def calls(self, span: Span, site: str, department: str) -> AsyncIterator[Iterable[Call]]:
        """The attempts that began in the span and have ended, first to last."""
        after: Place | None = None
        while rows := await self._store.read(ended_calls(span, site, department, after)):
            yield map(_call, rows)
            after = rows[-1].created_at, rows[-1].id

    async def visits(self, span: Span, sites: Sequence[str]) -> AsyncIterator[Iterable[Visit]]:
        """The first of each kind that a session told on a day, in the span; site by site."""
        for site in sites:
            after: Place | None = None
            while rows := await self._store.read(first_events(span, site, after)):
                yield map(_visit, rows)
                after = rows[-1].at, rows[-1].id


def ended_calls(span: Span, site: str, department: str, after: Place | None) -> Select[Any]:
    """A page of attempts that began in the span and have ended: those after this moment and id."""
    c, its = attempt.c, callback.c
    columns = (
        *(c.id, its.site, c.department, c.agent, c.dialled, c.outcome, c.due_at, c.ready_at, c.created_at),
        func.coalesce(its.wanted_at, its.requested_at, type_=its.requested_at.type).label("promised_at"),
        *(c.talk_us, type_coerce(c.timeline, Text).label("timeline")),
    )
    wanted = [c.created_at >= span.since, c.created_at < span.before, c.ended_at.is_not(None)]
    if site:
        # Not the bare column: a database would begin with all callbacks that the site ever had.
        wanted.append(its.site.concat("") == site)
    if department:
        wanted.append(c.department == department)
    if after is not None:
        wanted.append(tuple_(c.created_at, c.id) > after)
    found = select(*columns).join(callback, its.id == c.callback_id).where(*wanted)
    return found.order_by(c.created_at, c.id).limit(_PAGE)


def first_events(span: Span, site: str, after: Place | None) -> Select[Any]:
    """A page of a site's events in the span that the funnel counts: those after this moment and id."""
    c = event.c
    wanted = [c.site == site, c.at >= span.since, c.at < span.before, c.first]
    if after is not None:
        wanted.append(tuple_(c.at, c.id) > after)
    at, requested_at = (type_coerce(each, BigInteger) for each in (c.at, callback.c.requested_at))
    its = and_(
        *(callback.c.session == c.session, HAS_SESSION, callback.c.site == c.site),
        *(requested_at >= at - _SAME_VISIT, requested_at < at + _SAME_VISIT),
    )
    submitted = c.kind == word(EventKind.SUBMIT)
    reached = exists().where(attempt.c.callback_id == callback.c.id, attempt.c.outcome == word(Outcome.CONNECTED))
    columns = (
        *(c.id, c.site, c.kind, c.at),
        and_(submitted, exists().where(its)).label("requested"),
        and_(submitted, exists().where(its, reached)).label("connected"),
    )
    return select(*columns).where(*wanted).order_by(c.at, c.id).limit(_PAGE)


def _visit(row: AnyRow) -> Visit:
    return Visit(row.site, EventKind(row.kind), row.at, bool(row.requested), bool(row.connected))


def _call(row: AnyRow) -> Call:
    # By position: by name, reading the row would cost as much as all the rest.
    (_, site, department, agent, number, outcome, due_at, ready_at, begun_at, promised_at, talk_us, timeline) = row
    # The first time of each: a step that was noted again is an echo.
    steps = {name: at for name, at, _ in reversed(json.loads(timeline or "[]"))}
    return Call(
        site,
        department,
        agent,
        number,
        Outcome(outcome),
        due_at,
        ready_at,
        begun_at,
        _at(steps, _SENT),
        _at(steps, _DIALLED),
        _at(steps, _ANSWERED),
        promised_at,
        timedelta(microseconds=talk_us or 0),
    )


def _at(steps: dict[str, int], name: str) -> datetime | None:
    micros = steps.get(name)
    return None if micros is None else from_micros(micros)
