"""What goes on around a daemon while it lives: its link fails it in one way or another."""

import asyncio
from pathlib import Path
from random import Random

from tests.chaos.link import Link
from tests.chaos.plan import CUTS_A_LIFE, Kind, Task
from tests.chaos.points import Setup
from tests.lab.waiting import until
from tests.rig import Daemon

NEVER = 1e6  # seconds: the life ends long before
UP_AFTER = 1.5  # seconds: from here on a daemon may have a session
LONGEST_WAIT = 2.0
LONGEST_STALL = 6.0
LATEST = 12.0


class Trouble:
    """One house's trouble with its link; counts what was done."""

    def __init__(self, link: Link, random: Random) -> None:
        self._link = link
        self._random = random
        self.cuts = 0
        self.holds = 0
        self.hang_ups_swallowed = False

    async def begin(self, task: Task, daemon: Daemon, hits: Path) -> None:
        """Do what belongs to the task; may be cancelled at any time."""
        match task.setup:
            case Setup.STUCK:
                self._link.swallow = b"Action: Hangup"
                self.hang_ups_swallowed = True
            case Setup.REFUSED:
                self._link.spoil = True
            case Setup.UNSENT:
                await until(lambda: _has_passed("store.claim.after", hits), NEVER)
                self._link.shut = True
                self._link.cut()
            case _:
                await self._disturb(task.kind, daemon)

    def end(self) -> None:
        """The link is as good as new; what is held arrives when its time has come."""
        self._link.swallow = b""
        self._link.spoil = self._link.shut = False
        self._link.pass_on()
        self._link.resume()

    async def _disturb(self, kind: Kind, daemon: Daemon) -> None:
        match kind:
            case Kind.LATE:
                await self._kill_with_originates_under_way(daemon)
            case Kind.CUT:
                for _ in range(CUTS_A_LIFE):
                    await asyncio.sleep(self._random.uniform(0.1, LONGEST_WAIT))
                    await until(self._link.cut, NEVER)
                    self.cuts += 1
            case Kind.STALL:
                await asyncio.sleep(self._random.uniform(UP_AFTER, 2 * UP_AFTER))
                self._link.stall()
                self.holds += 1
                await asyncio.sleep(self._random.uniform(0.1, LONGEST_STALL))
                self._link.resume()

    async def _kill_with_originates_under_way(self, daemon: Daemon) -> None:
        arrival = self._link.keep_back()
        await self._link.held.wait()
        await asyncio.sleep(self._random.uniform(0, 0.2))
        daemon.kill()
        self.holds += 1
        asyncio.get_running_loop().call_later(self._random.uniform(0, LATEST), arrival.set)


def _has_passed(point: str, hits: Path) -> bool:
    return hits.exists() and f"passed {point} " in hits.read_text()
