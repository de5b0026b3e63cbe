"""Which addresses are connected to: public ones, whatever they are dressed as, and those allowed besides."""

from ipaddress import ip_address, ip_network

import pytest

from dialer.http.addresses import allowed

PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "198.41.0.4", "2a00:1450:4009::200e", "2606:4700::1111"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "::8.8.8.8"),
]

REFUSED = {
    "this host": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.0.9", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1", "fec0::1"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0", "2a00:1450::1%eth0"],
    "multicast": ["224.0.0.1", "239.255.255.250", "224.0.1.1", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "192.88.99.1", "4000::1", "5f00::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "Teredo and its like": ["2001:0:1234::1", "2001:20::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "::ffff:169.254.169.254"],
    "compatible": ["::127.0.0.1", "::10.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8"],
    "6to4": ["2002:7f00:1::1", "2002:a00:1::1"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert allowed(ip_address(address), ())


@pytest.mark.parametrize(("why", "address"), [(why, each) for why, all_ in REFUSED.items() for each in all_])
def test_refused(why: str, address: str) -> None:
    assert not allowed(ip_address(address), ()), why


def test_what_is_allowed_besides_is_allowed_in_every_dress_and_nothing_else() -> None:
    besides = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")]
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00:1::5"):
        assert allowed(ip_address(address), besides), address
    for address in ("10.2.0.1", "127.0.0.1", "::ffff:10.2.0.1", "fd00:2::5"):
        assert not allowed(ip_address(address), besides), address
