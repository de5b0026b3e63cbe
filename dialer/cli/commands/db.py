"""`dialer db`: the database's schema."""

import asyncio

import typer

from dialer.cli.host import settings_of
from dialer.cli.output import line
from dialer.store import schema

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def db() -> None:
    """Make, upgrade and check the database."""


@app.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to this program's schema; make it where there is none. All of it happens, or nothing."""
    database = settings_of(context).database
    before = asyncio.run(schema.current(database))
    asyncio.run(schema.upgrade(database))
    after = asyncio.run(schema.current(database))
    done = "is current already" if before == after else f"upgraded from {before or 'nothing'}"
    line(f"{database}: schema {after}: {done}")


@app.command()
def current(context: typer.Context) -> None:
    """Say which schema the database has."""
    database = settings_of(context).database
    line(f"{database}: schema {asyncio.run(schema.current(database)) or 'none'}")


@app.command()
def check(context: typer.Context) -> None:
    """Exit 0 when the database has this program's schema, else 1."""
    database = settings_of(context).database
    asyncio.run(schema.check(database))
    line(f"{database}: schema {schema.REVISIONS[-1]}: ok")
