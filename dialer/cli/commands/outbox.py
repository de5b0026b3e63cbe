"""`dialer outbox`: what others have still to be told, and what was given up."""

from datetime import datetime
from typing import Annotated

import typer

from dialer.cli.host import settings_of, wake_daemon
from dialer.cli.output import emit, fine_stamp, line, pairs, stamp, table
from dialer.cli.paging import following
from dialer.cli.records import Record
from dialer.cli.stored import on_store
from dialer.notify.outbox import DeliveryState
from dialer.store.deliveries import Deliveries, Delivery
from dialer.store.store import SqlStore
from dialer.store.views import Page

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("id", "subscriber", "state", "callback", "status", "tries", "since", "next try", "why")
_CORE = 6

Id = Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)]
Name = Annotated[str | None, typer.Option("--subscriber", metavar="NAME", help="Such as webhook:crm.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.callback()
def outbox() -> None:
    """Look at what others have still to be told of callbacks, and tell them again."""


@app.command("list")
def list_(
    context: typer.Context,
    subscriber: Name = None,
    state: Annotated[
        DeliveryState | None, typer.Option(metavar="STATE", help="waiting or dead (given up).", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List deliveries that wait or were given up, first to last: for whom, of which callback, since when, and why.

    Times are UTC. In a pipe: tabs between the cells, no heading.
    """
    if state is DeliveryState.DELIVERED:
        raise typer.BadParameter("what was delivered is not listed; see: dialer outbox show ID")

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[Delivery]:
        return await Deliveries(store).page(size, cursor, subscriber, state)

    async def show_all(store: SqlStore) -> None:
        async for found in following(store, page, limit):
            if as_json:
                for delivery in found:
                    emit(_record(delivery))
            else:
                table(_HEADINGS, [_row(delivery) for delivery in found], _CORE)

    on_store(settings_of(context), show_all)


@app.command()
def show(context: typer.Context, id_: Id, as_json: AsJson = False) -> None:  # noqa: FBT002  # an option
    """Show one delivery: what is told, to whom, and what became of it."""
    delivery = on_store(settings_of(context), lambda store: Deliveries(store).get(id_))
    if as_json:
        emit(_whole(delivery))
        return
    pairs([(name.replace("_", " "), _text(value)) for name, value in _whole(delivery).items() if value is not None])


@app.command()
def retry(
    context: typer.Context,
    id_: Annotated[int | None, typer.Argument(metavar="[ID]", min=1, show_default=False)] = None,
    all_: Annotated[  # noqa: FBT002  # an option
        bool, typer.Option("--all", help="All that was given up for --subscriber.")
    ] = False,
    subscriber: Name = None,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Tell it again: one delivery, now; or all that was given up for a subscriber. Each has its whole time again."""
    settings = settings_of(context)
    if id_ is not None and not all_ and subscriber is None:
        one = id_
        delivery = on_store(settings, lambda store: Deliveries(store).retry(one))
        wake_daemon(settings)
        if as_json:
            emit(_record(delivery))
        else:
            line(f"{delivery.change.id} is told again to {delivery.change.subscriber}")
    elif id_ is None and all_ and subscriber is not None:
        name = subscriber
        count = on_store(settings, lambda store: Deliveries(store).retry_all(name))
        wake_daemon(settings)
        if as_json:
            emit({"subscriber": name, "retried": count})
        else:
            line(f"{count} deliveries are told again to {name}")
    else:
        raise typer.BadParameter("give an ID, or --all with --subscriber")


def _record(delivery: Delivery) -> Record:
    change = delivery.change
    waits = delivery.state is DeliveryState.WAITING
    return {
        "id": change.id,
        "subscriber": change.subscriber,
        "state": delivery.state,
        "callback_id": change.callback,
        "version": change.version,
        "status": change.status,
        "tries": change.tries,
        "since": change.since,
        "next_try_at": delivery.try_at if waits else None,
        "settled_at": delivery.settled_at,
        "why": delivery.why,
    }


def _whole(delivery: Delivery) -> Record:
    change = delivery.change
    return {
        **_record(delivery),
        "event_id": change.event_id,
        "previous": change.previous,
        "reason": change.reason,
        "attempts": change.attempts,
        "attempt": change.attempt,
        "outcome": change.outcome,
        "due_at": change.due_at,
        "site": change.site,
        "department": change.department,
        "external_id": change.external_id,
        "at": change.at,
    }


def _row(delivery: Delivery) -> tuple[str, ...]:
    change = delivery.change
    return (
        str(change.id),
        change.subscriber,
        delivery.state,
        change.callback,
        change.status,
        str(change.tries),
        stamp(change.since),
        stamp(delivery.try_at) if delivery.state is DeliveryState.WAITING else "",
        delivery.why,
    )


def _text(value: object) -> str:
    return fine_stamp(value) if isinstance(value, datetime) else str(value)
