"""A report from the question to its figures."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar, assert_never

from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused
from dialer.reports.calls import Answers, AnswersSums, Ends, EndsSums, Punctuality, PunctualitySums
from dialer.reports.funnel import Funnel, FunnelSums
from dialer.reports.groups import UTC_ZONE, By, Tally, grouped, zone_of
from dialer.reports.rows import Call, Visit
from dialer.reports.spans import Span, last_days, month_so_far
from dialer.reports.usage import Usage, usage

T = TypeVar("T")

Figures = Punctuality | Answers | Ends | Funnel | Usage


class Kind(StrEnum):
    """What a report tells."""

    PUNCTUALITY = "punctuality"
    ANSWERS = "answers"
    OUTCOMES = "outcomes"
    FUNNEL = "funnel"
    USAGE = "usage"


FIGURES: Mapping[Kind, type[Figures]] = {
    Kind.PUNCTUALITY: Punctuality,
    Kind.ANSWERS: Answers,
    Kind.OUTCOMES: Ends,
    Kind.FUNNEL: Funnel,
    Kind.USAGE: Usage,
}
"""What a report's rows are."""

_BY = {
    **dict.fromkeys((Kind.PUNCTUALITY, Kind.ANSWERS, Kind.OUTCOMES), tuple(By)),
    Kind.FUNNEL: (By.SITE, By.HOUR, By.WEEKDAY, By.DAY),
    Kind.USAGE: (),
}
"""By what each kind can be told apart."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to report; '' for all sites, or all departments."""

    kind: Kind
    span: Span
    by: By | None = None
    site: str = ""
    department: str = ""


class Source(Protocol):
    """Where the rows come from, some at a time, made as they are gone through. Raises `StoreError`."""

    def calls(self, span: Span, site: str, department: str) -> AsyncIterator[Iterable[Call]]:
        """The attempts that began in the span and have ended."""

    def visits(self, span: Span, sites: Sequence[str]) -> AsyncIterator[Iterable[Visit]]:
        """The first of each kind that a session told on a day, in the span, of these sites."""


class Apart(Protocol):
    """Calls a function so that the loop is not held up: on a thread of its own, where calls are being placed."""

    def __call__(self, _function: Callable[..., T], /, *_arguments: Any) -> Awaitable[T]: ...


def question(
    directory: Directory,
    now: datetime,
    kind: Kind,
    by: By | None = None,
    first: date | None = None,
    until: date | None = None,
    site: str = "",
    department: str = "",
) -> Question:
    """The question that somebody asks. The days are those of the site's zone; of all sites', where they have the same
    one, else of UTC. Raises `RequestRefused`: what cannot be asked so."""
    if by is not None and by not in _BY[kind]:
        can = ", ".join(_BY[kind])
        raise RequestRefused("report_by", "by", f"{kind} cannot be told so", remedy=f"by: {can}" if can else "leave it")
    if department and kind is Kind.FUNNEL:
        raise RequestRefused("report_department", "department", "events belong to a site", remedy="give a site")
    own = _site(directory, site, department)
    zones = {zone_of(own, directory)} if own else {each.zone for each in directory.sites.values()}
    zone = zones.pop() if len(zones) == 1 else UTC_ZONE
    span = month_so_far if kind is Kind.USAGE else last_days
    return Question(kind, span(first, until, zone, now), by, site, department)


def _site(directory: Directory, site: str, department: str) -> str:
    """The site that is asked about; '' for all. Raises `RequestRefused`."""
    if site and site not in directory.sites:
        raise RequestRefused("site_unknown", "site", "no such site", remedy="give a site's id")
    if not department:
        return site
    place = directory.departments.get(department)
    if place is None or (site and place.site != site):
        raise RequestRefused("department_unknown", "department", "no such department", remedy="give one of the site's")
    return place.site


async def report(source: Source, directory: Directory, asked: Question, apart: Apart) -> Sequence[Figures]:
    """The figures, in the order of their groups. Raises `StoreError`."""
    if asked.kind is Kind.FUNNEL:
        sites = [asked.site] if asked.site else sorted(directory.sites)
        return await _counted(grouped(FunnelSums, asked.by, directory), source.visits(asked.span, sites), apart)
    calls = source.calls(asked.span, asked.site, asked.department)
    match asked.kind:
        case Kind.PUNCTUALITY:
            return await _counted(grouped(PunctualitySums, asked.by, directory), calls, apart)
        case Kind.ANSWERS:
            return await _counted(grouped(AnswersSums, asked.by, directory), calls, apart)
        case Kind.OUTCOMES:
            return await _counted(grouped(EndsSums, asked.by, directory), calls, apart)
        case Kind.USAGE:
            return await _counted(usage(directory), calls, apart)
        case _:
            assert_never(asked.kind)


_Row = TypeVar("_Row", Call, Visit)


async def _counted(tally: Tally[_Row, T], pages: AsyncIterator[Iterable[_Row]], apart: Apart) -> list[T]:
    async for rows in pages:
        await apart(tally.take, rows)
    return await apart(tally.figures)
