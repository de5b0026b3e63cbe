"""How the daemon takes in what happened: `Attempts.apply` and `Doubts.settle`."""

from dialer.domain.events import AgentGone, Ended, Event
from tests.model import decisions
from tests.model.state import IN_DOUBT, World, remember, update

_NO_TASK: dict[str, object] = {
    "steps": (),
    "doubt": False,
    "task": "",
    "knowledge": "",
    "seen": (False, False),
    "again": False,
    "ending": False,
    "endings": 0,
}


def apply(world: World, event: Event) -> World:
    """`Attempts.apply` to the living attempt: advance, look soon when in doubt, finish when it ended. The state before
    the end is kept: it is the last that may have been noted."""
    daemon = world.daemon
    if daemon.verdict:
        return world
    advanced = decisions.advance(daemon.state, daemon.steps, event)
    if advanced is None:
        return world
    state, steps, verdict, look = advanced
    if verdict:
        return remember(world, verdict=verdict, **_NO_TASK)
    return remember(world, state=state, steps=steps, doubt=daemon.doubt or look)


def hear(world: World, index: int, event: Event) -> World:
    """`Engine.attempt_event`: what a session carries to the daemon; without one it is lost."""
    daemon = world.daemon
    if not daemon.session:
        return world
    if daemon.state and daemon.about == index:
        return apply(world, event)
    if isinstance(event, Ended):
        return amend(world, index)
    return world


def amend(world: World, index: int) -> World:
    """`Doubts.settle` and the store's `amend`: the end of an attempt in doubt was found."""
    attempt = world.tries[index]
    outcome = decisions.amended(attempt.entry) if attempt.row == IN_DOUBT else ""
    if not outcome:
        return world
    world = update(world, index, row=outcome)
    latest = index == 1 or not world.tries[1].row
    return move_on(world, outcome) if latest and world.status == "needs_review" else world


def move_on(world: World, outcome: str) -> World:
    """The callback's next step, decided by `plan`."""
    status, customer_attempts, agent_rings = decisions.plan(outcome, world.customer_attempts, world.agent_rings)
    return world._replace(status=status, customer_attempts=customer_attempts, agent_rings=agent_rings, person="")


LEG_GONE = AgentGone(16)
