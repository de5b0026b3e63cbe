"""`dialer calls`: the call log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from dialer.cli.host import instant, settings_of
from dialer.cli.output import emit, stamp, table
from dialer.cli.paging import following
from dialer.cli.records import CALL_FIELDS, call_record, lateness
from dialer.cli.sheets import sheet
from dialer.cli.stored import on_store
from dialer.domain.attempt import Attempt
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from dialer.store.views import CallFilter, Page

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = (
    *("started", "number", "outcome", "talk s", "agent", "department", "hung up", "late s", "caller id", "cause"),
    *("PBX", "callback"),
)
_CORE = 3


@app.command()
def calls(
    context: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="TIME", help="Ended at this time or later; UTC unless it has an offset."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=instant, metavar="TIME", help="Ended before this time.")
    ] = None,
    department: Annotated[str | None, typer.Option(metavar="ID", help="Only this department's.")] = None,
    outcome: Annotated[
        list[Outcome] | None,
        typer.Option(metavar="OUTCOME", help=f"May be repeated: {', '.join(Outcome)}.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002  # an option
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Show ended attempts, newest end first: number dialled, caller ID presented, times, outcome and cause.

    Times are UTC; talk is from the customer's answer to the end; late is Originate sent less due. In a pipe: tabs
    between the cells, no heading.
    """
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv")
    which = CallFilter(frozenset(outcome or ()), department, since, until)

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[Attempt]:
        return await store.calls(which, size, cursor)

    async def show(store: SqlStore) -> None:
        if as_csv:
            sheet([CALL_FIELDS])
        async for found in following(store, page, limit):
            _tell(found, as_json=as_json, as_csv=as_csv)

    on_store(settings_of(context), show)


def _tell(found: Sequence[Attempt], *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        for attempt in found:
            emit(call_record(attempt))
    elif as_csv:
        sheet(call_record(attempt).values() for attempt in found)
    else:
        table(_HEADINGS, [_row(attempt) for attempt in found], _CORE)


def _row(attempt: Attempt) -> tuple[str, ...]:
    end, late = attempt.verdict, lateness(attempt)
    return (
        stamp(attempt.created_at),
        attempt.dialled,
        end.outcome if end else "",
        f"{end.talk.total_seconds():.1f}" if end else "",
        attempt.agent,
        attempt.department,
        (end.hung_up_by or "") if end else "",
        "" if late is None else f"{late.total_seconds():.3f}",
        attempt.caller_id,
        str(end.cause) if end and end.cause is not None else "",
        attempt.pbx,
        attempt.callback_id,
    )
