"""`docs/integrate.md`: every command on the page, in its order, against a real daemon."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.host import CONFIG, Host, environment
from tests.lab.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "integrate.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHIN = 120.0  # seconds
MARK = "--- the end of a block ---"


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks(**places: str) -> list[Block]:
    """The page's code blocks, with this test's ports in the place of its own."""
    text = PAGE.read_text()
    for theirs, ours in places.items():
        text = text.replace(f"127.0.0.1:{theirs.removeprefix('port_')}", f"127.0.0.1:{ours}")
    return [Block(*match.groups()) for match in BLOCK.finditer(text)]


def file_of(found: list[Block], name: str) -> str:
    """The block that is this file's content, as its first line says."""
    (text,) = [block.text for block in found if block.text.startswith(f"# {name}\n")]
    return text


@contextlib.contextmanager
def running(command: list[str], folder: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which ends with the context."""
    with (folder / log).open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, start_new_session=True, env=environment()
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def script_of(found: list[Block]) -> str:
    """All commands as one script that says where each block ends."""
    shells = [f"{block.text}echo '{MARK}'\n" for block in found if block.language == "sh"]
    return "".join(("set -euo pipefail\n", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n", *shells))


def promised(found: list[Block]) -> list[object]:
    """For each block of commands the answer that the page shows after it, or None."""
    after = [*found[1:], Block("", "")]
    pairs = zip(found, after, strict=True)
    return [
        json.loads(following.text) if following.language == "json" else None
        for block, following in pairs
        if block.language == "sh"
    ]


def alike(answer: object, shown: object) -> bool:
    """The same fields with values of the same types; what may be empty may be full."""
    if isinstance(answer, dict) and isinstance(shown, dict):
        return answer.keys() == shown.keys() and all(alike(answer[key], shown[key]) for key in shown)
    return answer is None or shown is None or type(answer) is type(shown)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a `dialer` and a `python` on the way to its commands."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, command in (("dialer", "-m dialer"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (tools / name).chmod(0o755)
    return tmp_path


def test_every_command_of_the_guide(folder: Path) -> None:
    assert shutil.which("curl"), "install curl"
    assert shutil.which("jq"), "install jq"
    api, receiver, pbx = free_port(), free_port(), free_port()
    found = blocks(port_8080=str(api), port_9000=str(receiver))
    nowhere = f"[pbx.main]\nport = {pbx}\n"
    host = Host(folder)
    host.configure(file_of(found, "dialer.toml") + CONFIG.replace("[pbx.main]\n", nowhere))
    (folder / "receiver.py").write_text(file_of(found, "receiver.py"))
    secrets = next(block.text for block in found if "webhook-crm.secrets" in block.text and block.language == "sh")
    subprocess.run(["bash", "-ec", secrets], cwd=folder, check=True)
    found.remove(Block("sh", secrets))
    with running(host.command("run"), folder, "daemon.log"):
        done = _run(script_of(found), folder, host, receiver)
    told = (done.stdout, done.stderr, (folder / "daemon.log").read_text())
    assert done.returncode == 0, told
    *answers, rest = done.stdout.split(f"{MARK}\n")
    assert rest == ""
    for answer, shown in zip(answers, promised(found), strict=True):
        if shown is not None:
            assert alike(json.loads(answer), shown), (answer, shown, told)
    kept = [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]
    assert kept == [[1, "callback.accepted"], [2, "callback.scheduled"], [3, "callback.cancelled"]]


def _run(script: str, folder: Path, host: Host, receiver: int) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    given = environment(PATH=path, DIALER_CONFIG=str(host.config), PORT=str(receiver))
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=WITHIN
    )


def test_the_guide_s_receiver_is_what_it_says(folder: Path) -> None:
    """A forged event is not kept."""
    found = blocks()
    text = file_of(found, "receiver.py")
    port = free_port()
    (folder / "receiver.py").write_text(text.replace("9000", str(port)))
    (folder / "webhook-crm.secrets").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    forged = (
        f"until curl -s -o /dev/null http://127.0.0.1:{port}/; do sleep 0.1; done\n"
        f"curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:{port}/ -d '{{}}' -H 'webhook-id: x-1'"
        " -H 'webhook-timestamp: 1772452840' -H 'webhook-signature: v1,AAAA'"
    )
    with running([sys.executable, "receiver.py"], folder, "receiver.log"):
        done = subprocess.run(
            ["bash", "-ec", forged], cwd=folder, capture_output=True, text=True, check=True, timeout=WITHIN
        )
    assert done.stdout == "401"
    assert not (folder / "events.jsonl").exists()
