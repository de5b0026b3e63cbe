"""One life of a daemon, from its start to its end."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.plan import Task
from tests.rig import Daemon

POLL = 0.02  # seconds


@dataclass
class Life:
    """How it was to end, how it did, and what it left to read."""

    task: Task
    number: int
    log: Path
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: str = ""
    """The name of the point, or of the kind of end."""
    killed: bool = False

    @property
    def hits(self) -> Path:
        """What it passed."""
        return self.log.with_suffix(".hits")

    def lines(self) -> list[dict[str, Any]]:
        """What it logged; the last line of one that was killed may be torn."""
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]


async def until_dead(daemon: Daemon, seconds: float) -> bool:
    """Wait for the daemon's end; False when it lives on."""
    deadline = time.monotonic() + seconds
    while daemon.running:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL)
    return True
