"""`python -m tests.load`: 20 calls a second placed on the lab, in turn without and with submissions by HTTP beside.

Progress goes to stderr; the last line of stdout is one JSON object. The lateness is that of Originate behind the moment
from which the call could be made; its ratio is what the submissions do to it, within one run on one machine.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from ulid import ULID

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.bench.plan import percentile
from tests.chaos.stream import numbers
from tests.lab import Customer, Lab
from tests.load.submitter import WARM_UP, Answers, Work
from tests.rig import API, Daemon, Department, House

AGENTS = [f"a{index:03}" for index in range(120)]
RATE = 20.0  # calls a second
TALK_MS = 1000
LEAD = 3.0  # seconds from the order to the first call
CONNECTIONS = 16
MOST = 900.0  # submissions a second: what the API lets one key ask is 1000
ACCOUNT = {"max_attempts_a_day": 1_000_000, "calls_per_second": 1000}
SHOPS = [f"later{index}" for index in range(5)]
"""Departments for what is submitted: each number once in each."""


@dataclass
class Half:
    """What was seen with submissions, or without."""

    lateness: list[float] = field(default_factory=list)
    errors: int = 0
    cpu: float = 0.0
    calls: int = 0
    answers: list[Answers] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=MOST, help="submissions a second at most, as far as answers come")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mi-load-"))
    try:
        with Lab.create(folder / "lab", agents=AGENTS) as lab:
            called = list(islice(numbers(house=0, houses=1), given.calls))
            for number in called:
                lab.customer(number, Customer.answer(talk_ms=TALK_MS))
            halves = {loaded: Half() for loaded in (False, True)}
            for round_ in range(given.rounds):
                for loaded, half in halves.items():
                    asyncio.run(_run(lab, folder / f"{round_}-{loaded}", called, half, given.rate if loaded else None))
                    lab.wait_quiet(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    summary = _summary(halves[False], halves[True])
    print(json.dumps(summary))
    return 1 if summary["errors"] else 0


async def _run(lab: Lab, folder: Path, called: list[str], half: Half, rate: float | None) -> None:
    """One stretch of calls; `rate` is that of the submissions beside it (None: there are none)."""
    departments = [Department("sales", AGENTS, more=['whisper = "beep"']), *(Department(id_, AGENTS) for id_ in SHOPS)]
    house = House(
        lab,
        folder,
        departments,
        log_level="info",
        accounts={"shop": ACCOUNT},
        tables={"api": API},
    )
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        port, key = await daemon.port(), daemon.key("submit,read")
        start, length = time.time() + LEAD, len(called) / RATE
        cpu = daemon.cpu_seconds()
        async with daemon.store() as store:
            await store.add([_callback(number, start + nth / RATE) for nth, number in enumerate(called)], "load")
            daemon.poke()
            if rate is not None:
                await asyncio.sleep(max(0.0, start - WARM_UP - time.time()))
                half.answers.append(await _submitted(port, key, length, rate))
            while sum((await store.summary()).attempts.values()) < len(called):
                await asyncio.sleep(2)
                assert daemon.running, daemon.tail()
            half.cpu += daemon.cpu_seconds() - cpu
            attempts = list((await store.calls(limit=10 * len(called))).items)
        assert daemon.stop() == 0
    half.calls += len(called)
    half.lateness += [(_sent(each) - each.ready_at).total_seconds() for each in attempts]
    half.errors += sum(each.verdict is None or each.verdict.outcome is not Outcome.CONNECTED for each in attempts)
    print(f"submissions: {rate is not None}  p99 {1000 * percentile(half.lateness, 0.99):.0f} ms", file=sys.stderr)


async def _submitted(port: int, key: str, seconds: float, rate: float) -> Answers:
    """What the submitter, a process of its own, came to."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    work = Work(port, key, SHOPS, list(numbers(house=0, houses=1)), tomorrow, CONNECTIONS, seconds, rate)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.load.submitter"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(work.to_json().encode())
    return Answers.from_json(said.decode())


def _sent(attempt: Attempt) -> datetime:
    return next(step.at for step in attempt.timeline if step.name == "originate_sent")


def _callback(number: str, due: float) -> Callback:
    at = datetime.fromtimestamp(due, UTC)
    return Callback(CallbackId(str(ULID())), "shop", "sales", Visitor(number), datetime.now(UTC), at, at)


def _summary(without: Half, with_: Half) -> dict[str, object]:
    latencies = [each for answers in with_.answers for each in answers.latencies]
    rates = [len(answers.latencies) / answers.seconds for answers in with_.answers]
    p99 = [1000 * percentile(half.lateness, 0.99) for half in (without, with_)]
    return {
        "calls": without.calls + with_.calls,
        "errors": without.errors + with_.errors + sum(answers.errors for answers in with_.answers),
        "submissions": len(latencies),
        "submissions_per_s": round(sum(rates) / len(rates), 1),
        "submission_p50_ms": round(1000 * percentile(latencies, 0.5), 1),
        "submission_p99_ms": round(1000 * percentile(latencies, 0.99), 1),
        "lateness_p99_ms_without": round(p99[0], 1),
        "lateness_p99_ms_with": round(p99[1], 1),
        "lateness_ratio": round(p99[1] / p99[0], 2),
        "daemon_cpu_ratio": round(with_.cpu / without.cpu, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
