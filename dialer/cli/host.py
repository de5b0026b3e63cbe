"""What commands need of this host: the configuration, the running daemon, and who is asking."""

import getpass
import os
import re
from datetime import UTC, datetime

import typer

from dialer import poke
from dialer.domain.errors import RequestRefused
from dialer.intake.text import single_line
from dialer.settings import Settings, load

_MAX_REASON = 200
_BARE_WORD = re.compile(r"[a-z0-9_]+")


def settings_of(context: typer.Context) -> Settings:
    """The configuration that stands before the command, or the usual one. Raises `ConfigurationError`."""
    return load(context.obj.config)


def wake_daemon(settings: Settings) -> bool:
    """Have a running daemon look at the store now; False when none listens: then its start will."""
    return poke.poke(settings.socket)


def who() -> str:
    """The person at the keyboard, also behind sudo; by number where the host has no name for them."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except KeyError:
        return f"uid {os.getuid()}"


def instant(text: str) -> datetime:
    """A time that an option gives, in UTC; without an offset it is meant in UTC, a date means its midnight."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("not an ISO 8601 time, such as 2030-05-17 or 2030-05-17T14:30Z") from None


def note(text: str) -> str:
    """What a person says of something: one line."""
    try:
        return single_line(text, "note", _MAX_REASON)
    except RequestRefused as refusal:
        raise typer.BadParameter(refusal.what) from None


def reason(text: str) -> str:
    """Why a person did something: one line, kept with the callback."""
    read = note(text)
    if not read:
        raise typer.BadParameter("empty; say why in a few words")
    # A bare word would pass for one of the dialer's own, which whoever listens for outcomes is told.
    return f"{read}." if _BARE_WORD.fullmatch(read) else read
