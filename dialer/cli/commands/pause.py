"""`dialer pause`: no new calls."""

from typing import Annotated

import typer

from dialer.cli import stops
from dialer.cli.host import settings_of, wake_daemon, who
from dialer.cli.output import emit, line
from dialer.cli.records import pause_record
from dialer.cli.stops import AccountId, AgentId, DepartmentId, TrunkId
from dialer.cli.stored import on_store

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    context: typer.Context,
    account: AccountId = None,
    department: DepartmentId = None,
    trunk: TrunkId = None,
    agent: AgentId = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Shown to whoever meets the pause.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Place no new calls until resumed: of an account, of a department, by a trunk, to an agent, or anywhere.

    Calls in progress go on; requests are still taken in. Who paused, when and why is recorded; see dialer pauses. A
    pause that is in force already stays as it is.
    """
    stop = stops.chosen(account, department, trunk, agent)
    settings = settings_of(context)
    stops.check(stop, settings.directory())
    in_force = on_store(settings, lambda store: store.pause(stop, who(), reason))
    wake_daemon(settings)
    if as_json:
        emit({"paused": True, **pause_record(in_force)})
    else:
        line(stops.words(in_force))
