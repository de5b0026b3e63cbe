"""`dialer doctor`: the preflight."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from dialer.cli.doctor import here, outward, pbx, start
from dialer.cli.doctor.client import Client, independent_client
from dialer.cli.doctor.findings import Finding, bad
from dialer.cli.doctor.tls_client import own_client
from dialer.cli.host import settings_of
from dialer.cli.output import emit, verdict
from dialer.domain.directory import Directory
from dialer.domain.errors import ConfigurationError, PbxError
from dialer.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each check.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Check all that the first call needs: state folder, store, secrets, and for each PBX login, rights, version,
    dialplan, modules, trunks, agents' phones, AstDB, journal and clock. Then the mail server's login, and the way to
    the text gateway, webhooks and feeds.

    Each line says ok, or FAIL with what to do. Rings nobody; a try to ring an endpoint that is not there
    (mi-doctor-nobody) leaves an error in the PBX's log. Begins no message and sends no request. Exit 0 only when all is
    ok.
    """
    settings = settings_of(context)
    healthy = True
    for finding in _examine(settings, settings.directory()):
        healthy = healthy and finding.good
        _tell(finding, as_json=as_json)
    raise typer.Exit(0 if healthy else 1)


def _examine(settings: Settings, directory: Directory) -> Iterator[Finding]:
    yield from here.examine(settings)
    yield from start.examine(settings)
    for name, reached in settings.pbx.items():
        place = f"PBX {name}"
        try:
            secret = settings.secret(name).get_secret_value()
        except ConfigurationError:
            continue  # told by `start`
        try:
            with _client(settings, name, secret) as client:
                yield from pbx.examine(name, client, settings, directory)
        except (PbxError, ConfigurationError) as error:
            yield bad(place, "login", f"{reached.host}:{reached.port}: {error.what}", error.remedy)
    yield from outward.examine(settings)


def _client(settings: Settings, name: str, secret: str) -> AbstractContextManager[Client]:
    reached = settings.pbx[name]
    if reached.tls or ":" in reached.host:
        return own_client(settings, name)
    return independent_client(name, reached, secret)


def _tell(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "ok": finding.good,
                "place": finding.place,
                "check": finding.check,
                "found": finding.found,
                "remedy": finding.remedy,
            }
        )
    else:
        remedy = f" ({finding.remedy})" if finding.remedy else ""
        verdict(f"{finding.place}: {finding.check}: {finding.found}{remedy}", good=finding.good)
