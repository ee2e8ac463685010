"""Where a request came from, cut to the network: /24 of IPv4, /48 of IPv6. Whole addresses are not kept."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from subscriptions.limits import limiter
from subscriptions.limits.limiter import DAY, Rule

PREFIX = {4: 24, 6: 48}
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")
# This machine and its private networks (RFC 1918, 4193, 3927, 4291); not what Python calls private besides.
NEAR = tuple(
    ipaddress.ip_network(one)
    for one in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
HEALTH = ("/healthz", "/readyz")  # asked by whoever watches the site, past any proxy
NOTED_FOR = 3600.0  # seconds in which a process writes down one kind of odd request once
# What `doctor` is told of requests that do not fit BEHIND_PROXY, for a day.
UNKNOWN, PASSED_BY, SILENT = "proxy-unknown", "proxy-passed-by", "proxy-silent"
limiter.RULES |= {kind: (Rule(1, DAY),) for kind in (UNKNOWN, PASSED_BY, SILENT)}


def address(text: str) -> IpAddress | None:
    """The address in `text`, which may bear a port; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return mapped or ip


def prefix(text: str) -> str:
    """`192.0.2.77` -> `192.0.2.0/24`; empty for what is no address."""
    ip = address(text)
    return str(ipaddress.ip_network((int(ip), PREFIX[ip.version]), strict=False)) if ip else ""


def prefix_of(request: HttpRequest) -> str:
    """The network of the visitor; `TrustedProxies` has seen to it that REMOTE_ADDR is theirs."""
    return prefix(request.META.get("REMOTE_ADDR", ""))


class TrustedProxies:
    """Believes X-Forwarded-For and X-Forwarded-Proto of the proxies in BEHIND_PROXY, and of nobody else.

    A visitor may send these headers too, so each proxy's own entry is the last. From a peer that is not trusted they
    are dropped before anything reads them; from one that is, REMOTE_ADDR becomes the visitor's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = address(request.META.get("REMOTE_ADDR", ""))
        if kind := _oddity(request, peer):
            _note(kind)
        if not _is_trusted(peer):
            for name in FORWARDED:
                request.META.pop(name, None)
        elif visitor := _visitor(request.META.get("HTTP_X_FORWARDED_FOR", "")):
            request.META["REMOTE_ADDR"] = str(visitor)
        return self.get_response(request)


def _is_trusted(peer: IpAddress | None) -> bool:
    """No address: the request came by a Unix socket, which only this machine's proxy opens."""
    proxies: list[str] = settings.TRUSTED_PROXIES
    if peer is None or not proxies:
        return bool(proxies)
    if proxies == ["private"]:
        return _is_near(peer)
    return any(peer in ipaddress.ip_network(one) for one in proxies)


def _is_near(peer: IpAddress | None) -> bool:
    return peer is None or any(peer in network for network in NEAR)


def _visitor(forwarded: str) -> IpAddress | None:
    """The last hop that is no proxy of ours. Of proxies that are not named, one stands in front, and only its own
    entry counts: the visitor's network may be private too."""
    hops = [address(hop) for hop in forwarded.split(",")]
    if settings.TRUSTED_PROXIES == ["private"]:
        return hops[-1]
    return next((hop for hop in reversed(hops) if hop is None or not _is_trusted(hop)), hops[0])


def _oddity(request: HttpRequest, peer: IpAddress | None) -> str:
    """What is odd about the way the request came, if anything is."""
    is_forwarded = "HTTP_X_FORWARDED_FOR" in request.META
    if not _is_trusted(peer):
        if is_forwarded and _is_near(peer):
            return UNKNOWN
        return PASSED_BY if settings.TRUSTED_PROXIES else ""
    if is_forwarded or request.path.startswith(HEALTH):
        return ""
    is_proxy = "HTTP_X_FORWARDED_PROTO" in request.META or not (peer is None or peer.is_loopback)
    return SILENT if is_proxy else ""


def _note(kind: str) -> None:
    """For `doctor`; a page is never refused for it."""
    if cache.add(kind, True, NOTED_FOR):
        try:
            limiter.note(kind, "", timezone.now())
        except DatabaseError:
            cache.delete(kind)
