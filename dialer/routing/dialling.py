"""How a number is dialled: as its trunk wants it."""

import re
from typing import assert_never

from dialer.domain import phone
from dialer.domain.directory import NumberFormat, Trunk

_BETWEEN = re.compile(r"[^+0-9]+", re.ASCII)


def dialled(number: str, trunk: Trunk) -> str:
    """A validated number (E.164 with its +) as the trunk wants it: digits, perhaps with a + before them."""
    match trunk.number_format:
        case NumberFormat.E164:
            return number
        case NumberFormat.E164_PLAIN:
            return number.removeprefix("+")
        case NumberFormat.NATIONAL:
            # Of a region with several international prefixes to choose from, none is known: there the + stays.
            return _BETWEEN.sub("", phone.as_dialled(number, trunk.region))
        case _:
            assert_never(trunk.number_format)
