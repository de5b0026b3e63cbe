"""The daemon's steps, in its own order, and those of a person who resolves a callback in doubt."""

from collections.abc import Iterator

from dialer.domain.attempt import State
from dialer.domain.events import Lost, Unsent
from dialer.engine.reconcile import Verdictless
from tests.model import decisions
from tests.model.hearing import amend, apply, move_on
from tests.model.pbx import CUSTOMER_ALIVE, hang_up
from tests.model.rules import Fault, Guard, Rules
from tests.model.state import INTENT, NAMES, OPEN, Daemon, Try, World, is_alive, is_over, may_begin, remember, update

Moves = Iterator[tuple[str, World]]

_MAX_ENDINGS = 3


def moves(world: World, rules: Rules) -> Moves:
    """Everything that the daemon may do next."""
    daemon = world.daemon
    if not daemon.up:
        yield "the daemon starts", _take_up(world)
        return
    if not daemon.session:
        yield "the daemon logs in", _log_in(world)
    if daemon.verdict:
        yield _finish(world)
    elif daemon.task:
        yield from _TASKS[daemon.task](world, daemon, rules)
    elif daemon.state:
        yield from _look(world, daemon, rules)
    elif world.status == "scheduled" and daemon.session:
        yield from _intend(world, daemon)
    if daemon.session:
        yield from _tidy(world, rules)


# --- start and login -----------------------------------------------------------------------------------------------


def _take_up(world: World) -> World:
    """`Engine._take_up`: what an earlier run left open."""
    for index, attempt in enumerate(world.tries):
        if attempt.row == OPEN:
            world = update(world, index, noted="")
            return world._replace(daemon=Daemon(up=True, about=index, state=attempt.noted))
    return world._replace(daemon=Daemon(up=True))


def _log_in(world: World) -> World:
    """`Gateway._prepare`; a database without an identity is given one, which counts once it is on disk."""
    identity = world.identity or world.wipes + 1
    return remember(world._replace(identity=identity), session=True, boot=world.boot, identity=identity)


# --- claim and dispatch --------------------------------------------------------------------------------------------


def _intend(world: World, daemon: Daemon) -> Moves:
    """`Engine._place` up to the claim: the intent is in memory, with the PBX's start and identity."""
    for index, attempt in enumerate(world.tries):
        if not attempt.row and not (attempt.leg or attempt.rung or may_begin(attempt)):
            world = update(world, index, row=INTENT, boot=daemon.boot, identity=daemon.identity)
            yield f"the daemon makes the intent of {NAMES[index]}", remember(world, about=index, task="claim")
            return


