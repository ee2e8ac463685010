"""What crawlers ask for: what they may read, and where it is."""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from digest.site import load
from digest.site.caching import MINUTE, public
from subscriptions.links import urls
from subscriptions.models import Topic

# The most addresses one file may have (sitemaps.org). Papers are found by way of their days.
MOST = 50_000


@require_safe
@public(60 * MINUTE)
def robots(request: HttpRequest) -> HttpResponse:
    """Crawlers may read the papers; a reader's own links and the searches are not for them."""
    lines = ["User-agent: *"]
    signed = "abcfklnprsu"  # first letters of the signed links in mails
    for path in ("search", "preferences", "account", "admin", "desk", *signed):
        lines.append(f"Disallow: /{path}/")
    lines += ["", f"Sitemap: {urls.absolute('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@public(60 * MINUTE)
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every edition with the day it came out, every topic, and the pages that are always there."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
    ]
    for name in ("home", "topics", "subscribe"):
        lines.append(_entry(urls.absolute(name)))
    for slug in Topic.objects.filter(is_active=True).order_by("slug").values_list("slug", flat=True):
        lines.append(_entry(urls.absolute("topic", slug)))
    editions = load.released().order_by("-date").values_list("date", "released_at")
    for day, at in editions[: MOST - 1000]:
        lines.append(_entry(urls.absolute("day", day), at))
    lines += ["</urlset>", ""]
    return HttpResponse("\n".join(lines), content_type="application/xml; charset=utf-8")


def _entry(url: str, changed_at: datetime | None = None) -> str:
    if changed_at is None:
        return f"<url><loc>{escape(url)}</loc></url>"
    return f"<url><loc>{escape(url)}</loc><lastmod>{changed_at.date().isoformat()}</lastmod></url>"
