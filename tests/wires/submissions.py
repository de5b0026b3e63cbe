"""Requests by HTTP, sent again by their idempotency keys until they are answered, while the daemon is killed again and
again. Every one is in the store once, and every answer is its own."""

import asyncio
import contextlib
import json
import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import httpx

from tests.chaos.stream import numbers
from tests.lab.ports import free_port
from tests.rig import API, Daemon, detached
from tests.rig.daemon import until

SENDERS = 16
REPEATED = 0.25
"""The share of requests that are sent once more after their answer, as by a sender that did not hear it."""
PATIENCE = 120.0
"""Seconds for one request, through all kills."""


@dataclass
class Outcome:
    """What became of the requests. `unheard`: tries that ended without an answer; `lost`: answered and not in the
    store; `doubled`: in the store twice; `changed`: repeated and answered with something else."""

    submissions: int
    kills: int = 0
    tries: int = 0
    unheard: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        return not (self.lost or self.doubled or self.changed) and set(self.statuses) <= {201, 503}

    def summary(self) -> dict[str, object]:
        """The figures."""
        return {
            "submissions": self.submissions,
            "submission_kills": self.kills,
            "submissions_tried": self.tries,
            "submissions_unheard": self.unheard,
            "submissions_lost": self.lost,
            "submissions_doubled": self.doubled,
            "submissions_changed": self.changed,
        }


@dataclass
class Sender:
    """Sends requests until they are answered."""

    url: str
    key: str
    outcome: Outcome
    random: random.Random
    answers: dict[str, str] = field(default_factory=dict)
    """By number, the body of the first answer."""

    async def send(self, wanted: asyncio.Queue[str]) -> None:
        """Take numbers from the queue until it is empty."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                try:
                    number = wanted.get_nowait()
                except asyncio.QueueEmpty:
                    return
                self.answers[number] = await self._until_answered(client, number)
                if self.random.random() < REPEATED:
                    self.outcome.changed += await self._until_answered(client, number) != self.answers[number]

    async def _until_answered(self, client: httpx.AsyncClient, number: str) -> str:
        headers = {"authorization": f"Bearer {self.key}", "idempotency-key": f"request-{number[1:]}"}
        by = time.monotonic() + PATIENCE
        while time.monotonic() < by:
            self.outcome.tries += 1
            try:
                answer = await client.post(
                    f"{self.url}/v1/callbacks", json={"department": "sales", "phone": number}, headers=headers
                )
            except httpx.TransportError:
                self.outcome.unheard += 1
                await asyncio.sleep(0.05)
                continue
            status = answer.status_code
            self.outcome.statuses[status] = self.outcome.statuses.get(status, 0) + 1
            if status == 201:
                return answer.text
            await asyncio.sleep(0.05)
        raise TimeoutError(f"a request was not answered within {PATIENCE} s")


async def run(count: int, kills: int, folder: Path, seed: int = 0) -> Outcome:
    """Send `count` requests through at least `kills` kills."""
    outcome, rng, wanted = Outcome(count), random.Random(seed), asyncio.Queue[str]()
    for number in islice(numbers(0, 1), count):
        wanted.put_nowait(number)
    at = f"127.0.0.1:{free_port()}"
    with Daemon(detached(folder, {"api": {**API, "listen": at}})) as daemon:
        await daemon.ready()
        sender = Sender(f"http://{at}", daemon.key("submit,read"), outcome, rng)
        killing = asyncio.create_task(_kill(daemon, kills, count, wanted, outcome, rng))
        await asyncio.gather(*(sender.send(wanted) for _ in range(SENDERS)))
        await killing
        daemon.stop()
        _judge(daemon.database, sender.answers, outcome)
    return outcome


async def _kill(
    daemon: Daemon, kills: int, count: int, wanted: asyncio.Queue[str], outcome: Outcome, rng: random.Random
) -> None:
    """Kill it each time that another share of the requests has gone, a little later, and start it again."""
    for nth in range(1, kills + 1):
        left = count * (kills + 1 - nth) // (kills + 1)
        await until(lambda left=left: wanted.qsize() <= left, PATIENCE, "requests go")  # type: ignore[misc]  # bound now
        await asyncio.sleep(rng.random() * 0.05)
        daemon.kill()
        outcome.kills += 1
        daemon.start()
        await daemon.ready()


def _judge(database: Path, answers: dict[str, str], outcome: Outcome) -> None:
    with contextlib.closing(sqlite3.connect(database)) as store:
        stored = store.execute("SELECT phone, id FROM callback").fetchall()
        kept = store.execute("SELECT count(*) FROM answer").fetchone()[0]
    ids = dict(stored)
    outcome.doubled = sum(times - 1 for times in Counter(phone for phone, _ in stored).values())
    outcome.lost = sum(json.loads(body)["id"] != ids.get(number) for number, body in answers.items())
    outcome.lost += abs(kept - len(stored)) + abs(len(answers) - outcome.submissions)
