"""What can be paused: named by an option, checked, told, and what of it holds a callback back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

import typer

from dialer.cli.output import stamp
from dialer.domain.callback import Callback
from dialer.domain.directory import Department, Directory
from dialer.domain.stop import EVERYTHING, Scope, Stop
from dialer.routing.trunks import serving
from dialer.store.views import Pause

AccountId = Annotated[str | None, typer.Option("--account", metavar="ID", help="Only this account.")]
DepartmentId = Annotated[str | None, typer.Option("--department", metavar="ID", help="Only this department.")]
TrunkId = Annotated[str | None, typer.Option("--trunk", metavar="ID", help="Only this trunk.")]
AgentId = Annotated[str | None, typer.Option("--agent", metavar="ID", help="Only this agent.")]

_SHOWN = 10


def chosen(account: str | None, department: str | None, trunk: str | None, agent: str | None) -> Stop:
    """The one thing that the options name; everything where they name none."""
    keys = {Scope.ACCOUNT: account, Scope.DEPARTMENT: department, Scope.TRUNK: trunk, Scope.AGENT: agent}
    given = [Stop(scope, key) for scope, key in keys.items() if key is not None]
    if len(given) > 1:
        raise typer.BadParameter("give one of --account, --department, --trunk and --agent, or none for everything")
    return given[0] if given else EVERYTHING


def check(stop: Stop, directory: Directory) -> None:
    """Raise `BadParameter` unless the configuration knows it."""
    known = _known(directory).get(stop.scope)
    if known is not None and stop.key not in known:
        shown = [*sorted(known)[:_SHOWN], *(["…"] if len(known) > _SHOWN else [])]
        raise typer.BadParameter(f"there is no {stop}; known are {', '.join(shown)}")


def _known(directory: Directory) -> Mapping[Scope, Collection[str]]:
    return {
        Scope.ACCOUNT: directory.accounts,
        Scope.DEPARTMENT: directory.departments,
        Scope.TRUNK: directory.trunks,
        Scope.AGENT: directory.agents,
    }


def ordered(pauses: Sequence[Pause]) -> list[Pause]:
    """The pauses that hold most come first; of one kind, the oldest."""
    scopes = list(Scope)
    return sorted(pauses, key=lambda pause: (scopes.index(pause.stop.scope), pause.since, pause.stop.key))


def words(pause: Pause) -> str:
    """A pause in one line."""
    return f"{pause.stop} is paused since {stamp(pause.since)} by {pause.who}{f': {pause.why}' if pause.why else ''}"


def holding(callback: Callback, directory: Directory, pauses: Sequence[Pause]) -> list[str]:
    """Every stop that keeps a callback from being dialled, in words."""
    paused = {pause.stop: pause.who for pause in pauses}
    department = directory.departments.get(callback.department)
    if department is None:
        return [_by(stop, paused) for stop in (EVERYTHING,) if stop in paused]
    account = Stop(Scope.ACCOUNT, directory.account_of(department).id)
    whole = [EVERYTHING, account, Stop(Scope.DEPARTMENT, department.id)]
    told = [_by(stop, paused) for stop in whole if stop in paused]
    helpers = department.overflow.agents if department.overflow else ()
    for scope, keys in (
        (Scope.TRUNK, taking(callback, department, directory)),
        (Scope.AGENT, [*department.agents, *helpers]),
    ):
        stops = [Stop(scope, key) for key in keys]
        if stops and all(stop in paused for stop in stops):
            told.append(_by(stops[0], paused) if len(stops) == 1 else f"all its {scope}s are paused")
    return told


def taking(callback: Callback, department: Department, directory: Directory) -> list[str]:
    """The department's trunks that take the callback's number, on any PBX."""
    number = callback.visitor.phone
    return [trunk.id for pbx in directory.pbxs for trunk in serving(department, directory, number, pbx)]


def _by(stop: Stop, paused: Mapping[Stop, str]) -> str:
    return f"{stop} is paused by {paused[stop]}"
