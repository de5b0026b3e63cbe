"""`dialer callbacks`: look at callbacks and change them."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from dialer.cli import story
from dialer.cli.host import reason, settings_of, wake_daemon
from dialer.cli.output import emit, line, local_stamp, say, stamp, table
from dialer.cli.paging import following
from dialer.cli.records import callback_record
from dialer.cli.stored import on_store
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Department, Directory
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.intake.moments import wanted
from dialer.scheduling.hours import next_opening
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter, Decision, Page, Pause

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("callback", "status", "due", "number", "department", "attempts", "reason")
_CORE = 4
_REASON = "Kept with the callback; no personal data."

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
        _tell_pause(await store.pause_in_force())
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
        whole = story.Story(callback, attempts, resolutions, await store.pause_in_force())
        if as_json:
            emit(story.record(whole, settings.directory()))
        else:
            story.tell(whole, settings.directory())

    on_store(settings, tell)


@app.command()
def cancel(
    context: typer.Context,
    id_: Id,
    reason: Annotated[str, typer.Option(parser=reason, metavar="TEXT", help=_REASON)] = "cancelled",
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Cancel a callback that is still scheduled. A call in progress cannot be cancelled here."""
    settings = settings_of(context)
    changed = on_store(settings, lambda store: store.cancel(_id(id_), reason))
    wake_daemon(settings)
    if as_json:
        emit(callback_record(changed))
    else:
        line(f"{changed.id}  {changed.status}")


@app.command()
def reschedule(
    context: typer.Context,
    id_: Id,
    at: Annotated[str, typer.Option(metavar="TIME", help="ISO 8601, by the site's clock unless it has an offset.")],
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Give a scheduled callback another time; when the department is closed then, its next opening."""
    settings = settings_of(context)
    directory = settings.directory()

    async def change(store: SqlStore) -> Callback:
        department = _department(await _get(store, id_), directory)
        return await store.reschedule(_id(id_), _due(at, department))

    changed = on_store(settings, change)
    wake_daemon(settings)
    if as_json:
        emit(callback_record(changed))
    else:
        zone = directory.departments[changed.department].hours.zone
        line(f"{changed.id}  due {local_stamp(changed.due_at, zone)} {zone.key}")


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


def _due(at: str, department: Department) -> datetime:
    """When a callback wanted `at` is due; says so when that is later. Raises `RequestRefused`, `IllegalState`."""
    now = datetime.now(UTC)
    zone = department.hours.zone
    asked = wanted(at, "--at", zone, now) or now
    due = next_opening(department.hours, asked)
    if due is None:
        raise IllegalState("the department never opens", where=department.id)
    if due > asked:
        say(f"{department.name} is closed at {local_stamp(asked, zone)}: due when it opens")
    return due


def _department(callback: Callback, directory: Directory) -> Department:
    found = directory.departments.get(callback.department)
    if found is None:
        what = f"its department {callback.department} is not in the configuration"
        raise IllegalState(what, where=callback.id, remedy="add the department again, or cancel the callback")
    return found


async def _get(store: SqlStore, id_: str) -> Callback:
    found = await store.get(_id(id_))
    if found is None:
        raise IllegalState("there is no such callback", where=_id(id_), remedy="see: dialer callbacks list")
    return found


def _id(text: str) -> CallbackId:
    """The id as it is stored: people type capitals and small letters."""
    return CallbackId(text.strip().upper())


def _tell_pause(pause: Pause | None) -> None:
    if pause is not None:
        say(f"everything is paused since {stamp(pause.since)} by {pause.who}{f': {pause.why}' if pause.why else ''}")


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
