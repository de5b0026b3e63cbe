"""Which network addresses may be connected to: public ones, and those that the administrator allows besides."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is routed on the Internet (IANA, IPv6 Address Space)."""

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")

# Special purposes (IANA) that `ipaddress` of Python 3.11 does not know, or only in part.
_SPECIAL: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)

_V4_BITS = (1 << 32) - 1


def allowed(address: Address, besides: Iterable[Network]) -> bool:
    """Whether to connect to `address`: it is public, or in one of the networks that are allowed besides.

    An IPv4 address inside an IPv6 one (mapped, compatible, 6to4, NAT64) is judged as what it leads to.
    """
    meant = _meant(address)
    return _is_public(meant) or any(each.version == meant.version and meant in each for each in besides)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address not in _UNICAST):
        return False
    special = any(each.version == address.version and address in each for each in _SPECIAL)
    return address.is_global and not (address.is_multicast or address.is_reserved or special)


def _meant(address: Address) -> Address:
    """The address that packets to this one end at."""
    if not isinstance(address, IPv6Address):
        return address
    # ::1 and :: are IPv6's own.
    inside = address in _NAT64 or (address in _COMPATIBLE and int(address) > 1)
    return address.ipv4_mapped or address.sixtofour or (IPv4Address(int(address) & _V4_BITS) if inside else address)
