"""How a number is dialled, as its trunk wants it; and who calls in, as the trunk presents them."""

import contextlib
import re
from typing import assert_never

from dialer.domain import phone
from dialer.domain.directory import NumberFormat, Trunk
from dialer.domain.errors import RequestRefused

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


def presented(number: str, trunk: Trunk) -> str:
    """A caller's number in E.164, from how the trunk presents it: as it wants numbers itself, or as people of its
    region write them. Raises `RequestRefused` for a number that is none."""
    if trunk.number_format is NumberFormat.E164_PLAIN:
        # Read as a national one, +20 3 487 1234 in Alexandria would be 020 3487 1234 in London.
        with contextlib.suppress(RequestRefused):
            return phone.parse(f"+{number.removeprefix('+')}", trunk.region).e164
    return phone.parse(number, trunk.region).e164
