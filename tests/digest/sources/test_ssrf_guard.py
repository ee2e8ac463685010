"""Addresses that must not be asked, in every disguise that is known."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from digest.sources import fetch, ssrf_guard
from digest.sources.fetch import FetchError
from digest.sources.ssrf_guard import RefusedError, check_url, is_public, resolve
from tests.digest.sources.conftest import Publisher

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "2001:10::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:c0a8:1::",
    "3fff::1",
    "5f00::1",
    "not-an-address",
    "1.2.3",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
# What a resolver makes of these is this machine or its network; each is refused by the address it leads to.
DISGUISED = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://127.000.000.001/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.43518/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://10.0.0.1/",
    "http://10.1/",
    "http://192.168.1.1/",
    "http://192.168.257/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://[::ffff:169.254.169.254]/",
    "http://[2002:7f00:1::]/",
    "http://[::127.0.0.1]/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
    "http://203.0.113.5/",
    "http://[ff02::1]/",
    "http://127.0.0.1:80/",
    "http://127.0.0.1:8080/",
    "http://[::1]:443/",
    "http://127.0.0.1./",
    "http://0300.0250.0001.0001/",
    "http://0xc0a80101/",
    "http://3232235777/",
    "http://127.0.0.1?@8.8.8.8/",
    "http://127.0.0.1#@8.8.8.8/",
]
MALFORMED = [
    "file:///etc/passwd",
    "ftp://example.org/feed",
    "gopher://example.org/",
    "data:text/xml,<rss/>",
    "javascript:alert(1)",
    "//example.org",
    "example.org/feed",
    "",
    "http://",
    "http:///feed",
    "http://user:secret@example.org/",
    "http://user@example.org/",
    "http://127.0.0.1@example.org/",
    "http://8.8.8.8:secret@127.0.0.1/",
    "http://example.org:22/",
    "http://example.org:25/",
    "http://example.org:6379/",
    "http://example.org:5432/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://[::1/",
    "http://example.org:11211/",
    "https://example.org:9200/",
    "dict://example.org/",
    "ldap://example.org/",
    "jar:http://example.org/",
    "netdoc:///etc/passwd",
    "http:/example.org",
    "feed://example.org/",
    "unix:///var/run/docker.sock",
    "smb://example.org/",
    "http://127.0.0.1\\@8.8.8.8/",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_f64_s15_a_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public_also_inside_ipv6(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", DISGUISED)
def test_f64_s15_a_disguised_private_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError) as error:
        fetch.get(url, "test", deadline=5)
    assert (
        "not a public address" in str(error.value)
        or "not a web address" in str(error.value)
        or "DNS" in str(error.value)
    )


@pytest.mark.parametrize("url", MALFORMED)
def test_f64_s15_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedError):
        check_url(url)


def test_f64_s15_there_are_120_tricks() -> None:
    assert len(PRIVATE) + len(DISGUISED) + len(MALFORMED) >= 120


def test_f64_s15_a_name_with_a_public_and_a_private_address_gives_only_the_public_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [info("10.0.0.1"), info("93.184.216.34")])
    assert [found[4][0] for found in resolve("both.example", 80, ())] == ["93.184.216.34"]


def test_f64_s15_a_name_is_resolved_once_so_that_a_second_answer_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([[info("93.184.216.34")], [info("127.0.0.1")]])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: next(told))
    tried: list[Any] = []
    monkeypatch.setattr(
        ssrf_guard._Guarded, "_connected", lambda self, sock, address, name: tried.append(address) or stop(sock)
    )
    with pytest.raises(FetchError):
        fetch.get("http://rebinding.example/feed", "test")
    assert tried == [("93.184.216.34", 80)]


def test_f64_s15_the_peer_is_checked_after_connecting(monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> None:
    """Even if resolving was fooled: what answers is this machine, and that is seen."""
    monkeypatch.setattr(ssrf_guard, "resolve", lambda *a: [info("127.0.0.1", publisher.port)])
    monkeypatch.setattr(ssrf_guard, "PORTS", frozenset({publisher.port}))
    with pytest.raises(FetchError, match=r"was answered by 127\.0\.0\.1"):
        fetch.get(f"http://fooled.example:{publisher.port}/feed", "test")
    assert publisher.asked == []


def info(address: str, port: int = 80) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


def stop(sock: socket.socket) -> socket.socket:
    sock.close()
    raise OSError("stopped by the test")
