"""The command itself: overview, usage, and how every run ends."""

import os
import re
import signal
import subprocess
import sys

import pytest

from dialer import __version__
from dialer.cli.app import COMMANDS, main
from tests.cli.host import COMMAND, Host, environment, requests


def test_the_overview_names_every_command_and_loads_none() -> None:
    program = (
        "import sys; from dialer.cli.app import main; main(['--help'])\n"
        "heavy = {'sqlalchemy', 'pydantic', 'panoramisk', 'phonenumbers', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert re.findall(r"^  ([a-z-]+)  ", done.stdout.partition("Commands:")[2], re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_each_command_has_help_that_fits_eighty_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: dialer {command} ")
    assert max(map(len, shown.splitlines())) <= 80


def test_version() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"dialer {__version__}\n"


def test_the_configuration_may_be_named_by_the_environment(bare: Host) -> None:
    named = environment(DIALER_CONFIG=str(bare.config))
    done = subprocess.run([*COMMAND, "check"], capture_output=True, text=True, check=True, env=named)
    assert done.stdout == f"{bare.config}: ok: 1 account, 1 PBX, 1 trunk, 1 agent, 1 site, 2 departments\n"


def test_a_reader_that_leaves_ends_it_quietly(host: Host) -> None:
    assert host.run("submit", "-", data=requests(400)).returncode == 0
    with subprocess.Popen(
        host.command("callbacks", "list", "--limit", "0", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_full_disk_is_told(host: Host) -> None:
    host.run("submit", "--department", "sales", "--phone", "020 7946 0001")
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            host.command("callbacks", "list"), stdout=full, stderr=subprocess.PIPE, check=False, env=environment()
        )
    assert (done.returncode, done.stderr) == (1, b"dialer: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_whoever_closes_our_streams_has_it_done_all_the_same(host: Host, closed: str) -> None:
    """As some supervisors and cron jobs do."""
    command = host.command("submit", "--department", "sales", "--phone", "020 7946 0001")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command], capture_output=True, check=False, env=environment()
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(host.run("callbacks", "list").stdout.splitlines()) == 1


def test_an_interrupt_ends_it_quietly_and_keeps_what_was_read_whole(host: Host) -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(
        host.command("submit", "-"), stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        os.write(writing, requests(500).encode())
        assert process.stdout is not None
        process.stdout.read(1)  # the first group is stored, and it waits for more
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    os.close(writing)
    os.close(reading)
    assert (process.returncode, told) == (130, b"")
    assert len(host.run("callbacks", "list", "--limit", "0").stdout.splitlines()) == 500


def test_a_bug_is_one_line_and_debug_shows_where(bare: Host) -> None:
    program = (
        "import sys, dialer.settings as s\n"
        "def broken(path): raise KeyError('Maria')\n"
        "s.load = broken\n"
        "from dialer.cli.app import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    told = subprocess.run([sys.executable, "-c", program, "check"], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert re.fullmatch(
        r"dialer: unexpected KeyError at host\.py:[0-9]+: this is a bug \(--debug before the command shows more\)\n",
        told.stderr,
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, "--debug", "check"], capture_output=True, text=True, check=False
    )
    assert "Traceback" in shown.stderr
