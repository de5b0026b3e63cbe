"""Runs a piece of a store's life in a process of its own, which a test may limit, lock out or kill."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]


@contextmanager
def child(code: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process running `code`, whose `sys.argv[1:]` are `args`; killed at the end of the context."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, args)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(each.name for each in folder.iterdir())


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that the child prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finished(process: subprocess.Popen[str], told: str | None = None) -> list[str]:
    """All lines that the child still prints after it was `told` something; it must end well."""
    out, _ = process.communicate(told)
    assert process.returncode == 0
    return out.splitlines()
