"""A person who retries a callback in doubt: `dialer callbacks resolve --as retry`, on a session of its own."""

from collections.abc import Iterator

from tests.model import decisions
from tests.model.pbx import hang_up
from tests.model.rules import Guard, Rules
from tests.model.state import IN_DOUBT, NAMES, Try, World, update

Moves = Iterator[tuple[str, World]]


def moves(world: World, rules: Rules) -> Moves:
    """The next step of the guard; the last attempt that the model has needs no retry."""
    attempt = world.tries[0]
    if world.status != "needs_review" or attempt.row != IN_DOUBT or world.tries[1].row:
        return
    if not rules.has(Guard.PERSONS_GUARD):
        yield "a person retries, unguarded", world._replace(status="scheduled")
        return
    yield from _STEPS[world.person](world, attempt, rules)
    if world.person:
        yield "the person's retry is broken off", world._replace(person="")


def _begin(world: World, _: Try, __: Rules) -> Moves:
    if not world.refuses:
        yield "a person retries: the revocation is acknowledged", update(world, 0, revoked=True)._replace(person="back")


def _back(world: World, attempt: Try, _: Rules) -> Moves:
    if attempt.revoked == attempt.revoked_disk:
        kept = "is read back" if attempt.revoked else "is gone: refused"
        yield f"the person's revocation {kept}", world._replace(person="hang" if attempt.revoked else "")


def _hang(world: World, _: Try, rules: Rules) -> Moves:
    yield from hang_up(f"the person hangs up {NAMES[0]}", world._replace(person="list"), 0, rules)


def _list(world: World, attempt: Try, _: Rules) -> Moves:
    """An end that was recorded, or a leg that lives, refuses the retry."""
    if not attempt.leg and not decisions.amended(attempt.entry):
        yield "the person's retry is granted", world._replace(status="scheduled", person="")


_STEPS = {"": _begin, "back": _back, "hang": _hang, "list": _list}
