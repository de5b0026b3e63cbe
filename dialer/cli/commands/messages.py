"""`dialer messages`: what visitors were told, and what not."""

from typing import Annotated

import typer

from dialer.cli.host import settings_of
from dialer.cli.output import emit, stamp, table
from dialer.cli.paging import following
from dialer.cli.stored import on_store
from dialer.domain.ids import CallbackId
from dialer.notify.messages import Channel, Message, MessageState
from dialer.store.messages import MessageStore
from dialer.store.store import SqlStore
from dialer.store.views import Page

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("since", "state", "kind", "channel", "callback", "why", "send at", "to")
_CORE = 5


@app.callback()
def messages() -> None:
    """Messages to visitors: each is sent at most once."""


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[list[MessageState] | None, typer.Option(help="Only these; may be given several times.")] = None,
    callback: Annotated[str | None, typer.Option(metavar="ID", help="Only those of one callback.")] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0: all.")] = 100,
    who: Annotated[bool, typer.Option("--who", help="Show to whom: personal data.")] = False,  # noqa: FBT002  # an option
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002  # as above
) -> None:
    """List messages, the newest first. `unknown` may or may not have arrived; `dropped` had lost its sense before it
    was sent. Times are UTC. In a pipe: tabs between the cells, no heading."""

    async def page(store: SqlStore, size: int, cursor: str | None) -> Page[Message]:
        of = CallbackId(callback) if callback is not None else None
        return await MessageStore(store).page(state or (), of, size, cursor)

    async def show(store: SqlStore) -> None:
        async for found in following(store, page, limit):
            to = {message.id: await _recipient(store, message) if who else "" for message in found}
            if as_json:
                for message in found:
                    emit({**_record(message), **({"to": to[message.id]} if who else {})})
            else:
                table(_HEADINGS, [_row(message, to[message.id]) for message in found], _CORE)

    on_store(settings_of(context), show)


async def _recipient(store: SqlStore, message: Message) -> str:
    found = await store.get(message.draft.callback)
    if found is None:
        return ""
    return found.visitor.email if message.draft.channel is Channel.EMAIL else found.visitor.phone


def _row(message: Message, to: str) -> tuple[str, ...]:
    draft = message.draft
    ends = (draft.callback, message.detail, stamp(draft.send_at), to)
    return (stamp(message.updated_at), message.state, draft.kind, draft.channel, *ends)


def _record(message: Message) -> dict[str, object]:
    draft = message.draft
    return {
        "id": message.id,
        "callback_id": draft.callback,
        "kind": draft.kind,
        "channel": draft.channel,
        "state": message.state,
        "why": message.detail,
        "tries": message.tries,
        "promised_at": draft.promised_at,
        "send_at": draft.send_at,
        "give_up_at": draft.give_up_at,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    }
