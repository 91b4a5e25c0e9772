"""Which machines targets may be: judged by the address that a connection was made to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.notify.peers import is_this_machine, why_refused

PRIVATE = {
    "this machine": "127.0.0.1",
    "all of its network": "127.8.9.10",
    "this machine by IPv6": "::1",
    "this machine, mapped": "::ffff:127.0.0.1",
    "this machine, mapped in hexadecimal": "::ffff:7f00:1",
    "this machine by 6to4": "2002:7f00:1::",
    "this machine by NAT64": "64:ff9b::7f00:1",
    "this machine, the old way": "::127.0.0.1",
    "ten": "10.1.2.3",
    "a hundred and seventy-two": "172.31.255.255",
    "a hundred and ninety-two": "192.168.1.1",
    "mapped": "::ffff:192.168.1.1",
    "a provider's": "100.64.0.1",
    "a cloud's services": "169.254.169.254",
    "Azure's services": "168.63.129.16",
    "link-local": "fe80::1%eth0",
    "unique local": "fd00:ec2::254",
    "site-local": "fec0::1",
    "for documentation": "203.0.113.7",
    "for benchmarks": "198.18.0.1",
    "the future": "240.0.0.1",
    "protocol assignments": "192.0.0.8",
    "6to4 relays": "192.88.99.1",
    "discard": "100::1",
}
NOBODY = {
    "unspecified": "0.0.0.0",
    "unspecified by IPv6": "::",
    "unspecified, mapped": "::ffff:0.0.0.0",
    "everybody": "255.255.255.255",
    "many": "224.0.0.251",
    "many by IPv6": "ff02::fb",
}
PUBLIC = {"by IPv4": "93.184.215.14", "by IPv6": "2606:2800:21f:cb07::1", "mapped": "::ffff:93.184.215.14"}


@pytest.mark.parametrize("address", PRIVATE.values(), ids=PRIVATE)
def test_private_addresses_are_refused_unless_they_are_allowed(address: str) -> None:
    assert why_refused(address, allow_private=False) is not None
    assert why_refused(address, allow_private=True) is None


@pytest.mark.parametrize("address", NOBODY.values(), ids=NOBODY)
def test_what_is_no_single_machine_is_always_refused(address: str) -> None:
    assert why_refused(address, allow_private=False) is not None
    assert why_refused(address, allow_private=True) is not None


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_public_addresses_are_accepted(address: str) -> None:
    assert why_refused(address, allow_private=False) is None


@pytest.mark.parametrize("text", ["localhost", "None", "", "/dev/log", "127.1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert why_refused(text, allow_private=True) is not None


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_ipv6_writes_it(address: ipaddress.IPv4Address) -> None:
    judged = why_refused(str(address), allow_private=False)
    number = int(address)
    for written in (f"::ffff:{address}", f"64:ff9b::{number >> 16:x}:{number & 65535:x}"):
        assert why_refused(written, allow_private=False) == judged
    assert is_this_machine(f"::ffff:{address}") == address.is_loopback
