"""`dialer run`: the daemon."""

import asyncio

import typer

from dialer import daemon, logs
from dialer.cli.host import settings_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(context: typer.Context) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; then wait for the calls in progress, and end.

    Exit codes: 0 stopped in order, 2 the configuration or the PBX's does not fit, 1 anything else.
    """
    settings = settings_of(context)
    logs.configure(settings.log.level, settings.log.format)
    asyncio.run(daemon.run(settings))
