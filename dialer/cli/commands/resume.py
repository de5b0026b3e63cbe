"""`dialer resume`: calls again."""

from typing import Annotated

import typer

from dialer.cli.host import settings_of, wake_daemon, who
from dialer.cli.output import emit, line
from dialer.cli.stored import on_store

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resume(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Lift the pause; who did is recorded."""
    settings = settings_of(context)
    lifted = on_store(settings, lambda store: store.resume(who()))
    wake_daemon(settings)
    if as_json:
        emit({"paused": False, "changed": lifted})
    else:
        line("resumed" if lifted else "nothing was paused")
