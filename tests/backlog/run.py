"""Thousands of callbacks of three accounts, all due while everything was paused; then it is resumed.

The far end says how fast and in which order they came. Whoever is dialled next is told by the agents' phones: the
X-Mi-Callback-Id of each ring. Where Asterisk takes longer over a call than a slot is long, the next one overtakes it on
its way: the order is that of the intents, and by the far end no call may be overtaken by more than that one.
"""

import asyncio
import tempfile
from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ulid import ULID

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.ids import CallbackId
from dialer.store.store import SqlStore
from tests.lab import Agent, Customer, FarCall, Lab
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House

RATE = 20.0
"""Calls a second that the trunk may begin."""

SLACK = 0.005
"""Seconds by which a call may seem early at the far end: its way there may be shorter than that of the one before."""

AGENTS = [f"b{index:03}" for index in range(150)]
SMALL = 10
"""Callbacks of each of the two small accounts, beside the giant's."""

_AREAS = ("113", "114", "116", "117", "118", "121", "131", "141", "151")


@dataclass(frozen=True)
class Result:
    """What the far end saw, and the store's intents. `overtaken`: calls that came to the far end after one that was
    begun later; `overtaken_by`: by how many, at most."""

    callbacks: int
    completed: int
    rate_per_second: float
    closest: float
    most_in_a_second: int
    overtaken: int
    overtaken_by: int
    out_of_order: int
    small_account_delay_slots: int
    closest_intents: float
    customers_rung: int
    customers_rung_twice: int

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return {
            "callbacks": self.callbacks,
            "completed": self.completed,
            "pacing_per_second": RATE,
            "rate_per_second": round(self.rate_per_second, 2),
            "closest_ms": round(1000 * self.closest, 1),
            "most_in_a_second": self.most_in_a_second,
            "out_of_order": self.out_of_order,
            "overtaken": self.overtaken,
            "overtaken_by": self.overtaken_by,
            "small_account_delay_slots": self.small_account_delay_slots,
            "closest_intents_ms": round(1000 * self.closest_intents, 1),
            "customers_rung": self.customers_rung,
            "customers_rung_twice": self.customers_rung_twice,
        }

    @property
    def kept(self) -> bool:
        """Paced, in order, in turn, complete, and nobody twice."""
        paced = self.most_in_a_second <= RATE + 1 and self.rate_per_second <= RATE
        ordered = self.out_of_order == 0 and self.overtaken_by <= 1 and self.small_account_delay_slots <= 1
        return paced and ordered and self.completed == self.callbacks and self.customers_rung_twice == 0


async def run(count: int) -> Result:
    """`count` callbacks, due within a minute and an hour ago."""
    folder = Path(tempfile.mkdtemp(prefix="mi-backlog-"))
    with Lab.create(folder / "lab", agents=AGENTS) as lab:
        for agent in AGENTS:
            lab.agent(agent, Agent.accept(ring_ms=50, press_ms=100))
        with Daemon(_house(lab, folder / "house")) as daemon:
            await daemon.until_logged("pbx.ready")
            assert daemon.cli("pause", "--reason", "the backlog grows").returncode == 0
            backlog = _backlog(count)
            for one in backlog:
                lab.customer(one.visitor.phone, Customer.answer(ring_ms=50, talk_ms=200))
            async with daemon.store() as store:
                await store.add(backlog)
                assert daemon.cli("resume").returncode == 0
                await _until_over(daemon, store, count)
                rows = [await store.get(one.id) for one in backlog]
                attempts = [each for one in backlog for each in await store.attempts(one.id)]
            await quiet(lab, 60)
            assert daemon.stop() == 0
        return _result(backlog, rows, attempts, lab.far_end_calls())


def _house(lab: Lab, folder: Path) -> House:
    accounts = ("giant", "small", "tiny")
    departments = [Department(name, AGENTS, site=name, more=['whisper = "beep"']) for name in accounts]
    return House(
        lab,
        folder,
        departments,
        accounts={name: {} for name in accounts},
        sites={name: {"account": name} for name in accounts},
        trunks={"carrier": {"calls_per_second": RATE}},
        log_level="info",
    )


