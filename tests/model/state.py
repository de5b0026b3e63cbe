"""What the model's world consists of: plain tuples, so that states compare and hash fast.

Texts stand for themselves: outcomes and states are the daemon's own words, journal entries the dialplan's.
"""

from typing import NamedTuple

INTENT, OPEN = "intent", "open"
"""A row that is in the daemon's memory only, and one that is durable and has no outcome yet."""

IN_DOUBT = "in_doubt"


class Try(NamedTuple):
    """One attempt: the store's row, what is under way to the PBX, the PBX's channels and keys, and the truth."""

    row: str = ""
    """'' (none), INTENT, OPEN or an outcome."""
    boot: int = 0
    identity: int = 0
    noted: str = ""
    """The state in the row, written behind; told apart only while no daemon has the attempt in memory."""

    sent: int = 0
    """Originates in the living session's pipe."""
    late: int = 0
    """Originates in pipes of dead sessions: they come later or never."""
    late_put: bool = False
    """A revocation in the pipe of a dead session."""

    queued: int = 0
    """Originates that the PBX took and is carrying out: they are in no list."""
    leg: str = ""
    """How far the agent's channel is: '' (none), ringing, checked, whisper, accepted, claimed, dialling, bridged,
    handed over (the agent's part is gone, the customer's lives)."""
    stuck: bool = False
    """The channel cannot be hung up by the manager."""
    entry: str = ""
    entry_disk: str = ""
    """The key mi/<attempt>: as the dialplan reads it, and as it is on disk."""
    revoked: bool = False
    revoked_disk: bool = False
    """The key mi-no/<attempt>."""
    by: int = 0
    """The PBX's clock: 0 before MI_BY, 1 after it, 2 a day after it."""

    rung: int = 0
    """How often this attempt rang the customer."""
    answered: bool = False
    broken: str = ""
    """The rule that this attempt broke by what it did on the PBX."""


class Daemon(NamedTuple):
    """The daemon's memory. It has at most one living attempt, because the next begins when the last is over."""

    up: bool = False
    session: bool = False
    boot: int = 0
    identity: int = 0
    """What the PBX said at the last login (0: there was none)."""
    about: int = 0
    """Which attempt is alive."""
    state: str = ""
    """Its state; '' when none is alive."""
    steps: tuple[str, ...] = ()
    """The doubts that its timeline holds."""
    verdict: str = ""
    """Its outcome, decided and not yet durable."""
    doubt: bool = False
    """A look is due, with nothing missed."""
    task: str = ""
    """What it does next about the attempt: claim, place, list, journal, put, back, clock, hang, or nothing."""
    knowledge: str = ""
    seen: tuple[bool, bool] = (False, False)
    """The living legs, agent's and customer's, as the last list had them."""
    again: bool = False
    """The look is the second in a row, after one that found the attempt lost."""
    endings: int = 0
    ending: bool = False
    """The task is to take an overdue call down."""


class World(NamedTuple):
    """One state of everything."""

    status: str = "scheduled"
    customer_attempts: int = 0
    agent_rings: int = 0
    tries: tuple[Try, Try] = (Try(), Try())
    daemon: Daemon = Daemon()
    boot: int = 1
    identity: int = 0
    """The database's identity key; 0 when it has none."""
    wipes: int = 0
    refuses: bool = False
    """The database takes no writes from the manager."""
    person: str = ""
    """Where a person's retry stands: put, back, hang, list, or nothing."""
    faults: int = 0
    """How many may still happen."""
    excused: bool = False
    """Something happened that may leave an attempt in doubt."""


NAMES = "AB"


def update(world: World, index: int, **changes: object) -> World:
    """The world with one attempt changed."""
    first, second = world.tries
    changed = world.tries[index]._replace(**changes)  # type: ignore[arg-type]  # the fields differ in type
    return world._replace(tries=(changed, second) if index == 0 else (first, changed))


def remember(world: World, **changes: object) -> World:
    """The world with the daemon's memory changed."""
    return world._replace(daemon=world.daemon._replace(**changes))  # type: ignore[arg-type]  # as above


def is_over(attempt: Try) -> bool:
    """The store has its outcome."""
    return attempt.row not in {"", INTENT, OPEN}


def may_begin(attempt: Try) -> bool:
    """An Originate of this attempt may still lead to an answer of the agent."""
    return bool(attempt.sent or attempt.late or attempt.queued) or attempt.leg == "ringing"


def is_alive(attempt: Try, world: World) -> bool:
    """The daemon has it in memory."""
    return bool(world.daemon.state) and world.tries[world.daemon.about] is attempt


_FORGOTTEN = Try(row="over")


def canonical(world: World) -> World:
    """The same world without differences that nobody can see any more; the package says why."""
    first, second = world.tries
    if second.row and is_over(first) and not (may_begin(first) or first.leg):
        amendable = first.row == IN_DOUBT and first.entry.startswith("ended")
        first = first if amendable else _FORGOTTEN
    tries = (_settled(first, world), _settled(second, world))
    return world if tries == world.tries else world._replace(tries=tries)


def _settled(attempt: Try, world: World) -> Try:
    if not world.faults and (attempt.entry != attempt.entry_disk or attempt.revoked != attempt.revoked_disk):
        attempt = attempt._replace(entry_disk=attempt.entry, revoked_disk=attempt.revoked)
    if attempt.by and not may_begin(attempt) and not world.refuses:
        attempt = attempt._replace(by=0)
    return attempt
