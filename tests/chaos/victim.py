"""The program `dialer`, which kills itself at one of the points: `python -m tests.chaos.victim …` as `dialer …`.

The environment says where: CHAOS_POINT and CHAOS_PASS (at its n-th passing; without them it lives), CHAOS_HITS (the
file that takes a line for each point passed for the first time, and one for the death), CHAOS_PAUSE (a point that
takes CHAOS_PAUSE_S seconds longer, as a slow disk would have it). CHAOS_SWEEP_S, CHAOS_PATIENCE_S, CHAOS_MARGIN_S and
CHAOS_KEEP_S replace times of the daemon's that are too long to wait for.
"""

import asyncio
import functools
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import event as sql_event
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer import __main__ as program
from dialer import daemon
from dialer.ami.messages import Action, Reply
from dialer.ami.session import Refused, Session
from dialer.domain.attempt import TRANSITIONS, Attempt
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId
from dialer.engine import attempts, orders, tombstones
from dialer.engine.attempts import Attempts
from dialer.engine.ports import Claim
from dialer.scheduling.retry import NextStep
from dialer.store import writer
from dialer.store.dialect import SqliteFile
from dialer.store.store import SqlStore
from tests.chaos.points import of_action

_AWAITED = ("admit", "claim", "finish", "amend", "too_late", "defer", "close")


class Fuse:
    """Counts the passings of one point, and ends the process at the one that was asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._point = environment.get("CHAOS_POINT", "")
        self._left = int(environment.get("CHAOS_PASS", "1"))
        self._pause = environment.get("CHAOS_PAUSE", "")
        self._pause_s = float(environment.get("CHAOS_PAUSE_S", "0"))
        self._seen: set[tuple[str, str]] = set()
        self._hits = os.open(environment["CHAOS_HITS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def reach(self, point: str, detail: str = "") -> None:
        """The program passes a point; `detail` is what it is about."""
        if (point, detail) not in self._seen:
            self._seen.add((point, detail))
            os.write(self._hits, f"passed {point} {detail}\n".encode())
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.write(self._hits, f"died {point}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    async def dwell(self, point: str) -> None:
        """As `reach`, where the program may be held up."""
        self.reach(point)
        if point == self._pause:
            await asyncio.sleep(self._pause_s)


def wire(fuse: Fuse) -> None:
    """Lead every point of the program past the fuse."""
    for name in _AWAITED:
        setattr(SqlStore, name, _awaited(fuse, getattr(SqlStore, name), f"store.{name}"))
    for owner, name, lead in (
        (SqlStore, "note", _noted),
        (SqliteFile, "writer", _listening),
        (writer, "_transact", _committed),
        (Session, "ask", _asked),
        (Attempts, "apply", _applied),
    ):
        setattr(owner, name, lead(fuse, getattr(owner, name)))


def hurry(environment: Mapping[str, str]) -> None:
    """Replace the times that the environment names."""
    if seconds := environment.get("CHAOS_SWEEP_S"):
        daemon._SWEEP = timedelta(seconds=float(seconds))
    if seconds := environment.get("CHAOS_PATIENCE_S"):
        patience = timedelta(seconds=float(seconds))
        vars(attempts)["patience"] = lambda *_: patience
    if seconds := environment.get("CHAOS_MARGIN_S"):
        orders._PLACE_MARGIN = timedelta(seconds=float(seconds))
    if seconds := environment.get("CHAOS_KEEP_S"):
        tombstones.KEEP = timedelta(seconds=float(seconds))
    # The houses share one Asterisk: to each of them the others' attempts are orphans.
    tombstones._ORPHANS_BACK = timedelta(days=-1)


def _awaited(fuse: Fuse, write: Callable[..., Awaitable[Any]], point: str) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(write)
    async def wrapped(*given: Any, **named: Any) -> Any:
        points = [point, f"{point}.failover"] if _hands_on(given) else [point]
        for each in points:
            await fuse.dwell(f"{each}.before")
        result = await write(*given, **named)
        for each in points:
            await fuse.dwell(f"{each}.after")
        return result

    return wrapped


def _hands_on(given: tuple[Any, ...]) -> bool:
    """Whether a write plans, or begins, the attempt that comes after a failed trunk's."""
    match given:
        case (_, Claim(callback=handed)) | (_, Attempt(), NextStep() as handed):
            return bool(handed.failed_trunks)
        case _:
            return False


def _noted(fuse: Fuse, note: Callable[[SqlStore, Attempt], None]) -> Callable[[SqlStore, Attempt], None]:
    def wrapped(store: SqlStore, attempt: Attempt) -> None:
        fuse.reach("store.note.before")
        note(store, attempt)
        fuse.reach("store.note.after")

    return wrapped


def _listening(fuse: Fuse, open_writer: Callable[[SqliteFile], AsyncEngine]) -> Callable[[SqliteFile], AsyncEngine]:
    def wrapped(database: SqliteFile) -> AsyncEngine:
        made = open_writer(database)
        sql_event.listen(made.sync_engine, "commit", lambda _: fuse.reach("store.commit.before"))
        return made

    return wrapped


def _committed(fuse: Fuse, transact: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def wrapped(*given: Any) -> list[Any]:
        results = transact(*given)
        fuse.reach("store.commit.after")
        return results

    return wrapped


def _asked(fuse: Fuse, ask: Callable[..., Awaitable[Reply]]) -> Callable[..., Awaitable[Reply]]:
    async def wrapped(session: Session, action: Action, sent: Callable[[], None] = lambda: None) -> Reply:
        point = of_action(action)

        def told() -> None:
            sent()
            fuse.reach(f"{point}.sent")

        await fuse.dwell(f"{point}.before")
        try:
            reply = await ask(session, action, told)
        except Refused:
            await fuse.dwell(f"{point}.after")
            raise
        await fuse.dwell(f"{point}.after")
        return reply

    return wrapped


def _applied(
    fuse: Fuse, apply: Callable[[Attempts, AttemptId, Event], None]
) -> Callable[[Attempts, AttemptId, Event], None]:
    def wrapped(registry: Attempts, attempt: AttemptId, event: Event) -> None:
        live = registry._live.get(attempt)
        state = live.attempt.state if live else None
        if state is None or type(event) not in TRANSITIONS[state]:
            apply(registry, attempt, event)
            return
        # Odd passings lie before the transition, even ones after it.
        fuse.reach(f"event.{type(event).__name__}", f"{state}")
        apply(registry, attempt, event)
        fuse.reach(f"event.{type(event).__name__}", f"{state}")

    return wrapped


if __name__ == "__main__":
    hurry(os.environ)
    wire(Fuse(os.environ))
    program.main()
