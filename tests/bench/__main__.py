"""`python -m tests.bench [--wires]`: bare client and daemon in turn at 10 and 30 calls a second, saturating a few
agents, and saturating the PBX.

Progress goes to stderr; the last line of stdout is one JSON object.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from random import Random

from ulid import ULID

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.bench.plan import Job, Result, percentile
from tests.chaos.stream import numbers
from tests.chaos.wires import Wires
from tests.lab import Customer, FarCall, Lab
from tests.rig import Daemon, Department, House

AGENTS = [f"a{index:03}" for index in range(350)]
TALK_MS = 1000
FEW = 40
"""So few agents that they, not the PBX, are what calls wait for."""
ROUNDS = 2
LEAD = 3.0  # seconds from the order to the first call
WINDOW = 3600.0  # seconds within which visitors want to be called
PAGE = "https://desk.example/callbacks/{id}"
ACCOUNT = {"max_attempts_a_day": 1_000_000, "max_minutes_a_day": 1_000_000, "calls_per_second": 1000}
RETRY = {"least_gap": "2m"}
MORE = ['whisper = "beep"', 'order = "longest_idle"']


@dataclass(frozen=True)
class Phase:
    """So many calls with so many agents, at a rate a second (0: as fast as agents are free)."""

    calls: int
    agents: int
    rate: float = 0.0

    def __str__(self) -> str:
        return f"{self.rate:g}/s" if self.rate else f"{self.agents} agents"


SLOW, STEADY = Phase(200, len(AGENTS), 10.0), Phase(750, len(AGENTS), 30.0)
WAKING, SATURATING = Phase(400, FEW), Phase(2500, len(AGENTS))
PHASES = (SLOW, STEADY, WAKING, SATURATING)
NUMBERS = list(islice(numbers(house=0, houses=1), max(phase.calls for phase in PHASES)))


@dataclass(frozen=True)
class Measured:
    """One phase of one contestant; CPU of the PBX in seconds. `wakeups`: how long each agent's phone was still between
    two calls, in seconds, by the far end's own records."""

    contestant: str
    phase: Phase
    result: Result
    pbx_cpu: float
    wakeups: list[float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--wires", action="store_true", help="the daemon has the API, a feed and a webhook under load")
    wired = parser.parse_args().wires
    folder = Path(tempfile.mkdtemp(prefix="mi-bench-"))
    try:
        with Lab.create(folder / "lab", agents=AGENTS) as lab:
            for number in NUMBERS:
                lab.customer(number, Customer.answer(talk_ms=TALK_MS))
            measured = [
                _run(lab, folder / f"{round_}-{number}-{contestant}", contestant, phase, wired=wired)
                for round_ in range(ROUNDS)
                for number, phase in enumerate(PHASES)
                for contestant in ("bare", "daemon")
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    summary = {**_summary(measured), "wires": wired}
    print(json.dumps(summary))
    return 1 if summary["errors"] else 0


def _run(lab: Lab, folder: Path, contestant: str, phase: Phase, *, wired: bool) -> Measured:
    access, start = lab.ami, time.time() + LEAD
    job = Job(
        access.host,
        access.port,
        access.username,
        access.secret,
        lab.trunk,
        AGENTS[: phase.agents],
        NUMBERS[: phase.calls],
        phase.calls,
        phase.rate,
        start,
        start + WINDOW,
        PAGE,
    )
    before, seen = lab.pbx.cpu_seconds(), len(lab.far_end_calls())
    result = _bare(job) if contestant == "bare" else asyncio.run(_daemon(lab, folder, job, wired=wired))
    lab.wait_quiet(30)
    pbx_cpu = lab.pbx.cpu_seconds() - before
    measured = Measured(contestant, phase, result, pbx_cpu, _wakeups(lab.far_end_calls()[seen:]))
    print(
        f"{contestant:6} {phase!s:10} {phase.calls} calls  {result.throughput:5.1f}/s  "
        f"faults {_counted(result.faults)}  lateness p99 {1000 * percentile(result.lateness, 0.99):.0f} ms  "
        f"cpu/call {1000 * result.cpu / phase.calls:.2f} ms  PBX {1000 * pbx_cpu / phase.calls:.2f} ms",
        file=sys.stderr,
    )
    return measured


def _wakeups(calls: Sequence[FarCall]) -> list[float]:
    legs: dict[str, list[FarCall]] = {}
    for call in sorted((call for call in calls if call.who == "agent"), key=lambda call: call.start):
        legs.setdefault(call.dialled, []).append(call)
    return [(later.start - call.end).total_seconds() for own in legs.values() for call, later in pairwise(own)]


def _bare(job: Job) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare"], input=job.to_json(), stdout=subprocess.PIPE, text=True, check=True
    )
    return Result.from_json(done.stdout)


async def _daemon(lab: Lab, folder: Path, job: Job, *, wired: bool) -> Result:
    if not wired:
        return await _placed(lab, folder, job, None, {})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    others = reversed(list(numbers(house=0, houses=1)))
    wires = Wires(others, Random(), site="shop", department="later", wanted_at=tomorrow, every=0.1)
    async with wires.open() as tables:
        return await _placed(lab, folder, job, wires, tables)


async def _placed(
    lab: Lab, folder: Path, job: Job, wires: Wires | None, tables: Mapping[str, Mapping[str, object]]
) -> Result:
    departments = [Department(id_, job.agents, more=MORE, retry=RETRY) for id_ in ("sales", "later")]
    house = House(
        lab,
        folder,
        departments,
        log_level="info",
        accounts={"shop": ACCOUNT},
        tables={"desk": {"callback_page": PAGE}, **tables},
    )
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        cpu = daemon.cpu_seconds()
        async with SqlStore.open(daemon.database) as store:
            await store.add([_callback(job, index) for index in range(job.calls)], "bench")
            daemon.poke()
            if wires:
                await wires.begin(store)
            await _all_ended(daemon, store, job)
            cpu, rss = daemon.cpu_seconds() - cpu, daemon.rss_mb()
            attempts = list((await store.calls(limit=10 * job.calls)).items)
            if wires:
                await wires.finish(store)
        assert daemon.stop() == 0
    connected = [each for each in attempts if each.verdict and each.verdict.outcome is Outcome.CONNECTED]
    fine = {each.id for each in connected}
    return Result(
        calls=job.calls,
        faults=[_fault(each) for each in attempts if each.id not in fine]
        + ["never connected"] * (job.calls - len({each.callback_id for each in connected})),
        ends=[each.ended_at.timestamp() for each in attempts if each.ended_at],
        cpu=cpu,
        lateness=[(_sent(each) - each.ready_at).total_seconds() for each in attempts],
        raw_lateness=[(_sent(each) - each.due_at).total_seconds() for each in attempts],
        rss_mb=rss,
    )


def _fault(attempt: Attempt) -> str:
    verdict = attempt.verdict
    return f"{verdict.outcome} {verdict.cause} {verdict.detail}" if verdict else "no end"


def _counted(faults: Sequence[str]) -> dict[str, int]:
    return dict(Counter(faults))


def _sent(attempt: Attempt) -> datetime:
    return next(step.at for step in attempt.timeline if step.name == "originate_sent")


async def _all_ended(daemon: Daemon, store: SqlStore, job: Job) -> None:
    """Wait for the end of every call; looks rarely, so as not to disturb what is measured."""
    ended = 0
    while ended < job.calls:
        await asyncio.sleep(2)
        assert daemon.running, daemon.tail()
        ended = sum((await store.summary()).attempts.values())


def _callback(job: Job, index: int) -> Callback:
    due, until = (datetime.fromtimestamp(moment, UTC) for moment in (job.due(index), job.until))
    visitor = Visitor(phone=job.numbers[index], name="Jane Doe", page="https://shop.example/offers")
    id_ = CallbackId(str(ULID()))
    return Callback(id_, "shop", "sales", visitor, datetime.now(UTC), due, due, wanted_until=until, expires_at=until)


def _summary(measured: list[Measured]) -> dict[str, object]:
    def of(contestant: str, phase: Phase) -> list[Measured]:
        return [each for each in measured if (each.contestant, each.phase) == (contestant, phase)]

    def cpu(contestant: str, phase: Phase) -> float:
        phases = of(contestant, phase)
        return 1000 * sum(each.result.cpu for each in phases) / sum(each.result.calls for each in phases)

    def wakeups(contestant: str, phase: Phase) -> list[float]:
        return [wait for each in of(contestant, phase) for wait in each.wakeups]

    at_30 = of("daemon", STEADY)
    lateness = [late for each in at_30 for late in each.result.lateness]
    raw = [late for each in at_30 for late in each.result.raw_lateness or ()]
    bare = [each.result for each in measured if each.contestant == "bare"]
    saturation = {name: [each.result.throughput for each in of(name, SATURATING)] for name in ("bare", "daemon")}
    pbx = [each.pbx_cpu for each in at_30]
    return {
        "calls": sum(each.result.calls for each in measured),
        "errors": sum(len(each.result.faults) for each in measured),
        "faults": {
            name: _counted([fault for each in measured if each.contestant == name for fault in each.result.faults])
            for name in ("bare", "daemon")
        },
        "saturation_ratio": round(sum(saturation["daemon"]) / sum(saturation["bare"]), 3),
        "daemon_calls_per_s": [round(each, 1) for each in saturation["daemon"]],
        "bare_calls_per_s": [round(each, 1) for each in saturation["bare"]],
        "lateness_p50_ms": round(1000 * percentile(lateness, 0.5), 1),
        "lateness_p99_ms": round(1000 * percentile(lateness, 0.99), 1),
        "raw_lateness_p99_ms": round(1000 * percentile(raw, 0.99), 1),
        **{
            f"{name}_{of_what}wakeup_p{share * 100:.0f}_ms": round(1000 * percentile(wakeups(name, phase), share), 1)
            for of_what, phase in (("", WAKING), ("saturated_", SATURATING))
            for name in ("daemon", "bare")
            for share in (0.5, 0.99)
        },
        "daemon_cpu_ms_per_call": round(cpu("daemon", STEADY), 2),
        "bare_cpu_ms_per_call": round(cpu("bare", STEADY), 2),
        "pbx_cpu_ms_per_call": round(1000 * sum(pbx) / sum(each.result.calls for each in at_30), 2),
        "messages_per_call": round(sum(each.messages for each in bare) / sum(each.calls for each in bare), 2),
        "device_messages_per_call": round(
            sum(each.device_messages for each in bare) / sum(each.calls for each in bare), 2
        ),
        "rss_mb": round(max(each.result.rss_mb for each in measured), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
