"""Logs of a process of its own: what cannot be written ends nothing, and what others said steers no terminal."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import structlog, sys
from dialer import logs
logs.configure("info", sys.argv[1])
log = structlog.get_logger()
for _ in range(2000):
    log.warning("said", why="\\x1b[2J\\x9b2J\\u202eé")
print("went on")
"""


def test_a_full_disk_under_the_log_ends_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            (sys.executable, "-c", PROGRAM, "json"), stdout=subprocess.PIPE, stderr=full, check=False, timeout=60
        )
    assert done.stdout == b"went on\n"


def test_a_reader_of_the_log_that_leaves_ends_nothing() -> None:
    with subprocess.Popen(
        (sys.executable, "-c", PROGRAM, "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline().startswith(b"{")
        process.stderr.close()
        assert process.stdout.read() == b"went on\n"


def test_a_terminal_is_not_steered_by_what_is_logged() -> None:
    done = subprocess.run((sys.executable, "-c", PROGRAM, "console"), capture_output=True, check=True, timeout=60)
    shown = done.stderr.decode()
    assert r"\x1b[2J\x9b2J\u202eé" in shown
    assert not any(steering in shown for steering in ("\x1b[2J", "\x9b", "\u202e"))
