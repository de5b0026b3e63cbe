"""The judge of the order in which calls come to the far end."""

import pytest

from dialer.domain.ids import CallbackId
from tests.backlog.run import _overtaken


@pytest.mark.parametrize(
    ("rung", "by"),
    [
        ("abcd", [0, 0, 0, 0]),
        ("bacd", [0, 1, 0, 0]),
        ("badc", [0, 1, 0, 1]),
        ("bcad", [0, 0, 2, 0]),
        ("dcba", [0, 1, 2, 3]),
    ],
)
def test_a_call_is_overtaken_by_those_that_began_later_and_came_before_it(rung: str, by: list[int]) -> None:
    assert _overtaken([*map(CallbackId, "abcd")], [*map(CallbackId, rung)]) == by
