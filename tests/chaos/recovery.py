"""`kill -9` of the daemon with calls up: `python -m tests.chaos.recovery --calls 250`.

Twice as many silent calls as asked for, one half after the other. The first half outlives the kill: the next daemon
adopts every call before it dials again. The second half ends while nobody watches: the next daemon learns every end
from the journal. The far end's records are the witness. The last line is one JSON object; exit 1 when a call was not
adopted, or anything told of one is wrong.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dialer.domain.attempt import Attempt, State
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.lab import Customer, Lab
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House

PATIENCE = 120.0  # seconds
MOST = 500
TALK_ERROR = 1.0  # seconds between our talk time and the far end's


@dataclass(frozen=True)
class Recovery:
    """One kill with its calls: what the next daemon made of them. Times are milliseconds from the process's start."""

    adopted: int
    ready_ms: int
    settled_ms: int
    settled: int
    wrong: int
    talk_error_max_s: float


async def main(calls: int) -> int:
    """Both halves; the process's exit code."""
    folder = Path(tempfile.mkdtemp(prefix="mi-recovery-"))
    agents = [f"r{index:03}" for index in range(calls)]
    try:
        with Lab.create(folder / "lab", agents=agents) as lab:
            house = House(lab, folder, [Department("sales", agents, more=['whisper = "beep"'])], log_level="info")
            with Daemon(house) as daemon:
                await daemon.until_logged("pbx.ready")
                living = await one_kill(lab, daemon, _numbers(0, calls), live_on=True)
                print(f"outlived the kill: {living}", file=sys.stderr)
                ended = await one_kill(lab, daemon, _numbers(MOST, calls), live_on=False)
                print(f"ended unwatched: {ended}", file=sys.stderr)
                assert daemon.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(_result(calls, living, ended)))
    return 0 if living.adopted == calls and not living.wrong + ended.wrong else 1


def _result(calls: int, living: Recovery, ended: Recovery) -> dict[str, object]:
    return {
        "calls": calls,
        "adopted": living.adopted,
        "ready_ms": living.ready_ms,
        "unwatched_ready_ms": ended.ready_ms,
        "unwatched_settled_ms": ended.settled_ms,
        "settled": living.settled + ended.settled,
        "wrong": living.wrong + ended.wrong,
        "talk_error_max_s": max(living.talk_error_max_s, ended.talk_error_max_s),
    }


def _numbers(first: int, count: int) -> list[str]:
    """Numbers of a drama range."""
    return [f"+441134960{index:03}" for index in range(first, first + count)]


async def one_kill(lab: Lab, daemon: Daemon, numbers: Sequence[str], *, live_on: bool) -> Recovery:
    """Bring a call up for each number, kill the daemon, and start it again: before the calls end, or after."""
    callbacks = await _bring_up(lab, daemon, numbers)
    before = len(daemon.logged("pbx.ready"))
    daemon.kill()
    if not live_on:
        await end_all(lab)
    started = time.time()
    daemon.start()
    ready = await daemon.until_logged("pbx.ready", PATIENCE, before + 1)
    if live_on:
        await end_all(lab)
    await daemon.until_settled(callbacks, PATIENCE)
    attempts = [await daemon.attempts(callback) for callback in callbacks]
    errors = _talk_errors(lab, numbers, attempts)
    looked_at_again = daemon.logged("pbx.look_failed") + daemon.logged("pbx.revoking")
    return Recovery(
        # The PBX is ready once every open attempt was looked at: what ended later was adopted until then.
        adopted=0 if looked_at_again else sum(_ended_after(ready, tries) for tries in attempts),
        ready_ms=_since(started, ready),
        settled_ms=_since(started, daemon.logged("attempt.ended")[-1]),
        settled=len(errors),
        wrong=len(numbers) - sum(error <= TALK_ERROR for error in errors),
        talk_error_max_s=round(max(errors, default=0.0), 3),
    )


async def _bring_up(lab: Lab, daemon: Daemon, numbers: Sequence[str]) -> list[CallbackId]:
    for number in numbers:
        lab.customer(number, Customer.answer())
    callbacks = daemon.submit([{"department": "sales", "phone": number} for number in numbers])
    async with daemon.store() as store, asyncio.timeout(PATIENCE):
        while True:
            up = [attempt for attempt, _ in await store.open_attempts() if attempt.state is State.BRIDGED]
            if len(up) == len(numbers):
                return callbacks
            await asyncio.sleep(1)


async def end_all(lab: Lab) -> None:
    """Every phone hangs up."""
    await asyncio.to_thread(lab.far.cli, "channel request hangup all")
    await quiet(lab, PATIENCE)


def _talk_errors(lab: Lab, numbers: Sequence[str], attempts: Sequence[Sequence[Attempt]]) -> list[float]:
    """By how many seconds the talk time of each call that was told right is off."""
    far = [call for call in lab.far_end_calls() if call.who == "customer"]
    errors = []
    for number, tries in zip(numbers, attempts, strict=True):
        seen = [call for call in far if call.dialled == number]
        verdicts = [attempt.verdict for attempt in tries]
        if len(seen) == len(verdicts) == 1 and verdicts[0] and verdicts[0].outcome is Outcome.CONNECTED:
            errors.append(abs(verdicts[0].talk.total_seconds() - seen[0].billsec))
    return errors


def _ended_after(line: dict[str, str], tries: Sequence[Attempt]) -> bool:
    ended_at = tries[-1].ended_at
    return ended_at is not None and ended_at > datetime.fromisoformat(line["timestamp"])


def _since(started: float, line: dict[str, str]) -> int:
    return round(1000 * (datetime.fromisoformat(line["timestamp"]).timestamp() - started))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, choices=range(1, MOST + 1), metavar="N", default=250)
    sys.exit(asyncio.run(main(parser.parse_args().calls)))
