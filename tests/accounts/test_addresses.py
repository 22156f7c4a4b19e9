"""Who asks, and whose word on it is believed."""

import pytest
from django.test import override_settings

from accounts.addresses import (
    client_address,
    network_of,
    network_or_none,
    wider_network_of,
)


@override_settings(FORWARDED_ALLOW_IPS=["10.0.0.1", "10.0.0.2", "2001:DB8:0::53"])
@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "8.8.8.8, 203.0.113.9", "203.0.113.9"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        # One proxy behind another, each of which adds who asked it.
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "8.8.8.8, 203.0.113.9, 10.0.0.2:443", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9, [2001:db8::53]:443", "203.0.113.9"),
        ("10.0.0.1", "8.8.8.8, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        # What is no address goes into no column of addresses.
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:port", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1", "10.0.0.1"),
        ("10.0.0.1", "[]:80", "10.0.0.1"),
        # Some proxies name the port too; it is another one each time.
        ("10.0.0.1", "203.0.113.9:1234", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.8:1, 203.0.113.9:1234", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:1234", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "[fe80::1%eth0]:1234", "fe80::1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("fe80::1%\x00<b>", "", "fe80::1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_a_known_proxy_is_believed(rf, remote, forwarded, client):
    request = rf.get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == client
    assert network_or_none(request) == (network_of(client) or None)


@override_settings(FORWARDED_ALLOW_IPS=["*"])
def test_a_router_without_an_address_of_its_own_is_believed(rf):
    request = rf.get("/", REMOTE_ADDR="", headers={"X-Forwarded-For": "203.0.113.9"})
    assert client_address(request) == "203.0.113.9"


@pytest.mark.parametrize(
    ("address", "network", "wider"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::", "2001:db8:1::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::", "2001:db8:1::"),
        ("", "", ""),
    ],
)
def test_a_caller_is_a_whole_network_of_ipv6(address, network, wider):
    assert (network_of(address), wider_network_of(address)) == (network, wider)


@override_settings(FORWARDED_ALLOW_IPS=["172.18.0.0/16", "fd00::/8"])
@pytest.mark.parametrize(
    ("peer", "named", "address"),
    [
        ("172.18.0.7", "203.0.113.9", "203.0.113.9"),
        ("172.18.0.7", "203.0.113.9, 172.18.0.8", "203.0.113.9"),
        ("fd00::7", "203.0.113.9", "203.0.113.9"),
        ("172.19.0.7", "203.0.113.9", "172.19.0.7"),
        ("", "203.0.113.9", ""),
    ],
)
def test_proxies_of_a_whole_network_are_believed(rf, peer, named, address):
    request = rf.get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": named})
    assert client_address(request) == address
