"""`dialer call-test`: one real callback from end to end, watched."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, assert_never

import typer

from dialer.cli.host import settings_of, wake_daemon
from dialer.cli.output import emit, fine_stamp, line, say, stamp
from dialer.cli.records import call_record
from dialer.cli.stops import holding
from dialer.cli.stored import on_store
from dialer.domain.attempt import Attempt, Step
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.errors import DialerError, IllegalState, RequestRefused
from dialer.domain.outcome import Outcome
from dialer.intake.admission import Double
from dialer.intake.limits import LimitRule, Limits
from dialer.intake.submission import accept
from dialer.scheduling.hours import is_open
from dialer.settings import Settings
from dialer.store.store import SqlStore

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_NAME = "Test call"
_POLL = 0.2
"""Seconds between looks into the store: a person watches."""


@app.command()
def call_test(
    context: typer.Context,
    department: Annotated[str, typer.Argument(metavar="DEPARTMENT", help="Its id.", show_default=False)],
    to: Annotated[str, typer.Option(metavar="NUMBER", help="The number to ring: yours.")],
    wait: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="Give up when it has not begun by then.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each step.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Ring one real callback by way of the running daemon: an agent of DEPARTMENT first, then NUMBER.

    Shows each step as it happens, and the outcome. It is tried once, never again. Exit 0 only when both talked.
    """
    settings = settings_of(context)
    callback = _accepted(department, to, settings.directory())
    if not wake_daemon(settings):
        remedy = "start it, or run this as a user who may reach that socket"
        raise IllegalState("no daemon listens", where=str(settings.socket), remedy=remedy)
    attempt = on_store(
        settings, lambda store: _ring(store, settings, callback, timedelta(seconds=wait), as_json=as_json)
    )
    if as_json:
        emit(call_record(attempt))
    else:
        line(_summary(attempt))
    raise typer.Exit(0 if attempt.verdict and attempt.verdict.outcome is Outcome.CONNECTED else 1)


def _accepted(department: str, to: str, directory: Directory) -> Callback:
    """The callback, which may be dialled now. Raises `RequestRefused`, `IllegalState`."""
    now = datetime.now(UTC)
    callback = accept({"department": department, "phone": to, "name": _NAME}, directory, now)
    if callback.due_at > now:
        opens = is_open(directory.departments[department].hours, now)
        closed = "this number may not be called" if opens else "the department is closed"
        raise IllegalState(f"{closed} until {stamp(callback.due_at)}", where=department)
    return callback


async def _ring(store: SqlStore, settings: Settings, callback: Callback, wait: timedelta, *, as_json: bool) -> Attempt:
    """Place the callback and tell its steps; the ended attempt. Whatever happens, it is not tried again."""
    if held := holding(callback, settings.directory(), await store.pauses()):
        raise IllegalState("; ".join(held), remedy="see: dialer pauses, dialer resume --help")
    await _store(store, callback)
    wake_daemon(settings)
    told = 0
    try:
        async for attempt in _progress(store, callback, wait):
            for step in attempt.timeline[told:]:
                _tell(step, as_json=as_json)
            told = len(attempt.timeline)
    finally:
        await _call_off(store, callback)
        wake_daemon(settings)
    return attempt


async def _store(store: SqlStore, callback: Callback) -> None:
    """Store it as any request; what binds visitors only does not bind a test."""
    (answer,) = await store.admit([callback], LimitRule(Limits()), source="call-test")
    match answer:
        case RequestRefused():
            raise answer
        case Double(existing):
            what = f"callback {existing.id} waits for this number already"
            raise IllegalState(what, where=callback.department, remedy=f"dialer callbacks cancel {existing.id}")
        case Callback():
            return
        case _:
            assert_never(answer)


async def _progress(store: SqlStore, callback: Callback, wait: timedelta) -> AsyncIterator[Attempt]:
    """The one attempt as it goes on, to its end. Raises `IllegalState` when it has not begun in time."""
    clock = asyncio.get_running_loop()
    deadline = clock.time() + wait.total_seconds()
    while True:
        attempts = await store.attempts(callback.id)
        if attempts:
            yield attempts[0]
            if attempts[0].verdict is not None:
                return
        elif clock.time() > deadline:
            what = f"no agent was free within {wait.total_seconds():.0f} s; the test is called off"
            remedy = "see dialer doctor; agents may be busy, other callbacks go first, or the number just rang"
            raise IllegalState(what, where=callback.department, remedy=remedy)
        await asyncio.sleep(_POLL)


async def _call_off(store: SqlStore, callback: Callback) -> None:
    """A test that has ended must ring nobody any more."""
    with contextlib.suppress(IllegalState):
        left = await store.cancel(callback.id, "the test has ended")
        if left.status is Status.IN_PROGRESS:
            say(
                f"the call ends unless {callback.visitor.phone} rings already; see: dialer callbacks show {callback.id}"
            )


def _tell(step: Step, *, as_json: bool) -> None:
    if as_json:
        emit({"step": step.name, "at": step.at, "detail": step.detail})
    else:
        line(f"{fine_stamp(step.at)}  {step.name}  {step.detail}".rstrip())
    sys.stdout.flush()


def _summary(attempt: Attempt) -> str:
    end = attempt.verdict
    if end is None:
        raise DialerError("the attempt has no end", where=attempt.id)
    talk = f", {end.talk.total_seconds():.1f} s" if end.talk else ""
    detail = f": {end.detail}" if end.detail else ""
    return f"{end.outcome}{talk}{detail}"
