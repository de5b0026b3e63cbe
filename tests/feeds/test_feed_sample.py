"""A short run of `make feeds`, with a fresh seed: the daemon is killed while it reads and tells."""

import secrets
from pathlib import Path

from tests.feeds.run import run


async def test_every_item_is_kept_once_and_told_in_order_by_a_daemon_that_is_killed(tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 31)
    result = await run(60, seed, tmp_path, kills=3)
    assert result.broken == [], f"seed {seed}"
    assert result.kills == 3
    assert result.stored > 0
