"""The same races with all that anybody wants coming by a feed, and all that they are told going back by it."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from dialer.domain.callback import Status
from dialer.intake.changes import Answer
from tests.feeds.platform import Item, Platform, cancel, change, request, serving, table
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import quiet, until
from tests.races.run import AGENTS, LONGEST, Kind, Race, Result, judge, numbers
from tests.rig import Daemon, Department, House

TOMORROW = timedelta(days=1)
TOLD_WITHIN = 60.0  # seconds
_FINAL = {"callback.completed": Status.COMPLETED, "callback.failed": Status.FAILED, "callback.expired": Status.EXPIRED}


async def run(count: int, seed: int) -> Result:
    """So many races, as many at a time as there are agents."""
    random, result, platform = Random(seed), Result(), Platform()
    folder = Path(tempfile.mkdtemp(prefix="mi-races-"))
    async with serving(platform):
        with _house(platform, folder) as (lab, daemon):
            await daemon.until_logged("pbx.ready")
            free, left = asyncio.Semaphore(len(AGENTS) - 2), numbers()
            async with asyncio.TaskGroup() as tasks:
                for number in range(count):
                    await free.acquire()
                    task = tasks.create_task(_race(lab, platform, f"{number}", next(left), random, result))
                    task.add_done_callback(lambda _: free.release())
            # What was let go on must end before its customers are asked.
            await quiet(lab, 60)
            assert daemon.stop() == 0
            judge(result, lab.far_end_calls())
    return result


@contextmanager
def _house(platform: Platform, folder: Path) -> Iterator[tuple[Lab, Daemon]]:
    with Lab.create(folder / "lab", agents=AGENTS) as lab:
        for agent in AGENTS:
            lab.agent(agent, Agent.accept(ring_ms=100, press_ms=200))
        department = Department("sales", AGENTS, retry={"cancelled": ["1s"]})
        house = House(lab, folder / "house", [department], log_level="info", tables={"feed.mi": table(platform)})
        with Daemon(house) as daemon:
            yield lab, daemon


async def _race(lab: Lab, platform: Platform, id_: str, number: str, random: Random, result: Result) -> None:
    lab.customer(number, Customer.answer(ring_ms=300, talk_ms=500))
    asked, wish = f"r-{id_}", f"w-{id_}"
    await platform.put(request(asked, number))
    await until(lambda: _told(platform, asked, "callback.accepted"), TOLD_WITHIN)
    await asyncio.sleep(random.uniform(0, LONGEST))  # the race itself: a moment of the attempt's life
    kind = random.choice((Kind.CANCEL, Kind.MOVE))
    at = (datetime.now(UTC) + TOMORROW).isoformat()
    await platform.put(cancel(wish, asked) if kind is Kind.CANCEL else change(wish, asked, at=at))
    await until(lambda: _told(platform, wish, "item."), TOLD_WITHIN)
    answered = _told(platform, wish, "item.")[-1]["type"]
    if answered == "item.noted":
        await until(lambda: _decided(platform, asked, kind) is not None, TOLD_WITHIN)
    status = _decided(platform, asked, kind)
    won = status is (Status.CANCELLED if kind is Kind.CANCEL else Status.SCHEDULED)
    if answered == "item.done" and status is None:
        # Told by the item; the callback's own event is on its way.
        won, status = True, Status.CANCELLED if kind is Kind.CANCEL else Status.SCHEDULED
    answer = Answer.DONE if won else Answer.TOO_LATE
    result.races.append(Race(kind, number, answer, status or Status.COMPLETED))


def _told(platform: Platform, item: str, kind: str) -> list[Item]:
    """The events of an item that are of a kind, by the beginning of its name."""
    return [event for event in platform.events if event["item"] == item and event["type"].startswith(kind)]


def _decided(platform: Platform, asked: str, kind: Kind) -> Status | None:
    """Where the platform knows its callback to be: at what was wished, or over; None while that is open."""
    for event in _told(platform, asked, "callback."):
        if event["type"] in _FINAL:
            return _FINAL[event["type"]]
        if kind is Kind.CANCEL and event["type"] == "callback.cancelled":
            return Status.CANCELLED
        if kind is Kind.MOVE and event["type"] == "callback.scheduled" and event["data"]["reason"] == "moved":
            return Status.SCHEDULED
    return None
