"""`dialer key`: who may use the API."""

from typing import Annotated

import typer

from dialer.cli.host import note, settings_of, who
from dialer.cli.output import emit, line, say, stamp, table
from dialer.cli.stored import on_store
from dialer.domain.errors import IllegalState
from dialer.intake.keys import Key, Scope, hash_of, new_token, prefix_of
from dialer.store.keys import Keys, NewKey

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HEADINGS = ("key", "site", "begins", "may", "state", "used", "note", "made", "by")
_CORE = 5

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def _scopes(text: str) -> frozenset[Scope]:
    words = text.replace(" ", "").split(",")
    if not set(words) <= set(Scope):
        raise typer.BadParameter(f"known are {', '.join(Scope)}", param_hint="--scope")
    return frozenset(Scope(word) for word in words)


@app.callback()
def key() -> None:
    """Make, list and revoke keys of the API. A key is of one site, and is kept only as its hash."""


@app.command()
def make(
    context: typer.Context,
    site: Annotated[str, typer.Option(metavar="ID", help="Whose callbacks it opens.")],
    scope: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="What it is for: submit, read and manage, with commas. One that may only submit may stand in a page.",
        ),
    ] = "submit",
    note: Annotated[str, typer.Option(parser=note, metavar="TEXT", help="What it is for; no personal data.")] = "",
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """Make a key and print it: this once, it cannot be read anywhere again."""
    settings, scopes = settings_of(context), _scopes(scope)
    if site not in settings.site:
        raise typer.BadParameter(f"no such site; known are {', '.join(settings.site)}", param_hint="--site")
    token = new_token()
    new = NewKey(hash_of(token), prefix_of(token), site, scopes, note, who())
    id_ = on_store(settings, lambda store: Keys(store).make(new))
    if as_json:
        emit({"id": id_, "key": token, "site": site, "scopes": sorted(scopes)})
        return
    line(token)
    say(f"key {id_} of site {site} may {', '.join(sorted(scopes))}; keep it now, it is not shown again")


@app.command("list")
def list_(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(metavar="ID", help="Of this site only.")] = None,
    as_json: AsJson = False,  # noqa: FBT002  # an option
) -> None:
    """List the keys that were made, also the revoked ones. Times are UTC; when one was last used is exact to a minute.

    In a pipe: tabs between the cells, no heading.
    """
    found = on_store(settings_of(context), lambda store: Keys(store).all(site))
    if as_json:
        for each in found:
            emit(_record(each))
    elif found:
        table(_HEADINGS, [_row(each) for each in found], _CORE)


@app.command()
def revoke(
    context: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="KEY", min=1, max=2**63 - 1, help="Its number.", show_default=False)],
) -> None:
    """End a key for good. A running daemon refuses it within a second."""
    if not on_store(settings_of(context), lambda store: Keys(store).revoke(id_, who())):
        raise IllegalState("there is no such key in force", where=f"key {id_}", remedy="see: dialer key list")
    line(f"key {id_} opens nothing any more")


def _row(of: Key) -> tuple[str, ...]:
    state = f"revoked {stamp(of.revoked_at)}" if of.revoked_at else "in force"
    used = stamp(of.last_used_at) if of.last_used_at else "never"
    scopes = ",".join(sorted(of.scopes))
    return str(of.id), of.site, of.prefix, scopes, state, used, of.note, stamp(of.made_at), of.made_by


def _record(of: Key) -> dict[str, object]:
    return {
        "id": of.id,
        "site": of.site,
        "prefix": of.prefix,
        "scopes": sorted(of.scopes),
        "note": of.note,
        "made_by": of.made_by,
        "made_at": of.made_at,
        "last_used_at": of.last_used_at,
        "revoked_at": of.revoked_at,
    }
