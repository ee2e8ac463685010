"""Connections to public addresses only, judged on the address really connected to.

A curator's address, and every redirect, may name or resolve to this machine or its network. So each
connection resolves once, refuses what is not public, connects to the address it checked (a second
look-up could answer differently), and checks the peer again.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

PORTS = frozenset({80, 443, 8080, 8443})
# Ranges that carry an IPv4 address inside: NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), IPv4-compatible.
_NAT64, _6TO4 = ip_network("64:ff9b::/96"), ip_network("2002::/16")
_REFUSED = tuple(
    ip_network(text)
    for text in ("64:ff9b:1::/48", "::/96", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10", "192.88.99.0/24",
                 "100.64.0.0/10", "192.0.0.0/24", "240.0.0.0/4", "0.0.0.0/8")
)  # fmt: skip


class RefusedError(Exception):
    """The address must not be asked; the message says which and why."""


def is_public(address: str) -> bool:
    """True for an address of the public internet, IPv4 inside IPv6 looked at as what it is."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(ip)
    if inner is not None:
        return is_public(str(inner))
    if any(ip.version == network.version and ip in network for network in _REFUSED):
        return False
    return ip.is_global and not ip.is_multicast


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return IPv4Address((int(ip) >> 80) & 0xFFFFFFFF)
    return None


def check_url(url: str, allowed: Collection[str] = ()) -> None:
    """Raise RefusedError for an address that is not plainly a public web address.

    `allowed` holds `host:port` pairs that the operator trusts although they are private.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:
        raise RefusedError(f"{url!r} is not a web address. Write it as https://example.org/feed.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise RefusedError(f"{url!r} does not start with http:// or https://. Write the feed's web address.")
    if parts.username is not None or parts.password is not None:
        raise RefusedError("An address with a name or password in it is not asked. Leave them out.")
    if port not in PORTS and f"{host}:{port}" not in allowed:
        raise RefusedError(f"Port {port} is not one that feeds are served on ({', '.join(map(str, sorted(PORTS)))}).")


def resolve(host: str, port: int, allowed: Collection[str]) -> list[tuple[Any, ...]]:
    """What the host resolves to, public addresses only. Raises RefusedError when none of it is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if f"{host}:{port}" in allowed:
        return list(found)
    public = [info for info in found if is_public(str(info[4][0]))]
    if not public:
        leads_to = found[0][4][0] if found else "nothing"
        raise RefusedError(f"{host} leads to {leads_to}, which is not a public address.")
    return public


class _Guarded:
    """Mixed into urllib3's connections: connect to an address that was checked."""

    allowed: Collection[str] = ()
    on_socket: Any = None

    def _new_conn(self) -> socket.socket:
        host, port = str(self._dns_host), int(self.port)  # type: ignore[attr-defined]
        try:
            candidates = resolve(host, port, self.allowed)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(host, self, socket.gaierror(str(error))) from error  # type: ignore[arg-type]
        fault: OSError | None = None
        for family, kind, protocol, _, address in candidates[:4]:
            try:
                return self._connected(socket.socket(family, kind, protocol), address, f"{host}:{port}")
            except OSError as error:
                fault = error
        raise NewConnectionError(self, f"{host} cannot be connected to: {fault}")  # type: ignore[arg-type]

    def _connected(self, sock: socket.socket, address: Any, name: str) -> socket.socket:
        try:
            sock.settimeout(_seconds(self.timeout))  # type: ignore[attr-defined]
            sock.connect(address)
            peer = str(sock.getpeername()[0])
            if not is_public(peer) and name not in self.allowed:
                raise RefusedError(f"{name} was answered by {peer}, which is not a public address.")
        except BaseException:
            sock.close()
            raise
        if self.on_socket:
            self.on_socket(sock)
        return sock


def _seconds(timeout: Any) -> float:
    return float(timeout) if isinstance(timeout, int | float) else 10.0


class Adapter(HTTPAdapter):
    """An HTTPAdapter of requests whose every connection is guarded; `on_socket` hears of each socket."""

    def __init__(self, allowed: Collection[str], on_socket: Any) -> None:
        self._members = {"allowed": allowed, "on_socket": staticmethod(on_socket)}
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        plain = type("GuardedHTTP", (_Guarded, HTTPConnection), self._members)
        secure = type("GuardedHTTPS", (_Guarded, HTTPSConnection), self._members)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
