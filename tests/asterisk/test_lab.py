"""The lab itself: what every other test on a real Asterisk leans on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Agent, FarCall, Lab, ensure_tree
from tests.lab.ami import AmiClient
from tests.lab.attempt import Attempt
from tests.lab.ports import Ports
from tests.lab.waiting import quiet, until

REPOSITORY = Path(__file__).resolve().parents[2]
STARTS_A_LAB = """
import pathlib, signal, sys
from tests.lab import Lab
lab = Lab.create(pathlib.Path(sys.argv[1]))
print(lab.pbx.pid, lab.far.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def own() -> Iterator[Lab]:
    """A lab that a test may break."""
    with Lab.create() as running:
        yield running


async def test_nothing_outlives_a_killed_test_process() -> None:
    with tempfile.TemporaryDirectory(prefix="mi-lab-") as root:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STARTS_A_LAB, root, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        pids = (await process.stdout.readline()).decode().split()
        process.kill()
        await process.wait()
        assert len(pids) == 2
        await until(lambda: not any(lives(pid) for pid in pids))


def lives(pid: str) -> bool:
    """A zombie, which nobody here can collect, counts as gone."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and ") Z " not in status.read_text()


def test_a_folder_too_deep_for_a_socket_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="too long"):
        Lab.create(Path("/") / ("x" * 100))


def test_labs_side_by_side_share_no_port() -> None:
    first, second = Ports(), Ports()
    taken = [ports.take() for ports in (first, second) for _ in range(20)]
    first.release()
    second.release()
    assert len(set(taken)) == 40


def test_the_tree_is_built_once() -> None:
    command = [sys.executable, "-m", "tests.lab", "build"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=900)
    assert done.stdout.strip() == str(ensure_tree().root)


async def test_ami_over_tls_with_our_authority(lab: Lab) -> None:
    async with await AmiClient.connect(lab.ami, tls=True) as client:
        assert (await client.action("Ping"))["Ping"] == "Pong"


async def test_the_shipped_account_may_do_what_the_daemon_needs_and_no_more(lab: Lab) -> None:
    async with await AmiClient.connect(lab.ami) as client:
        for name in ("CoreStatus", "CoreShowChannels", "DeviceStateList"):
            assert (await client.action(name))["Response"] == "Success"
        assert (await client.action("Command", ("Command", "core show version")))["Message"] == "Permission denied"
        assert (await client.action("UpdateConfig"))["Message"] == "Permission denied"


@pytest.mark.parametrize(
    ("number", "extension", "disposition"),
    [
        ("+441614960981", "voice", "ANSWERED"),
        ("+441614960982", "menu", "ANSWERED"),
        ("+441614960983", "hana", "ANSWERED"),
        ("+441614960984", "nobody", "NO ANSWER"),
    ],
)
async def test_somebody_calls_in_by_the_trunk(lab: Lab, number: str, extension: str, disposition: str) -> None:
    lab.agent("hana", Agent.never_presses())

    def records() -> list[FarCall]:
        return [call for call in lab.far_end_calls() if call.who == "caller" and call.caller_number == number]

    lab.call_in(number, extension, patience=1.5, talk=0.5)
    await until(records)
    (call,) = records()
    assert (call.dialled, call.disposition) == (extension, disposition)
    await quiet(lab)
    rung = [call for call in lab.far_end_calls() if call.who == "agent" and call.caller_number == number]
    assert len(rung) == (extension == "hana"), "and the agent sees who calls"


@pytest.mark.parametrize("how", ["restart", "gracefully"])
async def test_the_journal_outlives_a_restart(own: Lab, how: str) -> None:
    own.agent("anna", Agent.busy())
    attempt = Attempt("anna", "+441614960001")
    async with await AmiClient.connect(own.ami) as client:
        await attempt.originate(client)
        record = await attempt.ended(client)
    if how == "restart":
        own.pbx.restart()
    else:
        own.pbx.stop(gracefully=True)
        own.pbx.start()
    async with await AmiClient.connect(own.ami) as client:
        assert await client.journal(attempt.id) == record


async def test_a_killed_pbx_starts_again(own: Lab) -> None:
    own.pbx.kill()
    assert not own.pbx.running
    own.pbx.start()
    async with await AmiClient.connect(own.ami) as client:
        assert (await client.action("Ping"))["Ping"] == "Pong"


async def test_a_hanging_pbx_can_be_made_and_mended(own: Lab) -> None:
    async with await AmiClient.connect(own.ami) as client:
        own.pbx.signal(signal.SIGSTOP)
        state = Path(f"/proc/{own.pbx.pid}/stat")
        await until(lambda: " T " in state.read_text())
        own.pbx.signal(signal.SIGCONT)
        assert (await client.action("Ping"))["Ping"] == "Pong"
