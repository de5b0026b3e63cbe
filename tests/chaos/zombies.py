"""Originates on their way when their daemon dies, which arrive late: `python -m tests.chaos.zombies --count 1000`.

Three moments of arrival: before the successor looks, while it revokes, after it is done. Then every first attempt is
sent once more under its old id (a replay). A customer may be rung once for each callback, whatever comes. The last
line is one JSON object; exit 1 on any customer lost or rung twice, or when the control shows no double.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId, channel_id
from dialer.domain.outcome import Outcome
from tests.asterisk.proxy import Proxy
from tests.lab import Customer, Lab
from tests.lab.ami import AmiClient
from tests.lab.attempt import Attempt
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House
from tests.rig.daemon import until

AT_ONCE = {"not_placed": ["0s"], "cancelled": ["0s"]}
MOMENTS = ("before", "during", "after")
AGENTS = [f"z{index:02}" for index in range(50)]
PATIENCE = 60.0  # seconds


@dataclass(slots=True)
class Books:
    """What came of the tries."""

    zombies: int = 0
    replays: int = 0
    rung: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


@asynccontextmanager
async def on_their_way(
    lab: Lab, house: House, numbers: Sequence[str]
) -> AsyncIterator[tuple[Proxy, Daemon, list[CallbackId]]]:
    """A daemon that was killed with its Originates held on their way, and that may be started again, past the proxy."""
    for number in numbers:
        lab.customer(number, Customer.answer(talk_ms=500))
    async with Proxy(lab.ami.host, lab.ami.port) as proxy:
        with Daemon(replace(house, port=proxy.port)) as daemon:
            await daemon.until_logged("pbx.ready")
            proxy.hold_at = b"Action: Originate"
            callbacks = daemon.submit([{"department": "sales", "phone": number} for number in numbers])
            await proxy.held.wait()
            await daemon.until_logged("attempt.placed", count=len(numbers))
            daemon.kill()
            replace(house, port=lab.ami.port).write()
            yield proxy, daemon, callbacks
    await quiet(lab)


async def one_round(lab: Lab, folder: Path, numbers: Sequence[str], moment: str, books: Books) -> None:
    """One daemon, killed; its twins arrive at `moment`; then the replays."""
    house = House(lab, folder, [Department("sales", AGENTS, retry=AT_ONCE)], log_level="info")
    async with on_their_way(lab, house, numbers) as (proxy, daemon, callbacks):
        if moment == "before":
            proxy.release()
        daemon.start()
        if moment == "during":
            await daemon.until_logged("pbx.revoking")
            proxy.release()
        rows = await daemon.until_settled(callbacks, PATIENCE, final=True)
        if moment == "after":
            proxy.release()
        await quiet(lab)
        assert daemon.stop() == 0
        attempts = [(await daemon.attempts(callback))[0] for callback in callbacks]
    books.zombies += len(numbers)
    books.lost += sum(row.status is not Status.COMPLETED for row in rows.values())
    books.outcomes.update(attempt.verdict.outcome.value for attempt in attempts if attempt.verdict)
    async with await AmiClient.connect(lab.ami) as client:
        for attempt, agent in zip(attempts, AGENTS, strict=False):
            await Attempt(agent, attempt.dialled, id=channel_id(attempt.id)).originate(client, run=2)
            books.replays += 1
        await quiet(lab)
    for number in numbers:
        books.rung[number] = lab.rung(number)


async def control(lab: Lab, folder: Path, numbers: Sequence[str]) -> int:
    """The same without the second lock: how many customers are rung twice when the revocations are taken away."""
    house = House(lab, folder, [Department("sales", AGENTS, retry=AT_ONCE)], log_level="info")
    async with on_their_way(lab, house, numbers) as (proxy, daemon, callbacks):
        daemon.start()
        await daemon.until_settled(callbacks, PATIENCE, final=True)
        assert daemon.stop() == 0
        lab.pbx.cli("database deltree mi-no")
        proxy.release()
        await until(lambda: sum(lab.rung(number) for number in numbers) == 2 * len(numbers), PATIENCE, "the doubles")
    return sum(lab.rung(number) > 1 for number in numbers)


def _number(index: int) -> str:
    """A number of a drama range, another for each index up to 2,999."""
    city = ("131", "141", "151")[index // 1000]
    return f"+44{city}4960{index % 1000:03}"


async def main(count: int) -> int:
    """Make `count` tries in rounds; the process's exit code."""
    folder = Path(tempfile.mkdtemp(prefix="mi-zombies-"))
    books = Books()
    try:
        with Lab.create(folder / "lab", agents=AGENTS) as lab:
            for round_ in range(-(-count // len(AGENTS))):
                moment = MOMENTS[round_ % len(MOMENTS)]
                numbers = [_number(round_ * len(AGENTS) + index) for index in range(len(AGENTS))]
                await one_round(lab, folder / f"r{round_}", numbers, moment, books)
                print(f"round {round_}: {moment}, {books.zombies} so far", file=sys.stderr)
            doubled = await control(lab, folder / "control", [f"+441914980{index:03}" for index in range(10)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    twice = sum(times > 1 for times in books.rung.values())
    never = sum(times == 0 for times in books.rung.values())
    result = {"zombies": books.zombies, "replays": books.replays, "rung_twice": twice, "never_rung": never}
    result |= {"lost": books.lost, "control_rung_twice": doubled}
    print(json.dumps(result | {"first_attempts": {str(Outcome(key)): n for key, n in books.outcomes.items()}}))
    return 0 if not (twice or never or books.lost) and doubled else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, choices=range(1, 3001), metavar="N", default=1000)
    sys.exit(asyncio.run(main(parser.parse_args().count)))
