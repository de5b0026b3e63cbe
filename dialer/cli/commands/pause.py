"""`dialer pause`: no new calls."""

from typing import Annotated

import typer

from dialer.cli.host import settings_of, wake_daemon, who
from dialer.cli.output import emit, line, stamp
from dialer.cli.stored import on_store

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    context: typer.Context,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Shown to whoever meets the pause.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Place no new calls, anywhere, until resumed. Calls in progress go on; requests are still taken in.

    Who paused, when and why is recorded. A pause that is in force already stays as it is.
    """
    settings = settings_of(context)
    in_force = on_store(settings, lambda store: store.pause(who(), reason))
    wake_daemon(settings)
    if as_json:
        emit({"paused": True, "who": in_force.who, "why": in_force.why, "since": in_force.since})
    else:
        why = f": {in_force.why}" if in_force.why else ""
        line(f"paused since {stamp(in_force.since)} by {in_force.who}{why}")