def _claim(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`EngineStore.claim`: durable on return; then `Attempts.begin`."""
    index = daemon.about
    if not rules.has(Guard.INTENT_FIRST) and not daemon.steps:
        sent = remember(update(world, index, sent=1), steps=("sent",))
        yield f"Originate of {NAMES[index]} is sent before its claim", sent
        return
    durable = update(world, index, row=OPEN)._replace(status="in_progress")
    task = "place" if rules.has(Guard.INTENT_FIRST) else ""
    yield (
        f"the intent of {NAMES[index]} is durable",
        remember(durable, task=task, state=State.ORIGINATING.value, steps=()),
    )


def _place(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`Engine._place` after the claim, and `Engine._originate`."""
    index, name = daemon.about, NAMES[daemon.about]
    attempt = world.tries[index]
    known = (attempt.boot, attempt.identity if rules.has(Guard.IDENTITY) else daemon.identity)
    moved = (daemon.boot, daemon.identity) != known
    idle = remember(world, task="")
    if moved and rules.has(Guard.BOOT_CHECK):
        yield f"{name} is not sent: the PBX is another", apply(idle, Unsent("restarted"))
    elif not daemon.session:
        yield f"{name} is not sent: no session", apply(idle, Unsent("no session"))
    else:
        yield f"Originate of {name} is sent", update(idle, index, sent=attempt.sent + 1)


# --- looks ---------------------------------------------------------------------------------------------------------


def _look(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """A look begins: after a gap, a timeout, or when a sweep finds it overdue (GAP); after a doubt (WATCHED).
    What is overdue twice is ended."""
    name = NAMES[daemon.about]
    if daemon.session:
        if daemon.doubt:
            yield f"the daemon looks at {name}, having watched", _begin_look(world, "WATCHED", doubt=False)
        yield f"the daemon looks at {name}", _begin_look(world, "GAP")
    if daemon.endings == _MAX_ENDINGS:
        yield f"{name} is overdue and was ended three times", apply(world, Lost("cannot be hung up"))
        return
    counted = daemon.endings + (0 if rules.has(Guard.ENDINGS_COUNT) else 1)
    if daemon.session:
        yield f"{name} is overdue: the daemon ends it", remember(world, task="put", ending=True, endings=counted)
    elif counted != daemon.endings:
        yield f"{name} is overdue, and the PBX does not answer", remember(world, endings=counted)


def _begin_look(world: World, knowledge: str, **changes: object) -> World:
    return remember(world, task="list", knowledge=knowledge, ending=False, **changes)


def _behind_our_own(world: World) -> bool:
    """Questions wait in the session's pipe behind an Originate."""
    return any(attempt.sent for attempt in world.tries)


def _list(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`Gateway.traces`: CoreShowChannels, which does not show an Originate that is being carried out."""
    if _behind_our_own(world):
        return
    attempt = world.tries[daemon.about]
    name = NAMES[daemon.about]
    seen = _legs(attempt)
    yield f"channels of {name}: {_say(seen)}", remember(world, task="journal", seen=seen)
    if any(seen) and world.faults and Fault.LIST_MISSES in rules.kinds:
        missed = remember(world, task="journal", seen=(False, False))._replace(faults=world.faults - 1)
        yield f"channels of {name}: the list misses them", missed


def _legs(attempt: Try) -> tuple[bool, bool]:
    return attempt.leg not in {"", "handed over"}, attempt.leg in CUSTOMER_ALIVE


def _say(seen: tuple[bool, bool]) -> str:
    return ("none", "the customer's leg", "the agent's leg", "both legs")[2 * seen[0] + seen[1]]


def _journal(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`Gateway.traces`: DBGet, and the identity where there is no entry; then `Attempts._judge`."""
    if _behind_our_own(world):
        return
    attempt = world.tries[daemon.about]
    entry = attempt.entry
    told = daemon.identity if entry else world.identity
    knowledge = "BARRED" if daemon.knowledge == "GAP" and not rules.has(Guard.REVOKE_FIRST) else daemon.knowledge
    same_identity = attempt.identity == told if rules.has(Guard.IDENTITY) else None
    meaning = decisions.means(daemon.state, daemon.seen, entry, knowledge, attempt.boot == daemon.boot, same_identity)
    idle = remember(world, task="", knowledge="", seen=(False, False), again=False)
    if told != daemon.identity and rules.has(Guard.IDENTITY):
        idle = remember(idle, session=False)  # `Session.give_up`: the next login finds out who it is
    label = f"{NAMES[daemon.about]}: {entry or 'no entry'}; that means {_name(meaning)}"
    match meaning:
        case Verdictless.LIVES:
            yield label, idle
        case Verdictless.UNPROVEN if _may_resend(daemon, rules):
            again = update(idle, daemon.about, sent=attempt.sent + 1)
            yield f"{label}: sent again", remember(again, steps=(*daemon.steps, "resent"))
        case Verdictless.UNPROVEN if idle.daemon.session:
            yield label, remember(idle, task="put")
        case Verdictless.UNPROVEN:
            yield label, idle
        case Lost() if not daemon.again and rules.has(Guard.LOST_TWICE):
            again = remember(idle, task="list", knowledge=daemon.knowledge, again=True)
            yield f"{label}: once more", again if idle.daemon.session else idle
        case event:
            yield label, apply(idle, event)


def _may_resend(daemon: Daemon, rules: Rules) -> bool:
    """Only the first attempt does, and once: that is harm enough."""
    return not rules.has(Guard.NEVER_RESEND) and daemon.about == 0 and "resent" not in daemon.steps


def _name(meaning: object) -> str:
    return meaning.name if isinstance(meaning, Verdictless) else type(meaning).__name__


# --- revocation ----------------------------------------------------------------------------------------------------


def _put(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`revocation._accepted`."""
    index, name = daemon.about, NAMES[daemon.about]
    if _behind_our_own(world):
        return
    if world.refuses:
        yield f"the revocation of {name} is refused", remember(world, task="clock")
        return
    written = update(world, index, revoked=True)
    if rules.has(Guard.READ_BACK):
        yield f"the revocation of {name} is acknowledged", remember(written, task="back")
    else:
        yield f"the revocation of {name} is acknowledged, and trusted", _barred(written)


def _back(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`revocation._stayed`, after the flush; a lost one is written again, three times at most."""
    attempt, name = world.tries[daemon.about], NAMES[daemon.about]
    if attempt.revoked != attempt.revoked_disk and rules.has(Guard.WAIT_FOR_FLUSH):
        return
    if attempt.revoked:
        yield f"the revocation of {name} is read back", _barred(world)
        return
    yield f"the revocation of {name} is gone: once more", remember(world, task="put")
    yield f"the revocation of {name} is gone for the third time", remember(world, task="clock")


def _barred(world: World) -> World:
    return remember(world, task="hang" if world.daemon.ending else "list", knowledge="BARRED")


def _clock(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`Attempts._expired` where the revocation is not kept; an overdue call is hung up all the same."""
    name = NAMES[daemon.about]
    if daemon.ending:
        yield f"{name} is to be hung up unrevoked", remember(world, task="hang", knowledge="GAP")
    elif world.tries[daemon.about].by or not rules.has(Guard.WAIT_FOR_TIME):
        yield f"the time of {name} has passed by the PBX's clock", remember(world, task="list", knowledge="BARRED")
    else:
        yield f"{name} stays unproven", remember(world, task="", knowledge="")


def _hang(world: World, daemon: Daemon, rules: Rules) -> Moves:
    """`Attempts._end`: hang up by id, then look; the end that this makes is told at once."""
    if _behind_our_own(world):
        return
    counted = daemon.endings + (1 if world.tries[daemon.about].stuck and rules.has(Guard.ENDINGS_COUNT) else 0)
    looking = remember(world, task="list", ending=False, endings=counted)
    yield from hang_up(f"the daemon hangs up {NAMES[daemon.about]}", looking, daemon.about, rules)


# --- ends ----------------------------------------------------------------------------------------------------------


def _finish(world: World) -> tuple[str, World]:
    """`Attempts._finish`: the end and the callback's next step, in one transaction."""
    daemon = world.daemon
    outcome = daemon.verdict
    ended = update(world, daemon.about, row=outcome, boot=0)
    ended = move_on(ended, outcome)
    bare = Daemon(up=True, session=daemon.session, boot=daemon.boot, identity=daemon.identity)
    return f"{NAMES[daemon.about]} is stored: {outcome}, callback {ended.status}", ended._replace(daemon=bare)


def _tidy(world: World, rules: Rules) -> Moves:
    """`Doubts.look`, and `Tombstones.step` where the keys can still matter to anybody."""
    enough = 2 if rules.has(Guard.SWEEP_A_DAY_LATER) else 1
    enough = enough if rules.has(Guard.SWEEP_LATE) else 0
    for index, attempt in enumerate(world.tries):
        amended = amend(world, index)
        if amended is not world:
            yield f"the end of {NAMES[index]} is found: {amended.tries[index].row}", amended
        due = is_over(attempt) and not is_alive(attempt, world) and attempt.by >= enough
        if due and may_begin(attempt) and (attempt.entry or attempt.revoked):
            yield f"the keys of {NAMES[index]} are swept", update(world, index, entry="", revoked=False)


_TASKS = {
    "claim": _claim,
    "place": _place,
    "list": _list,
    "journal": _journal,
    "put": _put,
    "back": _back,
    "clock": _clock,
    "hang": _hang,
}
