"""`dialer do-not-call`: the numbers that are never called."""

import sys
from collections import Counter
from typing import Annotated

import typer

from dialer.cli.answers import unmet
from dialer.cli.host import reason, settings_of, wake_daemon, who
from dialer.cli.output import emit, line, say, stamp, table
from dialer.cli.paging import following
from dialer.cli.records import objection_record
from dialer.cli.stored import on_store
from dialer.domain import phone
from dialer.intake import changes
from dialer.intake.changes import Answer, Silenced
from dialer.store.store import SqlStore
from dialer.store.views import Objection, Page

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("number", "since", "by", "why")
_CORE = 4


def _region(text: str) -> str:
    if not phone.known_region(text):
        raise typer.BadParameter('no such region; write it like "GB"')
    return text


_LONGEST = 400
"""Bytes of a number on stdin: 100 characters."""

Number = Annotated[
    str,
    typer.Argument(metavar="NUMBER", show_default=False, help="- reads it from stdin: other users see a command line."),
]
Region = Annotated[
    str, typer.Option(parser=_region, metavar="REGION", help="Where a national number is read (ISO 3166).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback()
def do_not_call() -> None:
    """Keep numbers from being called, by any account."""


@app.command()
def add(
    context: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option(parser=reason, metavar="TEXT", help="Kept with it; no personal data.")],
    region: Region = "GB",
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Put NUMBER on the list.

    It is refused from now on, and what waits for it ends as rejected. A call in progress is stopped unless its customer
    is being called already; which of the two it was is told.
    """
    settings = settings_of(context)
    e164 = _e164(number, region)
    done = on_store(
        settings,
        lambda store: changes.object_to(store, lambda: wake_daemon(settings), e164, who(), reason, changes.Waiting()),
    )
    if as_json:
        emit({"number": e164, "rejected": done.rejected, "in_progress": _in_progress(done)})
    else:
        _tell(e164, done)


@app.command()
def remove(
    context: typer.Context,
    number: Number,
    region: Region = "GB",
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Take NUMBER off the list; who did is recorded. What was rejected for it stays so."""
    settings = settings_of(context)
    e164 = _e164(number, region)
    removed = on_store(settings, lambda store: store.allow_again(e164, who()))
    if as_json:
        emit({"number": e164, "removed": removed})
    else:
        line(f"{e164} may be called again" if removed else f"{e164} was not on the list")


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List the numbers that are never called. Times are UTC. In a pipe: tabs between the cells, no heading."""

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[Objection]:
        return await store.objections(size, cursor)

    async def show(store: SqlStore) -> None:
        async for found in following(store, page, limit):
            if as_json:
                for objection in found:
                    emit(objection_record(objection))
            else:
                table(_HEADINGS, [(each.number, stamp(each.since), each.who, each.why) for each in found], _CORE)

    on_store(settings_of(context), show)


def _e164(number: str, region: str) -> str:
    """The number that was given. Raises `RequestRefused`."""
    text = sys.stdin.buffer.readline(_LONGEST).decode(errors="replace") if number == "-" else number
    return phone.parse(text, region).e164


def _in_progress(done: Silenced) -> list[dict[str, object]]:
    return [{"id": each.callback.id, "answer": each.answer, "status": each.callback.status} for each in done.under_way]


def _tell(number: str, done: Silenced) -> None:
    count = Counter(change.answer for change in done.under_way)
    told = [f"{number} is never called", f"rejected {len(done.rejected)} waiting"]
    if done.under_way:
        told.append(f"stopped {count[Answer.DONE]} of {len(done.under_way)} in progress")
    line("; ".join(told))
    for change in done.under_way:
        if why := unmet(change):
            say(f"{change.callback.id}: {why}")
