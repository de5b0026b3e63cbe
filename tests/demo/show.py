"""The demo's run: start everything, submit, show the progress live, and compare with what the far end saw."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from dialer.domain.attempt import Attempt
from dialer.domain.callback import OPEN, Callback, Status
from dialer.domain.ids import CallbackId
from dialer.store.store import SqlStore
from tests.demo.cast import (
    AGENTS,
    CHANGES_MIND,
    DEPARTMENTS,
    GUESTS,
    REFUSED,
    SLEEPS,
    TRUNKS,
    number,
    requests,
    sites,
)
from tests.demo.witness import balance
from tests.lab import AsteriskError, Lab, TreeError
from tests.rig import Daemon, House

LIMIT = 150.0  # seconds for all calls
LOOK = 0.3  # seconds

Row = tuple[str, str, str, str, str]


def main() -> int:
    """Run the demo; 0 when every callback came to an end, but for one that has to wait, and the far end's records agree
    with ours."""
    console = Console(highlight=False)
    began = time.monotonic()
    say(console, "Building Asterisk if need be (once), and starting two of them on loopback …")
    try:
        with tempfile.TemporaryDirectory(prefix="mi-demo-") as folder, Lab.create(agents=list(AGENTS)) as lab:
            code = _run(console, lab, Path(folder))
    except (TreeError, AsteriskError) as error:
        print(f"dialer demo: {error}", file=sys.stderr)
        return 1
    say(console, f"{time.monotonic() - began:.0f} s in all.")
    return code


def _run(console: Console, lab: Lab, folder: Path) -> int:
    for agent, behaviour in AGENTS.items():
        lab.agent(agent, behaviour)
    for index, guest in enumerate(GUESTS):
        lab.customer(number(index), guest.behaviour)
        lab.customer(number(index).removeprefix("+"), guest.by_spare or guest.behaviour)
    house = House(
        lab,
        folder,
        DEPARTMENTS,
        daemon={"agent_rest_seconds": 8},
        log_level="info",
        trunks=TRUNKS,
        sites=sites(datetime.now(UTC)),
    )
    with Daemon(house) as daemon:
        asyncio.run(daemon.until_logged("pbx.ready"))
        say(console, f"The daemon is connected. Submitting {len(GUESTS)} requests, and {len(REFUSED)} to be refused:")
        for text, what in REFUSED:
            answer = daemon.cli("submit", "-", text=text + "\n").stderr.strip()
            say(console, f"  {what}: {answer}")
        ids = daemon.submit(requests())
        finished, told = asyncio.run(_watch(console, daemon, ids))
        lab.wait_quiet()
        say(console, f"\nWho changed their mind while an agent was rung for them was told: {told}")
        say(console, "\nThe call log, as `dialer calls` shows it:\n")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", "dialer", "--config", str(house.config), "calls"], check=False)
        say(console, "")
        stopped = daemon.stop()
    attempts = [attempt for _, tries in finished.values() for attempt in tries]
    agreed = _compare(console, lab, attempts)
    left = [callback.id for callback, tries in finished.values() if not _at_rest(callback, tries)]
    for callback in left:
        say(console, f"WRONG: callback {callback} has not come to an end")
    if stopped != 0:
        say(console, f"WRONG: the daemon ended with {stopped}:\n{daemon.tail()}")
    return 0 if agreed and not left and stopped == 0 else 1


def _at_rest(callback: Callback, attempts: list[Attempt]) -> bool:
    """It has come to an end, or waits for the hour at which its visitor may be called."""
    waits = callback.visitor.message == SLEEPS and callback.status is Status.SCHEDULED and not attempts
    return waits or callback.status not in OPEN


def say(console: Console, text: str) -> None:
    """Print text as it is, without markup and without breaking lines in a pipe."""
    console.print(text, markup=False, soft_wrap=not console.is_terminal)


Found = Mapping[CallbackId, tuple[Callback, list[Attempt]]]


async def _watch(console: Console, daemon: Daemon, ids: list[CallbackId]) -> tuple[Found, str]:
    """Show the callbacks until all are at rest: a live table on a terminal, a line per change in a pipe. Cancels one
    while its agent is rung, and returns what was said to that."""
    found: Found = {}
    change = asyncio.create_task(_change_mind(daemon, ids))
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            async for found in _looks(daemon, ids):
                live.update(_table(found), refresh=True)
        return found, await change
    shown: dict[CallbackId, Row] = {}
    async for found in _looks(daemon, ids):
        for id_, (callback, attempts) in found.items():
            row = _row(callback, attempts)
            if shown.get(id_) != row:
                shown[id_] = row
                print("  ".join(part for part in (id_, *row) if part), flush=True)
    return found, await change


async def _change_mind(daemon: Daemon, ids: list[CallbackId]) -> str:
    """Cancel a callback in the race with dialling, as a person would: what they read."""
    id_ = ids[[guest.what for guest in GUESTS].index(CHANGES_MIND)]
    await daemon.until_step(id_, "agent_ringing")
    done = await asyncio.to_thread(daemon.cli, "callbacks", "cancel", id_)
    return (done.stdout or done.stderr).strip()


async def _looks(daemon: Daemon, ids: list[CallbackId]) -> AsyncIterator[Found]:
    deadline = time.monotonic() + LIMIT
    async with daemon.store() as store:
        while True:
            found = {id_: await _one(store, id_) for id_ in ids}
            yield found
            if all(_at_rest(*each) for each in found.values()) or time.monotonic() > deadline:
                return
            await asyncio.sleep(LOOK)


async def _one(store: SqlStore, id_: CallbackId) -> tuple[Callback, list[Attempt]]:
    callback = await store.get(id_)
    assert callback is not None
    return callback, await store.attempts(id_)


def _row(callback: Callback, attempts: list[Attempt]) -> Row:
    """Department, what the customer does, status, where the latest attempt stands, with which agent."""
    if not attempts:
        waits = f"from {callback.due_at:%H:%M} UTC" if callback.due_at > datetime.now(UTC) else ""
        return callback.department, callback.visitor.message, callback.status.value, waits, ""
    last = attempts[-1]
    where = last.verdict.outcome.value if last.verdict else last.state.value
    nth = f"{last.number}: " if last.number > 1 else ""
    return callback.department, callback.visitor.message, callback.status.value, f"{nth}{where}", last.agent


def _table(found: Found) -> Table:
    table = Table("department", "the customer", "status", "attempt", "agent", title="Callbacks")
    colours = {"completed": "green", "failed": "red", "in_progress": "yellow"}
    for callback, attempts in found.values():
        department, what, status, where, agent = _row(callback, attempts)
        table.add_row(department, what, f"[{colours.get(status, 'default')}]{status}[/]", where, agent)
    return table


def _compare(console: Console, lab: Lab, attempts: list[Attempt]) -> bool:
    lines, wrong = balance(attempts, lab.far_end_calls())
    if console.is_terminal:
        table = Table("outcome", "attempts", "customer called", "far end saw", title="Our books and the far end's")
        for line in lines:
            table.add_row(line.outcome.value, str(line.attempts), str(line.ours), str(line.theirs))
        console.print(table)
    else:
        for line in lines:
            row = {"outcome": line.outcome, "attempts": line.attempts, "ours": line.ours, "far_end": line.theirs}
            print(json.dumps(row))
    for text in wrong:
        say(console, f"WRONG: {text}")
    if not wrong:
        say(console, "Both agree: every call that we made, and no other, was seen at the far end, once.")
    return not wrong
