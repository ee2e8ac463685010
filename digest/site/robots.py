"""What crawlers ask for: what they may read, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
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
    letters = (f"/{letter}/" for letter in "abcfklnprsu")  # the signed links of mails
    closed = ("/search/", "/preferences/", "/account/", "/admin/", "/desk/", *letters)
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "", f"Sitemap: {urls.absolute('sitemap')}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@public(60 * MINUTE)
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every edition with the day it came out, every topic, and the pages that are always there."""
    body = "".join(f"<url><loc>{escape(url)}</loc>{_changed(at)}</url>\n" for url, at in _addresses())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return HttpResponse(f"{head}{body}</urlset>\n", content_type="application/xml; charset=utf-8")


def _addresses() -> Iterator[tuple[str, str]]:
    for name in ("home", "topics", "subscribe"):
        yield urls.absolute(name), ""
    for slug in Topic.objects.filter(is_active=True).order_by("slug").values_list("slug", flat=True):
        yield urls.absolute("topic", slug), ""
    editions = load.released().order_by("-date").values_list("date", "released_at")
    for day, at in editions[: MOST - 1000]:
        yield urls.absolute("day", day), at.date().isoformat() if at else ""


def _changed(at: str) -> str:
    return f"<lastmod>{at}</lastmod>" if at else ""
