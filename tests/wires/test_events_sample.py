"""A short run of `make wires`, with a fresh seed: the daemon is killed while it tells events."""

import secrets
from pathlib import Path

from tests.wires.events import run


async def test_every_event_is_told_whole_and_in_order_by_a_daemon_that_is_killed(tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 31)
    result = await run(240, seed, tmp_path, kills=3)
    assert result.broken == [], f"seed {seed}"
    assert result.summary()["events"] == 240
    assert result.kills == 3
