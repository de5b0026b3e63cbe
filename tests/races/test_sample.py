"""A short run of `make races`, with a fresh seed: whoever was told that it is over is not rung."""

import secrets

from tests.races import by_feed
from tests.races.run import Kind, run


async def test_nobody_is_rung_after_their_change_was_acknowledged() -> None:
    seed = secrets.randbelow(1 << 31)
    result = await run(60, seed)
    assert result.broken == [], f"seed {seed}"
    summary = result.summary()
    assert summary["races"] == 60
    assert summary["done"] > 0, "some come in time"
    assert summary["too_late"] > 0, "and some do not"
    assert {race.kind for race in result.races} == set(Kind)


async def test_nobody_is_rung_after_the_feed_was_told_that_it_is_over() -> None:
    seed = secrets.randbelow(1 << 31)
    result = await by_feed.run(30, seed)
    assert result.broken == [], f"seed {seed}"
    assert result.summary()["races"] == 30
    assert result.summary()["done"] > 0, "some come in time"
