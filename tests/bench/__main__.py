"""`python -m tests.bench`: bare client and daemon in turn at 10 and 30 calls a second and saturating.

Progress goes to stderr; the last line of stdout is one JSON object.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ulid import ULID

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.bench.plan import Job, Result, percentile
from tests.lab import Customer, Lab
from tests.rig import Daemon, Department, House

AGENTS = [f"a{index:03}" for index in range(350)]
NUMBERS = [f"+44161496{index:04}" for index in range(200)]
TALK_MS = 1000
PHASES = ((10.0, 200), (30.0, 750), (0.0, 2500))  # rate (0: saturating), calls
ROUNDS = 2
LEAD = 3.0  # seconds from the order to the first call


@dataclass(frozen=True)
class Measured:
    """One phase of one contestant; CPU of the PBX in seconds."""

    contestant: str
    rate: float
    result: Result
    pbx_cpu: float


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="mi-bench-"))
    try:
        with Lab.create(folder / "lab", agents=AGENTS) as lab:
            for number in NUMBERS:
                lab.customer(number, Customer.answer(talk_ms=TALK_MS))
            measured = [
                _phase(lab, folder / f"{round_}-{rate:g}-{contestant}", contestant, rate, calls)
                for round_ in range(ROUNDS)
                for rate, calls in PHASES
                for contestant in ("bare", "daemon")
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    summary = _summary(measured)
    print(json.dumps(summary))
    return 1 if summary["errors"] else 0


def _phase(lab: Lab, folder: Path, contestant: str, rate: float, calls: int) -> Measured:
    access = lab.ami
    job = Job(
        access.host,
        access.port,
        access.username,
        access.secret,
        lab.trunk,
        AGENTS,
        NUMBERS,
        calls,
        rate,
        time.time() + LEAD,
    )
    before = lab.pbx.cpu_seconds()
    result = _bare(job) if contestant == "bare" else asyncio.run(_daemon(lab, folder, job))
    lab.wait_quiet(30)
    measured = Measured(contestant, rate, result, lab.pbx.cpu_seconds() - before)
    print(
        f"{contestant:6} {f'{rate:g}/s' if rate else 'saturating':10} {calls} calls  {result.throughput:5.1f}/s  "
        f"errors {result.errors}  lateness p99 {1000 * percentile(result.lateness, 0.99):.0f} ms  "
        f"cpu/call {1000 * result.cpu / calls:.2f} ms  PBX {1000 * measured.pbx_cpu / calls:.2f} ms",
        file=sys.stderr,
    )
    return measured


def _bare(job: Job) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare"], input=job.to_json(), stdout=subprocess.PIPE, text=True, check=True
    )
    return Result.from_json(done.stdout)


async def _daemon(lab: Lab, folder: Path, job: Job) -> Result:
    department = Department("sales", AGENTS, more=['whisper = "beep"'])
    house = House(lab, folder, [department], log_level="info")
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        cpu = daemon.cpu_seconds()
        async with SqlStore.open(daemon.database) as store:
            await store.add([_callback(job, index) for index in range(job.calls)], "bench")
            daemon.poke()
            await _all_ended(daemon, store, job)
            cpu, rss = daemon.cpu_seconds() - cpu, daemon.rss_mb()
            attempts = list((await store.calls(limit=10 * job.calls)).items)
        assert daemon.stop() == 0
    connected = [each for each in attempts if each.verdict and each.verdict.outcome is Outcome.CONNECTED]
    return Result(
        calls=job.calls,
        errors=len(attempts) - len(connected) + job.calls - len({each.callback_id for each in connected}),
        ends=[each.ended_at.timestamp() for each in attempts if each.ended_at],
        cpu=cpu,
        lateness=[(_sent(each) - each.ready_at).total_seconds() for each in attempts],
        raw_lateness=[(_sent(each) - each.due_at).total_seconds() for each in attempts],
        rss_mb=rss,
    )


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
    due = datetime.fromtimestamp(job.due(index), UTC)
    visitor = Visitor(phone=job.numbers[index % len(job.numbers)], name="Jane Doe", page="https://shop.example/offers")
    return Callback(CallbackId(str(ULID())), "shop", "sales", visitor, datetime.now(UTC), due, due)


def _summary(measured: list[Measured]) -> dict[str, object]:
    def of(contestant: str, rate: float) -> list[Measured]:
        return [each for each in measured if (each.contestant, each.rate) == (contestant, rate)]

    def cpu(contestant: str, rate: float) -> float:
        phases = of(contestant, rate)
        return 1000 * sum(each.result.cpu for each in phases) / sum(each.result.calls for each in phases)

    at_30 = of("daemon", 30.0)
    lateness = [late for each in at_30 for late in each.result.lateness]
    raw = [late for each in at_30 for late in each.result.raw_lateness or ()]
    bare = [each.result for each in measured if each.contestant == "bare"]
    saturation = {name: [each.result.throughput for each in of(name, 0.0)] for name in ("bare", "daemon")}
    pbx = [each.pbx_cpu for each in at_30]
    return {
        "calls": sum(each.result.calls for each in measured),
        "errors": sum(each.result.errors for each in measured),
        "saturation_ratio": round(sum(saturation["daemon"]) / sum(saturation["bare"]), 3),
        "daemon_calls_per_s": [round(each, 1) for each in saturation["daemon"]],
        "bare_calls_per_s": [round(each, 1) for each in saturation["bare"]],
        "lateness_p50_ms": round(1000 * percentile(lateness, 0.5), 1),
        "lateness_p99_ms": round(1000 * percentile(lateness, 0.99), 1),
        "raw_lateness_p99_ms": round(1000 * percentile(raw, 0.99), 1),
        "daemon_cpu_ms_per_call": round(cpu("daemon", 30.0), 2),
        "bare_cpu_ms_per_call": round(cpu("bare", 30.0), 2),
        "pbx_cpu_ms_per_call": round(1000 * sum(pbx) / sum(each.result.calls for each in at_30), 2),
        "messages_per_call": round(sum(each.messages for each in bare) / sum(each.calls for each in bare), 2),
        "device_messages_per_call": round(
            sum(each.device_messages for each in bare) / sum(each.calls for each in bare), 2
        ),
        "rss_mb": round(max(each.result.rss_mb for each in measured), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
