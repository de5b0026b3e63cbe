"""The list of points is whole: each transition and each action of the protocol has one, each point its step."""

import inspect
import re

from dialer.ami import messages
from dialer.ami.messages import Action
from dialer.domain.attempt import TRANSITIONS
from dialer.domain.ids import AttemptId
from dialer.store.store import SqlStore
from tests.asterisk.driving import order
from tests.chaos.plan import DEEPEST
from tests.chaos.points import BY_NAME, EXEMPT, POINTS, Setup, of_action

ATTEMPT = AttemptId("A" * 26)
ARGUMENTS = {
    "attempt": ATTEMPT,
    "order": order("anna", "+442079460999"),
    "family": "mi",
    "prefix": "01ABC",
    **dict.fromkeys(("username", "secret", "question", "criteria", "value", "pattern", "name", "channel"), "x"),
}


_WRITES = re.compile(r"self\._writer\.(submit|note)\(")


def actions() -> list[Action]:
    """One action of every kind that the daemon can send."""
    makers = [
        made
        for _, made in inspect.getmembers(messages, inspect.isfunction)
        if made.__module__ == messages.__name__
        and inspect.signature(made).return_annotation in {Action, "Action"}
        and not made.__name__.startswith("_")
    ]
    return [made(*(ARGUMENTS[name] for name in inspect.signature(made).parameters)) for made in makers]


def test_every_transition_has_a_point() -> None:
    without = {
        (state.value, event.__name__)
        for state, row in TRANSITIONS.items()
        for event in row
        if f"event.{event.__name__}" not in BY_NAME
    }
    assert without == set()


def test_every_action_has_points_or_a_reason_for_none() -> None:
    names = {of_action(action) for action in actions()}
    assert without_points(names) == {name for name in EXEMPT if name.startswith("ami.")}


def without_points(names: set[str]) -> set[str]:
    return {name for name in names if not {f"{name}.before", f"{name}.after"} <= BY_NAME.keys()}


def writes() -> set[str]:
    """Everything that the store can be asked to write."""
    methods = inspect.getmembers(SqlStore, inspect.isfunction)
    return {f"store.{name}" for name, method in methods if _WRITES.search(inspect.getsource(method))}


def test_every_durable_write_has_points_or_a_reason_for_none() -> None:
    assert {"store.claim", "store.note", "store.finish", "store.admit"} < writes()
    assert without_points(writes()) == {name for name in EXEMPT if name.startswith("store.")}


def test_every_point_is_of_something_that_exists() -> None:
    known = {of_action(action) for action in actions()} | writes() | {"store.commit"}
    known |= {f"{write}.failover" for write in writes()}
    known |= {f"event.{event.__name__}" for row in TRANSITIONS.values() for event in row}
    stems = {point.name.removesuffix(".before").removesuffix(".sent").removesuffix(".after") for point in POINTS}
    assert stems <= known


def test_every_point_belongs_to_a_step_and_is_listed_once() -> None:
    assert len(BY_NAME) == len(POINTS)
    assert all(point.step for point in POINTS)


def test_the_sample_goes_into_every_setup() -> None:
    assert {BY_NAME[name].setup: name for name in DEEPEST.values()} == DEEPEST
    assert DEEPEST.keys() == set(Setup)
