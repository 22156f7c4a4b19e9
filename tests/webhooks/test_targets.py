"""Webhooks lead to the public internet and nowhere else."""

import ipaddress

import pytest

from webhooks.targets import RefusedTargetError, check_url, is_public, resolve

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:53aa:64c:0:fbff:8000:1",
]


@pytest.mark.parametrize("text", INSIDE)
def test_addresses_inside_are_not_public(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2002:808:808::1"]
)
def test_addresses_of_the_internet_are(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        *(f"https://[{a}]/" if ":" in a else f"https://{a}/" for a in INSIDE),
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://LOCALHOST./x",
        "https://a.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
    ],
)
def test_such_urls_are_refused_before_any_look_up(url):
    with pytest.raises(RefusedTargetError, match="inside this network"):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", "https"),
        ("ftp://example.org/", "https"),
        ("file:///etc/passwd", "no host"),
        ("//example.org/", "https"),
        ("https:///x", "no host"),
        ("https://user:word@example.org/", "username"),
        ("https://example.org@127.0.0.1/", "username"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org/a b", "spaces"),
        ("https://example.org/\r\nHost: x", "spaces"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
    ],
)
def test_urls_of_other_kinds_are_refused(url, why):
    with pytest.raises(RefusedTargetError, match=why):
        check_url(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_addresses_written_in_other_ways_are_refused_when_looked_up(host):
    """The system reads these as 127.0.0.1; what counts is what it answers."""
    with pytest.raises(RefusedTargetError, match="inside this network"):
        resolve(f"https://{host}/")


def test_a_name_of_this_machine_is_refused_when_looked_up():
    with pytest.raises((RefusedTargetError, LookupError)):
        resolve("https://ip6-localhost/")


def test_a_public_url_is_taken_apart():
    target = check_url("https://hooks.example.org:8443/a/b?c=d")
    assert (target.host, target.port) == ("hooks.example.org", 8443)
    assert target.path == "/a/b?c=d"
    assert target.host_header == "hooks.example.org:8443"


def test_loopback_is_allowed_only_by_the_setting_of_tests(settings):
    assert settings.WEBHOOKS_ALLOW_LOOPBACK is False
    settings.WEBHOOKS_ALLOW_LOOPBACK = True
    assert resolve("http://127.0.0.1:8/").addresses == ("127.0.0.1",)
    with pytest.raises(RefusedTargetError):
        resolve("http://10.0.0.1/")
    with pytest.raises(RefusedTargetError):
        resolve("https://10.0.0.1/")


def test_other_letters_are_written_as_they_travel():
    target = check_url("https://München.example/höre?wer=ä&a=%20b")
    assert target.host_header == "xn--mnchen-3ya.example"
    assert target.path == "/h%C3%B6re?wer=%C3%A4&a=%20b"


@pytest.mark.parametrize(
    "url",
    [
        "https://ⓛocalhost/",
        "https://１２７.0.0.1/",
        "https://a..example/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_a_name_that_only_looks_different_is_refused(url):
    with pytest.raises(RefusedTargetError):
        check_url(url)
