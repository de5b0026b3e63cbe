"""`dialer submit`: requests in, from options or from JSON Lines."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, assert_never

import typer

from dialer.cli.host import settings_of, wake_daemon
from dialer.cli.output import emit, lines, local_stamp, say, stamp
from dialer.cli.records import callback_record
from dialer.cli.stored import on_store
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import RequestRefused, StoreError
from dialer.intake import submission
from dialer.intake.admission import Double
from dialer.intake.limits import LimitRule
from dialer.intake.lines import Line, read_lines
from dialer.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_SECOND = timedelta(seconds=1)
_GROUP = 500
"""Requests stored by one write: what came before an interruption is safe, and no claim waits long behind it."""


@app.command()
def submit(  # noqa: PLR0913, PLR0917  # an option for each field
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="JSON Lines, one request a line; - for standard input.", show_default=False
        ),
    ] = None,
    department: Annotated[str | None, typer.Option(metavar="ID", help="Where the callback goes.")] = None,
    phone: Annotated[str | None, typer.Option(metavar="NUMBER", help="Whom to call.")] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS")] = None,
    page: Annotated[str | None, typer.Option(metavar="URL", help="The page the visitor was on.")] = None,
    message: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    session: Annotated[str | None, typer.Option(metavar="TEXT", help="The widget's anonymous session.")] = None,
    address: Annotated[
        str | None, typer.Option(metavar="IP", help="The visitor's network address; only a key of it is kept.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="ISO 8601, by the site's clock unless it has an offset; none: now."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="The end of a window that begins at --at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each accepted request.")] = False,  # noqa: FBT002  # an option
) -> None:
    """Take in one request given by options, or many from FILE. Needs no running daemon.

    FILE holds one JSON object a line: department and phone, and where wanted name, email, page, message, session,
    address, at, until and consent {wording, given_at, page}. What cannot be accepted is refused on stderr with its
    line; the rest is accepted. What an open callback promises already is answered with that one. Requests are stored
    in groups of 500 and at the end of FILE. Exit 1 when any was refused.
    """
    fields = {
        "department": department,
        "phone": phone,
        "name": name,
        "email": email,
        "page": page,
        "message": message,
        "session": session,
        "address": address,
        "at": at,
        "until": until,
    }
    given = {key: value for key, value in fields.items() if value is not None}
    if bool(given) == (file is not None):
        raise typer.BadParameter("give the fields of one request as options, or a FILE, or - for standard input")
    intake = _Intake(settings_of(context), as_json)
    if file is None:
        intake.take([Line(0, given)])
    else:
        with _opened(file) as stream:
            for group in _groups(stream):
                intake.take(group)
    raise typer.Exit(1 if intake.refused else 0)


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


def _groups(stream: BinaryIO) -> Iterator[list[Line]]:
    requests = read_lines(stream)
    while group := list(islice(requests, _GROUP)):
        yield group


class _Intake:
    """Takes groups of requests in and tells of each request; `refused` counts."""

    def __init__(self, settings: Settings, as_json: bool) -> None:  # noqa: FBT001  # an option handed on
        self._settings = settings
        self._directory = settings.directory()
        self._rule = LimitRule(settings.limits())
        self._as_json = as_json
        self.refused = 0

    def take(self, group: Sequence[Line]) -> None:
        """Store what can be accepted, and wake the daemon. Raises `StoreError`: then nothing of `group` was stored."""
        now = datetime.now(UTC)
        requests = [line.content for line in group]
        try:
            answers = on_store(
                self._settings, lambda store: submission.submit(store, self._directory, requests, now, self._rule)
            )
        except StoreError as error:
            raise _located(error, group[0].number) from None
        if any(isinstance(answer, Callback) for answer in answers):
            wake_daemon(self._settings)
        for line, answer in zip(group, answers, strict=True):
            self._tell(line.number, answer)

    def _tell(self, line: int, answer: Callback | Double | RequestRefused) -> None:
        match answer:
            case RequestRefused():
                self.refused += 1
                # Cut to the second, the time itself would be too early.
                again = f"; may be tried again from {stamp(answer.retry_at + _SECOND)}" if answer.retry_at else ""
                say(f"line {line}: {answer}{again}" if line else f"{answer}{again}")
            case Double(existing):
                self._tell_callback(line, existing, double=True)
            case Callback():
                self._tell_callback(line, answer, double=False)
            case _:
                assert_never(answer)

    def _tell_callback(self, line: int, callback: Callback, *, double: bool) -> None:
        if self._as_json:
            emit({"line": line or None, "double": double, **callback_record(callback)})
            return
        zone = self._directory.departments[callback.department].hours.zone
        scheduled = callback.status is Status.SCHEDULED
        where = f"due {local_stamp(callback.due_at, zone)} {zone.key}" if scheduled else callback.status
        lines([(callback.id, f"already promised: {where}" if double else where)])


def _located(error: StoreError, line: int) -> StoreError:
    """The error with the place from which a corrected file can be submitted again."""
    what = f"{error.what}; nothing from line {line} on was stored" if line else error.what
    return StoreError(what, where=error.where, remedy=error.remedy)