def _backlog(count: int) -> list[Callback]:
    """The giant's callbacks have waited the longest; the small ones' are the latest of all."""
    now = datetime.now(UTC)
    made = []
    for index in range(count):
        giant = index < count - 2 * SMALL
        account = "giant" if giant else ("small", "tiny")[index % 2]
        due = now - (timedelta(hours=1) if giant else timedelta(minutes=1)) + timedelta(milliseconds=index)
        number = f"+44{_AREAS[index // 1000]}496{index % 1000:04}"
        made.append(Callback(CallbackId(str(ULID())), account, account, Visitor(number), now, due, due))
    return made


async def _until_over(daemon: Daemon, store: SqlStore, count: int) -> None:
    """Looks rarely, so as not to disturb what is measured."""
    ended = 0
    async with asyncio.timeout(60 + 2 * count / RATE):
        while ended < count:
            await asyncio.sleep(1)
            assert daemon.running, daemon.tail()
            ended = (await store.summary()).callbacks[Status.COMPLETED]


def _result(
    backlog: Sequence[Callback], rows: Sequence[Callback | None], attempts: Sequence[Attempt], far: Sequence[FarCall]
) -> Result:
    rings = sorted((call for call in far if call.who == "agent"), key=lambda call: call.start)
    starts = [call.start.timestamp() for call in rings]
    account = {one.id: one.department for one in backlog}
    due = {one.id: one.due_at for one in backlog}
    customers = [call.dialled for call in far if call.who == "customer"]
    # A second attempt comes when its callback's delay is over, and not in the order of the first promise.
    intents = sorted((each for each in attempts if each.number == 1), key=lambda each: (each.created_at, each.id))
    apart = [later.created_at - earlier.created_at for earlier, later in pairwise(intents)]
    order = [each.callback_id for each in intents]
    # Of a callback that was tried again, its first ring.
    overtaken = _overtaken(order, list(dict.fromkeys(CallbackId(call.callback_id) for call in rings)))
    return Result(
        callbacks=len(backlog),
        completed=sum(row is not None and row.status is Status.COMPLETED for row in rows),
        rate_per_second=(len(starts) - 1) / (starts[-1] - starts[0]),
        closest=min(later - earlier for earlier, later in pairwise(starts)),
        most_in_a_second=_most_in_a_second(starts),
        overtaken=sum(by > 0 for by in overtaken),
        overtaken_by=max(overtaken),
        out_of_order=_out_of_order(order, account, due),
        small_account_delay_slots=_delay_slots([account[id_] for id_ in order]),
        closest_intents=min(apart).total_seconds(),
        customers_rung=len(customers),
        customers_rung_twice=len(customers) - len(set(customers)),
    )


def _most_in_a_second(starts: Sequence[float]) -> int:
    """The most rings that any second holds, wherever it begins."""
    most, first = 0, 0
    for last, start in enumerate(starts):
        while start - starts[first] >= 1 - SLACK:
            first += 1
        most = max(most, last - first + 1)
    return most


def _overtaken(order: Sequence[CallbackId], rung: Sequence[CallbackId]) -> list[int]:
    """Of each call that was rung, how many that were begun after it came before it."""
    place = {id_: at for at, id_ in enumerate(order)}
    before: list[int] = []
    found = []
    for id_ in rung:
        found.append(len(before) - bisect(before, place[id_]))
        insort(before, place[id_])
    return found


def _out_of_order(order: Sequence[CallbackId], account: dict[CallbackId, str], due: dict[CallbackId, datetime]) -> int:
    """How often an account's later promise was begun before an earlier one of its own."""
    last: dict[str, datetime] = {}
    wrong = 0
    for one in order:
        before = last.get(account[one])
        wrong += before is not None and due[one] < before
        last[account[one]] = due[one]
    return wrong


def _delay_slots(order: Sequence[str]) -> int:
    """While an account has callbacks left, how many calls of one other account come between two of its own, at most."""
    worst = 0
    for account in set(order):
        places = [place for place, each in enumerate(order) if each == account]
        for earlier, later in pairwise([-1, *places]):
            between = order[earlier + 1 : later]
            worst = max([worst, *(between.count(other) for other in set(between))])
    return worst
