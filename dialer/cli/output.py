"""What reaches the terminal, a pipe or a program. Foreign text is shown, never obeyed.

At a terminal: tables as wide as it is, or a block for each row where it is too narrow. In a pipe: one line a row, cells
parted by tabs, no heading, nothing cut. Times are UTC, ISO 8601, unless they say otherwise.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Joiners are format characters as well, but Persian, Hindi and emoji are misspelt without them.
_JOINERS = "\u200c\u200d"
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNBOUNDED = 10_000
_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421}


def inert(text: str) -> str:
    """`text` on one line, with a picture for each control character and direction override."""
    pictured = text.translate(_PICTURES)
    return "".join(
        "\ufffd" if unicodedata.category(char) in _UNSHOWN and char not in _JOINERS else char for char in pictured
    )


def say(text: str) -> None:
    """One line to the person, on stderr."""
    sys.stderr.write(f"dialer: {inert(text)}\n")


def line(text: str = "") -> None:
    """One line of output."""
    sys.stdout.write(f"{inert(text)}\n")


def stamp(at: datetime) -> str:
    """An instant to the second: `2030-05-17T13:30:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(at: datetime) -> str:
    """An instant to the microsecond: `2030-05-17T13:30:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def local_stamp(at: datetime, zone: ZoneInfo) -> str:
    """An instant by a zone's wall clock, with its offset: `2030-05-17 14:30:00+01:00`."""
    return at.astimezone(zone).isoformat(" ", "seconds")


def emit(record: Mapping[str, object]) -> None:
    """One JSON object on a line of its own. Pure ASCII: nothing in it can steer a terminal."""
    sys.stdout.write(f"{json.dumps(record, default=_plain)}\n")


def lines(rows: Iterable[Sequence[str]]) -> None:
    """Rows for a pipe: one line each, cells parted by tabs."""
    for row in rows:
        sys.stdout.write("\t".join(inert(cell) for cell in row) + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], core: int) -> None:
    """Rows that share headings, the more telling columns first.

    A terminal that is too narrow for all of them shows fewer, and one too narrow for the first `core` gets a block of
    pairs for each row. A pipe gets everything.
    """
    if not sys.stdout.isatty():
        lines(rows)
        return
    console = _console()
    unbounded = console.options.update(max_width=_UNBOUNDED)
    for count in range(len(headings), core - 1, -1):
        shown = _table(headings[:count], [row[:count] for row in rows])
        if shown.__rich_measure__(console, unbounded).maximum <= console.width:
            console.print(shown)
            return
    for row in rows:
        pairs([(heading, cell) for heading, cell in zip(headings, row, strict=True) if cell])
        line()


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, no_wrap=True)
    for row in rows:
        made.add_row(*(Text(inert(cell)) for cell in row))
    return made


def pairs(entries: Sequence[tuple[str, str]], indent: int = 0) -> None:
    """Names and values, one pair a line; a value that is too wide for the terminal goes on below itself."""
    width = max((len(name) for name, _ in entries), default=0)
    if not sys.stdout.isatty():
        for name, value in entries:
            line(f"{' ' * indent}{name:{width}}  {value}".rstrip())
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold", width=width + indent)
    grid.add_column(overflow="fold")
    for name, value in entries:
        grid.add_row(Text(" " * indent + name), Text(inert(value)))
    _console().print(grid)


def verdict(text: str, *, good: bool) -> None:
    """One line that begins with ok or FAIL."""
    mark = "ok" if good else "FAIL"
    if not sys.stdout.isatty():
        line(f"{mark:5}{text}")
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=4, style="green" if good else "bold red")
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark), Text(inert(text)))
    _console().print(grid)


def _console() -> Console:
    return Console(highlight=False, emoji=False, markup=False)


def _plain(value: object) -> object:
    """What JSON has no form for."""
    match value:
        case datetime():
            return fine_stamp(value)
        case Enum():
            return value.value
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")
