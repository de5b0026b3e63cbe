"""`dialer check`: is the configuration good?"""

import typer

from dialer.cli.host import settings_of
from dialer.cli.output import line
from dialer.companions.messages import voices_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(context: typer.Context) -> None:
    """Check the whole configuration, and say in one line what it holds. Reaches for no PBX: that is `dialer doctor`."""
    settings = settings_of(context)
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
    # Every message is written once, with sample words.
    voices_of(settings, settings.directory())
    held = ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in parts)
    line(f"{settings.file}: ok: {held}")
