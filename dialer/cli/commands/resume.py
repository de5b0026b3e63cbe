"""`dialer resume`: calls again."""

from typing import Annotated

import typer

from dialer.cli import stops
from dialer.cli.host import settings_of, wake_daemon, who
from dialer.cli.output import emit, line, say
from dialer.cli.stops import AccountId, AgentId, DepartmentId, TrunkId
from dialer.cli.stored import on_store
from dialer.store.store import SqlStore
from dialer.store.views import Pause

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resume(
    context: typer.Context,
    account: AccountId = None,
    department: DepartmentId = None,
    trunk: TrunkId = None,
    agent: AgentId = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Lift one pause, as it was named to dialer pause; who did is recorded. Other pauses stay in force."""
    stop = stops.chosen(account, department, trunk, agent)
    settings = settings_of(context)

    async def lift(store: SqlStore) -> tuple[bool, list[Pause]]:
        lifted = await store.resume(stop, who())
        return lifted, await store.pauses()

    lifted, left = on_store(settings, lift)
    if not lifted:
        # Only now: what is not in the configuration any more can still be resumed.
        stops.check(stop, settings.directory())
    wake_daemon(settings)
    if as_json:
        emit({"paused": False, "scope": stop.scope, "key": stop.key, "changed": lifted})
    else:
        line(f"{stop} is resumed" if lifted else f"{stop} was not paused")
    if left:
        say(f"still paused: {', '.join(str(pause.stop) for pause in left)}")
