"""CSV that opens safely in a spreadsheet."""

import csv
import re
import sys
from collections.abc import Iterable
from datetime import datetime

from dialer.cli.output import fine_stamp

# What a spreadsheet takes for a formula, numbers apart: +442079460123 and -0.5 can call nothing.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def sheet(rows: Iterable[Iterable[object]]) -> None:
    """Rows as CSV on stdout."""
    csv.writer(sys.stdout).writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> str:
    """A value as a spreadsheet may safely open it: what it could take for a formula becomes text by an apostrophe."""
    match value:
        case None:
            return ""
        case datetime():
            return fine_stamp(value)
        case _:
            text = str(value)
            safe = not _FORMULA.match(text) or _PLAIN_NUMBER.fullmatch(text)
            return text if safe else f"'{text}"
