"""The judge of what was told sees each way in which it can be wrong."""

import pytest

from tests.rig.heard import Heard

FIRST, SECOND = ("a-1", b"one", ("a", 1)), ("a-2", b"two", ("a", 2))
ITEM = ("item-1", b"item", None)
Event = tuple[str, bytes, tuple[str, int] | None]


@pytest.mark.parametrize(
    ("told", "broken"),
    [
        ([FIRST, FIRST, ITEM, SECOND, SECOND, ITEM], []),
        ([FIRST, ITEM], ["untold: a-2"]),
        ([FIRST, ("a-1", b"other", ("a", 1)), SECOND, ITEM], ["altered: a-1"]),
        ([SECOND, FIRST, ITEM], ["disordered: a: [2, 1]"]),
        ([FIRST, SECOND, FIRST, ITEM], ["disordered: a: [1, 2, 1]"]),
        ([], ["untold: a-1", "untold: a-2", "untold: item-1"]),
    ],
)
def test_what_is_untold_altered_or_out_of_order_is_said(told: list[Event], broken: list[str]) -> None:
    heard = Heard()
    for event in told:
        heard.add(*event)
    assert heard.broken({"a-1", "a-2", "item-1"}) == broken
    assert (heard.times, heard.events) == (len(told), len({event for event, _, _ in told}))
    assert heard.again == heard.times - heard.events
