"""`dialer check`: is the configuration good?"""

import typer

from dialer.cli.doctor import start
from dialer.cli.host import settings_of
from dialer.cli.output import line, say
from dialer.domain.errors import MayNotRead
from dialer.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_NOT_SEEN, _WRONG = 1, 2


@app.command()
def check(context: typer.Context) -> None:
    """Check the whole configuration with what the daemon reads at its start:
    secrets, authorities, certificate, templates. Says in one line what it
    holds. Reaches for no PBX and no server: that is `dialer doctor`.

    Exit 0 only when all of it is good; 1 when a secret is kept from whoever
    runs this, and nothing else is wrong; 2 when something is.
    """
    settings = settings_of(context)
    errors = [error for _, error in start.faults(settings)]
    for error in errors:
        say(str(error))
    kept = sum(isinstance(error, MayNotRead) for error in errors)
    if kept:
        what = f"{kept} secret{'s' * (kept > 1)} could not be looked at"
        say(f"{settings.file}: not checked whole: {what} (run it as the service runs: docs/operations.md)")
    if errors:
        raise typer.Exit(_NOT_SEEN if kept == len(errors) else _WRONG)
    line(f"{settings.file}: ok: {_held(settings)}")


def _held(settings: Settings) -> str:
    parts = (
        (len(settings.directory().accounts), "account"),
        (len(settings.pbx), "PBX"),
        (len(settings.trunk), "trunk"),
        (len(settings.agent), "agent"),
        (len(settings.site), "site"),
        (len(settings.department), "department"),
        *([(len(settings.feed), "feed")] if settings.feed else ()),
        *([(len(settings.webhook), "webhook")] if settings.webhook else ()),
    )
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in parts)
