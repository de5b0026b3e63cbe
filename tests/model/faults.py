"""What goes wrong, between any two steps."""

from collections.abc import Iterator

from dialer.domain.attempt import State
from tests.model.rules import Fault, Rules
from tests.model.state import INTENT, NAMES, Daemon, Try, World, remember, update

Moves = Iterator[tuple[str, World]]

_QUESTIONS = frozenset({"list", "journal", "put", "back", "clock", "hang"})


def moves(world: World, rules: Rules) -> Moves:
    """Every fault that may happen now, at the price of one."""
    if not world.faults:
        return
    for fault, happen in _FAULTS.items():
        if fault in rules.kinds:
            for label, after in happen(world):
                yield label, after._replace(faults=world.faults - 1)


def _cut(world: World) -> Moves:
    if world.daemon.session:
        yield "the link is cut", _unlinked(world)


def _unlinked(world: World) -> World:
    """What was written may still arrive, on a session that nobody reads; every question fails."""
    daemon = world.daemon
    for index, attempt in enumerate(world.tries):
        late_put = attempt.late_put or (daemon.task == "put" and daemon.about == index)
        world = update(world, index, sent=0, late=attempt.late + attempt.sent, late_put=late_put)
    if daemon.task in _QUESTIONS:
        return remember(world, session=False, task="", knowledge="", seen=(False, False), again=False, ending=False)
    return remember(world, session=False)


def _daemon_killed(world: World) -> Moves:
    """Memory is gone; of the progress that was to be written behind, any part may be."""
    daemon = world.daemon
    if not daemon.up:
        return
    down = _unlinked(world)._replace(daemon=Daemon())
    for index, attempt in enumerate(down.tries):
        if attempt.row == INTENT:
            down = update(down, index, row="", boot=0)
    if not daemon.state:
        yield "the daemon is killed", down
        return
    for noted in _up_to(daemon.state):
        yield (
            f"the daemon is killed; {NAMES[daemon.about]} is noted as {noted}",
            update(down, daemon.about, noted=noted),
        )


def _up_to(state: str) -> list[str]:
    order = [State.ORIGINATING, State.AGENT_RINGING, State.AGENT_ANSWERED, State.CUSTOMER_DIALLING, State.BRIDGED]
    values = [each.value for each in order]
    return values[: values.index(state) + 1]


def _asterisk_killed(world: World) -> Moves:
    yield "Asterisk is killed and starts again", _rebooted(world)._replace(excused=True)


def _rebooted(world: World) -> World:
    """Channels are gone, and so is what was not on disk or still on its way."""
    world = _unlinked(world)
    tries = tuple(
        _on_disk(attempt)._replace(sent=0, late=0, late_put=False, queued=0, leg="", stuck=False)
        for attempt in world.tries
    )
    return world._replace(tries=tries, boot=world.boot + 1, person="")  # type: ignore[arg-type]  # two, as before


def _on_disk(attempt: Try) -> Try:
    return attempt._replace(entry=attempt.entry_disk, revoked=attempt.revoked_disk)


def _asterisk_restarted(world: World) -> Moves:
    """In good order: when no call is up, and with everything written."""
    if any(attempt.leg or attempt.queued for attempt in world.tries):
        return
    tries = tuple(attempt._replace(entry_disk=attempt.entry, revoked_disk=attempt.revoked) for attempt in world.tries)
    yield "Asterisk restarts", _rebooted(world._replace(tries=tries))  # type: ignore[arg-type]  # two, as before


def _disk_full(world: World) -> Moves:
    tries = tuple(_on_disk(attempt) for attempt in world.tries)
    if tries != world.tries:
        after = world._replace(tries=tries, excused=True)  # type: ignore[arg-type]  # two, as before
        yield "the PBX's disk is full: AstDB takes back what was not flushed", after


def _emptied(world: World) -> World:
    tries = tuple(
        attempt._replace(entry="", entry_disk="", revoked=False, revoked_disk=False) for attempt in world.tries
    )
    return world._replace(tries=tries, identity=0, wipes=world.wipes + 1, excused=True)  # type: ignore[arg-type]  # two


def _wiped(world: World) -> Moves:
    if world.identity:
        yield "Asterisk is stopped, its database wiped, and started", _emptied(_rebooted(world))


def _live_wipe(world: World) -> Moves:
    if world.identity:
        yield "AstDB is wiped under the running Asterisk", _emptied(world)


def _refuses(world: World) -> Moves:
    if not world.refuses:
        yield "AstDB takes no more writes from the manager", world._replace(refuses=True)


def _stuck(world: World) -> Moves:
    for index, attempt in enumerate(world.tries):
        if attempt.leg and not attempt.stuck:
            stuck = update(world, index, stuck=True)._replace(excused=True)
            yield f"the channel of {NAMES[index]} can no longer be hung up by the manager", stuck


def _clock_back(world: World) -> Moves:
    for index, attempt in enumerate(world.tries):
        if attempt.by == 1:
            yield "the PBX's clock is set back by an hour", update(world, index, by=0)


_FAULTS = {
    Fault.CUT: _cut,
    Fault.DAEMON_KILLED: _daemon_killed,
    Fault.ASTERISK_KILLED: _asterisk_killed,
    Fault.ASTERISK_RESTARTED: _asterisk_restarted,
    Fault.DISK_FULL: _disk_full,
    Fault.WIPED: _wiped,
    Fault.REFUSES: _refuses,
    Fault.STUCK: _stuck,
    Fault.LIVE_WIPE: _live_wipe,
    Fault.CLOCK_BACK: _clock_back,
}


def mends(world: World) -> Moves:
    """What passes by itself."""
    if world.refuses:
        yield "AstDB takes the manager's writes again", world._replace(refuses=False)
