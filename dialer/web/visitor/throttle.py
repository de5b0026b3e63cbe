"""How often one address may ask: an allowance that refills, of which a link that is not ours takes far more."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ASKING = 1.0
"""What a request costs."""

GUESSING = 20.0
"""What a link that is not ours costs on top of it."""

_V6_HOST_BITS = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `most` at once, refilled by `per_second`, kept of the last `addresses` that asked."""

    most: float = 120.0
    per_second: float = 2.0
    addresses: int = 10_000


class Throttle:
    """Counts what each address has used up. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], allowance: Allowance = Allowance()) -> None:  # frozen
        self._clock = clock
        self._allowance = allowance
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, address: str) -> bool:
        """Whether one more request of this address is answered; it costs what asking costs, if so."""
        if self._available(address) < ASKING:
            return False
        self.charge(address, ASKING)
        return True

    def charge(self, address: str, cost: float) -> None:
        """Take so much from an address, at the most all that it has."""
        left = max(self._available(address) - cost, 0.0)
        key = _network(address)
        self._left[key] = left, self._clock()
        self._left.move_to_end(key)
        if len(self._left) > self._allowance.addresses:
            self._left.popitem(last=False)

    def _available(self, address: str) -> float:
        left, since = self._left.get(_network(address), (self._allowance.most, 0.0))
        return min(left + (self._clock() - since) * self._allowance.per_second, self._allowance.most)


def _network(address: str) -> str:
    """Who has 64 bits of IPv6 addresses to choose from is known by the rest."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    return str(read.ipv4_mapped or ipaddress.IPv6Address(int(read) >> _V6_HOST_BITS << _V6_HOST_BITS))
