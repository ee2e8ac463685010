"""Where a request came from, cut to the network: /24 of IPv4, /48 of IPv6. Whole addresses are not kept."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

PREFIX = {4: 24, 6: 48}


def prefix(address: str) -> str:
    """`192.0.2.77` -> `192.0.2.0/24`; empty for what is no address."""
    try:
        ip = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, PREFIX[ip.version]), strict=False))


def prefix_of(request: HttpRequest) -> str:
    """The network of the visitor. Behind a proxy it is the last hop the proxy itself wrote down."""
    if settings.SECURE_PROXY_SSL_HEADER:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        return prefix(hops[-1])
    return prefix(request.META.get("REMOTE_ADDR", ""))
