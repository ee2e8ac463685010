"""How requests reach the site: whether the proxy in front is known, and writes down who asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from digest.operate.doctor.finding import OK, WARN, Finding
from subscriptions.limits import client_prefix, limiter

TROUBLES = {
    client_prefix.UNKNOWN: (
        "a proxy writes X-Forwarded-For, and nothing trusts it: all visitors count as one network",
        "Set BEHIND_PROXY=true, or the proxy's address, in .env and start anew.",
    ),
    client_prefix.PASSED_BY: (
        "requests come from addresses that are not those of the proxy: the site can be reached past it",
        "Bind the web server to 127.0.0.1, list all proxies in BEHIND_PROXY, or set it to false where there is none.",
    ),
    client_prefix.SILENT: (
        "requests come without X-Forwarded-For: there is no proxy, or all visitors count as one network",
        "Let the proxy set X-Forwarded-For, or set BEHIND_PROXY=false where there is none.",
    ),
}


def look(now: datetime) -> Iterator[Finding]:
    yield proxy(now)


def proxy(now: datetime) -> Finding:
    """Whether the requests of the last day came the way BEHIND_PROXY says."""
    trusted = ", ".join(settings.TRUSTED_PROXIES)
    trouble = next((one for one in TROUBLES if not limiter.has_room(one, "", now)), "")
    if not trouble:
        detail = (
            f"X-Forwarded-For is believed from: {trusted}" if trusted else "X-Forwarded-For is believed from nobody"
        )
        return Finding("proxy", "BEHIND_PROXY", OK, detail)
    detail, fix = TROUBLES[trouble]
    return Finding("proxy", "BEHIND_PROXY", WARN, detail, fix)
