"""The composition root: the only place that wires store, engine and PBXs together, and the process's life."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import stamina
import structlog
from systemd_watchdog.systemd_watchdog import WatchDog

from dialer import __version__, poke
from dialer.alerts import Alerts
from dialer.ami.gateway import Gateway
from dialer.companions import Host, companions
from dialer.domain.directory import Directory
from dialer.domain.errors import DialerError
from dialer.engine.engine import Engine, Rules
from dialer.engine.jobs import periodic
from dialer.settings import Settings
from dialer.settings.access import ami_config
from dialer.store.store import SqlStore

log = structlog.get_logger()

_SWEEP = timedelta(seconds=10)
"""How often the engine looks for calls that take too long."""

_BEATS = 4
"""Heartbeats per watchdog interval: one may come late without the daemon being taken for dead."""


Stops = asyncio.Queue[signal.Signals]


class SystemClock:
    """The host's wall clock."""

    def now(self) -> datetime:
        """The time now, UTC."""
        return datetime.now(UTC)


async def run(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT, then drain.

    Raises the `DialerError` that made it impossible to start or to go on.
    """
    # What is retried says so itself, in plain words.
    stamina.instrumentation.set_on_retry_hooks([])
    log.info("daemon.start", version=__version__, configuration=str(settings.file), store=str(settings.database))
    try:
        with _stop_signals() as stops:
            async with SqlStore.open(settings.database, exclusive=True) as store:
                await _serve(settings, store, stops)
    except ExceptionGroup as group:
        # Not `except*`: what that raises may come in a group again.
        if group.split(DialerError)[1] is not None:
            raise
        raise _first(group) from None
    log.info("daemon.stop")


async def _serve(settings: Settings, store: SqlStore, stops: Stops) -> None:
    directory = settings.directory()
    await _tell_stranded(store, directory)
    rules = Rules(agent_rest=timedelta(seconds=settings.daemon.agent_rest_seconds))
    alerts = Alerts(settings.alerts.webhook, settings.metrics_file)
    clock = SystemClock()
    engine = Engine(directory=directory, store=store, clock=clock, rules=rules, alerts=alerts)
    gateways = [_gateway(settings, name, directory, engine) for name in settings.pbx]
    for gateway in gateways:
        engine.attach(gateway)
    async with _watchdog() as dog, alerts.delivering(), asyncio.TaskGroup() as tasks:
        heart = tasks.create_task(engine.run(), name="engine")
        await engine.started.wait()
        links = [tasks.create_task(gateway.run(), name=f"pbx {gateway.name}") for gateway in gateways]
        beat = tasks.create_task(_beat(dog), name="watchdog")
        floor = timedelta(seconds=settings.daemon.poll_floor_seconds)
        poked = poke.Poked(engine.poke)
        async with (
            poke.listening(settings.socket, poked),
            periodic((engine.poke, floor), (engine.sweep, _SWEEP), stepped=engine.clock_stepped),
            contextlib.AsyncExitStack() as beside,
        ):
            for companion in companions(Host(settings, directory, store, engine, clock, alerts, poked)):
                await beside.enter_async_context(companion)
            # What is loaded by now stays. To look through all of it for garbage would stop calls for 50 ms and more.
            gc.freeze()
            dog.ready()
            log.info("daemon.ready", departments=len(directory.departments), agents=len(directory.agents))
            await stops.get()
            await _drain(engine, stops, timedelta(seconds=settings.daemon.drain_seconds))
        for link in links:
            link.cancel()
        await asyncio.wait(links)
        beat.cancel()
        heart.cancel()


async def _tell_stranded(store: SqlStore, directory: Directory) -> None:
    """Say which callbacks nobody will ring: no round ever asks for their department."""
    why = "it is not in the configuration"
    for department, count in (await store.stranded(directory.departments)).items():
        log.warning("callbacks.stranded", department=department, callbacks=count, why=why)


def _gateway(settings: Settings, name: str, directory: Directory, engine: Engine) -> Gateway:
    devices = {agent.device for agent in directory.agents.values() if agent.pbx == name}
    # Jitter between tries to connect needs no secrecy.
    random = Random()  # noqa: S311  # as just said
    return Gateway(ami_config(settings, name), devices, engine, random, inbound=_inbound(directory, name))


def _inbound(directory: Directory, pbx: str) -> dict[str, str]:
    """The contexts in which a visitor's own call may be answered, where a department goes by that: to their trunks."""
    heeded = {id_ for each in directory.departments.values() if each.called_in for id_ in each.trunks}
    trunks = [directory.trunks[id_] for id_ in sorted(heeded) if directory.trunks[id_].pbx == pbx]
    return {context: trunk.id for trunk in trunks for context in trunk.inbound_contexts}


async def _drain(engine: Engine, stops: Stops, limit: timedelta) -> None:
    """Let the calls in progress end, at most `limit`; a second signal ends the wait."""
    log.info("daemon.draining", limit_seconds=limit.total_seconds(), note="no new calls; a second signal stops at once")
    draining = asyncio.create_task(engine.drain(limit))
    again = asyncio.create_task(stops.get())
    await asyncio.wait((draining, again), return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, again):
        task.cancel()
    await asyncio.wait((draining, again))


@contextlib.contextmanager
def _stop_signals() -> Iterator[Stops]:
    """The signals that ask the daemon to stop, in the order of their coming: heard from its first step to its last,
    so that none of them cuts a write short."""
    loop = asyncio.get_running_loop()
    stops: Stops = asyncio.Queue()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stops.put_nowait, each)
    loop.add_signal_handler(signal.SIGHUP, _decline_reload)
    try:
        yield stops
    finally:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(each)


def _decline_reload() -> None:
    log.warning("daemon.not_reloaded", note="the configuration is read at the start; calls survive a restart")


@contextlib.asynccontextmanager
async def _watchdog() -> AsyncIterator[WatchDog]:
    """The way to systemd, with a socket that is closed at the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        yield WatchDog(sock)


async def _beat(dog: WatchDog) -> None:
    """Tell systemd that the loop turns; silent where no watchdog is set."""
    while True:
        dog.notify()
        await asyncio.sleep(dog.timeout_td.total_seconds() / _BEATS)


def _first(group: BaseExceptionGroup[DialerError]) -> DialerError:
    """The one error to tell: the first leaf of a group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, DialerError):
        return error
    raise AssertionError("a group of DialerErrors holds something else")
