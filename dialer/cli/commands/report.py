"""`dialer report`: figures of a span of days."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Annotated, Any

import typer

from dialer.cli.host import settings_of
from dialer.cli.output import emit, line, table
from dialer.cli.sheets import sheet
from dialer.cli.stored import on_store
from dialer.domain.errors import RequestRefused
from dialer.reports import report as reports
from dialer.reports.groups import By
from dialer.reports.report import FIGURES, Figures, Kind, Question
from dialer.store.reports import ReportRows
from dialer.store.store import SqlStore, utc_now

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_CORE = 4


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("not a date, such as 2030-05-17") from None


@app.command()
def report(  # noqa: PLR0913, PLR0917  # the options
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help=f"One of: {', '.join(Kind)}.", show_default=False)],
    by: Annotated[
        By | None, typer.Option(metavar="WHAT", help=f"Told apart by: {', '.join(By)}.", show_default=False)
    ] = None,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=_day, metavar="DATE", help="The first day; else 7 days; usage: this month."),
    ] = None,
    until: Annotated[
        date | None, typer.Option(parser=_day, metavar="DATE", help="The day after the last; else with today.")
    ] = None,
    site: Annotated[str, typer.Option(metavar="ID", help="Only this site's.", show_default=False)] = "",
    department: Annotated[str, typer.Option(metavar="ID", help="Only this department's.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002  # an option
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Show figures of the attempts that began in a span, or of the widget's events in it.

    Days are those of the site's clock. What each figure means: docs/reports.md. In a pipe: tabs between the cells, no
    heading.
    """
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv")
    settings = settings_of(context)
    directory = settings.directory()
    try:
        asked = reports.question(directory, utc_now(), kind, by, first, until, site, department)
    except RequestRefused as refusal:
        raise typer.BadParameter(f"{refusal.what}; {refusal.remedy}", param_hint=f"--{refusal.field}") from None

    async def work(store: SqlStore) -> Sequence[Figures]:
        return await reports.report(ReportRows(store), directory, asked, asyncio.to_thread)

    found = on_store(settings, work)
    if as_json:
        for each in found:
            emit(_record(asked, each))
    elif as_csv:
        names = [field.name for field in fields(FIGURES[kind])]
        sheet([names, *(asdict(each).values() for each in found)])
    else:
        _show(asked, found)


def _record(asked: Question, row: Figures) -> dict[str, object]:
    span = asked.span
    about = {"report": asked.kind, "from": span.since, "until": span.before, "by": asked.by}
    return {**about, **asdict(row)}


def _show(asked: Question, found: Sequence[Figures]) -> None:
    names = [field.name for field in fields(FIGURES[asked.kind]) if field.name != "group" or asked.by is not None]
    if sys.stdout.isatty():
        span = asked.span
        first, until = (at.astimezone(span.zone).date() for at in (span.since, span.before))
        line(f"{asked.kind} from {first} until {until}, {span.zone.key}")
    headings = [_heading(name, asked) for name in names]
    table(headings, [[_cell(name, getattr(row, name)) for name in names] for row in found], min(_CORE, len(names)))


def _heading(name: str, asked: Question) -> str:
    if name == "group":
        return str(asked.by)
    return name.removesuffix("_share").replace("_seconds", "_s").replace("_", " ")


def _cell(name: str, value: Any) -> str:
    """Shares in per cent; nothing where there is no figure."""
    if value is None:
        return ""
    if name.endswith(("rate", "share")):
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if name.endswith("_seconds") and isinstance(value, float) else str(value)
