"""`dialer callbacks`: look at callbacks and change them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from dialer.cli import stops, story
from dialer.cli.answers import insist
from dialer.cli.host import reason, settings_of, wake_daemon
from dialer.cli.output import emit, line, local_stamp, say, stamp, table
from dialer.cli.paging import following
from dialer.cli.records import callback_record
from dialer.cli.stored import on_store
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Department
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.intake import changes
from dialer.intake.changes import Answer, Change
from dialer.scheduling.hours import is_open
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, Decision, Page, Pause

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("callback", "status", "due", "number", "department", "attempts", "reason")
_CORE = 4
_REASON = "Kept with the callback; no personal data."
_PAUSES_TOLD = 3

Id = Annotated[str, typer.Argument(metavar="ID", help="The callback's id, whole.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback()
def callbacks() -> None:
    """List, show, cancel, reschedule and resolve callbacks."""


@app.command("list")
def list_(
    context: typer.Context,
    status: Annotated[
        list[Status] | None,
        typer.Option(metavar="STATUS", help=f"May be repeated: {', '.join(Status)}.", show_default=False),
    ] = None,
    department: Annotated[str | None, typer.Option(metavar="ID", help="Only this department's.")] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List callbacks by due time, earliest first. Times are UTC. In a pipe: tabs between the cells, no heading."""
    which = CallbackFilter(frozenset(status or ()), department)

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[Callback]:
        return await store.callbacks(which, size, cursor)

    async def show(store: SqlStore) -> None:
        _tell_pauses(await store.pauses())
        async for found in following(store, page, limit):
            if as_json:
                for callback in found:
                    emit(callback_record(callback))
            else:
                table(_HEADINGS, [_row(callback) for callback in found], _CORE)

    on_store(settings_of(context), show)


@app.command()
def show(context: typer.Context, id_: Id, as_json: AsJson = False) -> None:  # noqa: FBT002  # an option
    """Show everything about one callback: the request, the next try and its reason, and each attempt's timeline."""
    settings = settings_of(context)

    async def tell(store: SqlStore) -> None:
        callback = await _get(store, id_)
        attempts, resolutions = await store.attempts(callback.id), await store.resolutions(callback.id)
        whole = story.Story(callback, attempts, resolutions, await store.pauses())
        if as_json:
            emit(story.record(whole, settings.directory()))
        else:
            story.tell(whole, settings.directory())

    on_store(settings, tell)


@app.command()
def cancel(
    context: typer.Context,
    id_: Id,
    reason: Annotated[str | None, typer.Option(parser=reason, metavar="TEXT", help=_REASON)] = None,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Cancel a callback. One whose attempt is under way is stopped unless its customer is being called already.

    Tells which of the two it was. Exit 0 only when nobody is called any more.
    """
    settings, why = settings_of(context), reason or "cancelled"
    change = on_store(
        settings,
        lambda store: changes.cancel(store, lambda: wake_daemon(settings), _id(id_), why, changes.Waiting()),
    )
    _tell_change(change, "cancelled", as_json=as_json)


@app.command()
def reschedule(
    context: typer.Context,
    id_: Id,
    at: Annotated[str, typer.Option(metavar="TIME", help="ISO 8601, by the site's clock unless it has an offset.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="The end of a window that begins then.")] = "",
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Give a callback another time; when nobody may be called then, the next moment at which one may.

    One whose attempt is under way is stopped and moved, unless its customer is being called already: then it holds for
    the next try. Tells which of the two it was. Exit 0 only when it is moved.
    """
    settings = settings_of(context)
    directory, now = settings.directory(), datetime.now(UTC)
    change = on_store(
        settings,
        lambda store: changes.move(
            store, lambda: wake_daemon(settings), directory, _id(id_), (at, until), now, changes.Waiting()
        ),
    )
    department = directory.departments[change.callback.department]
    zone = department.hours.zone
    if change.answer is Answer.DONE:
        _tell_delay(change.callback, department, change.callback.wanted_at or now)
    _tell_change(change, f"due {local_stamp(change.callback.due_at, zone)} {zone.key}", as_json=as_json)


@app.command()
def resolve(
    context: typer.Context,
    id_: Id,
    decision: Annotated[Decision, typer.Option("--as", metavar="HOW", help=f"One of: {', '.join(Decision)}.")],
    reason: Annotated[str, typer.Option(parser=reason, metavar="TEXT", help=_REASON)],
    force: Annotated[bool, typer.Option("--force", help="Try again even if it may be a second call.")] = False,  # noqa: FBT002  # an option
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Decide on a callback that needs a person, because nobody saw what became of its last attempt.

    Shows what is known of that attempt; its PBX is asked, if it can be. A retry is due at once, and refused unless the
    PBX shows that the last attempt is over and reached nobody: what is left of it is hung up. --force takes the risk;
    that, who decided and why is recorded.
    """
    # It brings the PBX's client, which nothing else here needs.
    from dialer.cli import resolving  # noqa: PLC0415  # as just said

    settings = settings_of(context)
    request = resolving.Request(decision, reason, force, as_json)

    async def decide(store: SqlStore) -> None:
        await resolving.resolve(store, settings, await _get(store, id_), request)

    on_store(settings, decide)
    wake_daemon(settings)


def _tell_change(change: Change, done: str, *, as_json: bool) -> None:
    """Tell who won: `done`, or in one line on stderr why not. Raises `IllegalState` then."""
    if as_json:
        emit({**callback_record(change.callback), "answer": change.answer})
    elif change.answer is Answer.DONE:
        line(f"{change.callback.id}  {done}")
    insist(change)


def _tell_delay(callback: Callback, department: Department, asked: datetime) -> None:
    """Say why a callback is not due at the time asked for."""
    if callback.due_at <= asked:
        return
    at = local_stamp(asked, department.hours.zone)
    if is_open(department.hours, asked):
        say(f"this number may not be called at {at}, by its own clock: due when it may")
    else:
        say(f"{department.name} is closed at {at}: due when it opens")


async def _get(store: SqlStore, id_: str) -> Callback:
    found = await store.get(_id(id_))
    if found is None:
        raise IllegalState("there is no such callback", where=_id(id_), remedy="see: dialer callbacks list")
    return found


def _id(text: str) -> CallbackId:
    """The id as it is stored: people type capitals and small letters."""
    return CallbackId(text.strip().upper())


def _tell_pauses(pauses: Sequence[Pause]) -> None:
    for pause in stops.ordered(pauses)[:_PAUSES_TOLD]:
        say(stops.words(pause))
    if len(pauses) > _PAUSES_TOLD:
        say(f"and {len(pauses) - _PAUSES_TOLD} more; see: dialer pauses")


def _row(callback: Callback) -> tuple[str, ...]:
    return (
        callback.id,
        callback.status,
        stamp(callback.due_at),
        callback.visitor.phone,
        callback.department,
        str(callback.attempts),
        callback.reason,
    )
