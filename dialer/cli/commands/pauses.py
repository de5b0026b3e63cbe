"""`dialer pauses`: what is paused."""

from typing import Annotated

import typer

from dialer.cli import stops
from dialer.cli.host import settings_of
from dialer.cli.output import emit, stamp, table
from dialer.cli.records import pause_record
from dialer.cli.stored import on_store

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("paused", "since", "by", "why")
_CORE = 4


@app.command()
def pauses(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002  # an option
) -> None:
    """List what is paused, since when, by whom and why; agents whom the daemon paused itself are among it.

    Times are UTC. In a pipe: tabs between the cells, no heading.
    """
    found = stops.ordered(on_store(settings_of(context), lambda store: store.pauses()))
    if as_json:
        for pause in found:
            emit(pause_record(pause))
    elif found:
        table(_HEADINGS, [(str(pause.stop), stamp(pause.since), pause.who, pause.why) for pause in found], _CORE)
