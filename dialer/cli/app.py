"""The command `dialer` itself: its options, its commands by name, and how every run ends.

Exit codes: 0 done, 1 the operation failed, 2 usage or configuration, 130 interrupted. A failure is one line on stderr.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from dialer import __version__
from dialer.cli.output import say
from dialer.domain.errors import ConfigurationError, DialerError, DialplanMismatch, LoginRefused

COMMANDS = {
    "run": "Run the daemon until it is told to stop.",
    "check": "Check the whole configuration.",
    "doctor": "Check PBXs, trunks, phones and store before the first call.",
    "submit": "Take in callback requests.",
    "callbacks": "List, show, cancel, reschedule and resolve callbacks.",
    "calls": "The call log.",
    "report": "Punctuality, answers, outcomes, the widget's funnel, usage.",
    "pause": "Place no new calls until resumed.",
    "resume": "Place calls again.",
    "pauses": "List what is paused, by whom and why.",
    "do-not-call": "Keep numbers from being called.",
    "feed": "See what feeds brought, and retry what could not be taken.",
    "outbox": "What others have still to be told of callbacks.",
    "key": "Make, list and revoke keys of the API.",
    "messages": "What visitors were told, and what not.",
    "call-test": "Ring one real callback, from end to end.",
    "db": "Make, upgrade and check the database.",
    "demo": "Show it all on two Asterisks of its own (needs the source checkout).",
}
"""Every command with its line in the overview, in the order of a first day."""

_HERE = str(Path(__file__).parents[1])

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

# What only a change of the configuration, here or on the PBX, can mend.
_CONFIGURATION = (ConfigurationError, LoginRefused, DialplanMismatch)


@dataclass(slots=True)
class Options:
    """What stands before the command."""

    config: Path | None = None
    debug: bool = False


class _Commands(TyperGroup):
    """Loads a command's module when the command is called: an overview must not cost a database driver."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        # The names alone: the library goes by them when it guesses what was meant.
        self.commands = cast("dict[str, Any]", dict.fromkeys(COMMANDS))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the library's interface
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # the library's interface
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dialer.cli.commands.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # the library's interface
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # called by typer
    if wanted:
        typer.echo(f"dialer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The configuration; else $DIALER_CONFIG, /etc/dialer/dialer.toml, config/dialer.toml.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[  # noqa: FBT002  # an option
        bool, typer.Option("--debug", help="Show where an unexpected error comes from; may show personal data.")
    ] = False,
    version: Annotated[  # noqa: FBT002, ARG001  # an option, served by its callback
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Mi Connect's callback dialer: calls visitors of a website back when they asked for it."""
    context.obj.config = config
    context.obj.debug = debug


def main(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name; its exit code. Tells every failure on stderr in one line."""
    given = Options()
    _open_closed_streams()
    # A name that the terminal's encoding lacks must not end the listing.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are text files here
    command = typer.main.get_command(app)
    try:
        with command.make_context("dialer", list(arguments), obj=given) as context:
            command.invoke(context)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001  # the last one to catch
        return _end(error, given)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _open_closed_streams() -> None:
    """What whoever started us has closed takes all and keeps nothing, as /dev/null. Their numbers are the lowest that
    are free, and so no file of ours gets one, for a line on stderr to be written into."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # for good


def _end(error: Exception, given: Options) -> int:
    """Tell how a run ended in an exception; its exit code."""
    match error:
        case typer.Exit():
            return error.exit_code
        case DialerError():
            say(str(error))
            return MISUSED if isinstance(error, _CONFIGURATION) else FAILED
        case TyperException():
            return _misused(error)
        case OSError():
            return _output_failed(error)
        case _ if given.debug:
            traceback.print_exception(error)
            return FAILED
        case _:
            say(f"unexpected {_nature(error)}: this is a bug (--debug before the command shows more)")
            return FAILED


def _nature(error: BaseException) -> str:
    """An error's type and the last line of ours that it passed; not its text, which could hold a person."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    places = [f" at {Path(frame.filename).name}:{frame.lineno}" for frame in frames if _HERE in frame.filename]
    return f"{type(error).__name__}{places[-1] if places else ''}"


def _misused(error: TyperException) -> int:
    path = getattr(getattr(error, "ctx", None), "command_path", "dialer")
    message = " ".join(error.format_message().split()).removesuffix(".").removeprefix("Invalid value: ")
    say(f"{message[:1].lower()}{message[1:]} (see: {path} --help)")
    return MISUSED


def _output_failed(error: OSError) -> int:
    """The reader of our output is gone, which is its right, or a disk is full, which is to be told."""
    if not isinstance(error, BrokenPipeError):
        say(f"{error.strerror or 'input or output failed'}{f': {error.filename}' if error.filename else ''}")
    # Python flushes once more at its end; there is nobody left to take that.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
