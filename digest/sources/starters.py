"""The sources that come with Offprint: real addresses, some on from the start, the rest a click away."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from digest.models import Source
from digest.sources import backfill

_FILE = Path(__file__).with_name("starters.toml")
_FEEDS = ("https://rss.arxiv.org/atom/", "https://rss.arxiv.org/rss/")  # the first keeps the words as they are
# What has no parts though it has no point (arxiv.org/category_taxonomy); other such names are whole archives.
_UNDIVIDED = frozenset(["gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nucl-ex", "nucl-th", "quant-ph"])


def load() -> int:
    """Add the starter sources that are not there yet; what a curator changed stays changed. Returns how many came."""
    listed = {str(values["slug"]): values for values in starters()}
    for source in Source.objects.filter(slug__in=listed, url="", is_sample=False):
        Source.objects.filter(pk=source.pk).update(**listed[source.slug])  # so far only files were read for it
    have = set(Source.objects.values_list("slug", flat=True))
    rows = [Source(**values) for slug, values in listed.items() if slug not in have]
    Source.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def starters() -> list[dict[str, object]]:
    """The starter sources as the file has them, arXiv's categories written out."""
    listed = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    arxiv = [
        _arxiv(category, name, category in listed["arxiv"]["on"])
        for category, name in listed["arxiv"]["categories"].items()
    ]
    return [*listed["source"], *arxiv]


def _arxiv(category: str, name: str, is_on: bool) -> dict[str, object]:
    url = f"{_FEEDS[0]}{category}"
    return {
        "slug": f"arxiv-{category.lower().replace('.', '-')}",
        "name": f"arXiv {category}: {name}",
        "kind": Source.Kind.ARXIV,
        "url": url,
        "is_enabled": is_on,
        "is_daily": True,
        "fallbacks": fallbacks(Source.Kind.ARXIV, url),
    }


def fallbacks(kind: str, url: str) -> list[list[str]]:
    """What to ask when this address lags: for arXiv's categories its other forms, in order; for all else nothing.

    A whole archive has none: each of them would be cut at 2,000 rows as its feed is.
    """
    wanted = categories(url) if kind in {Source.Kind.ARXIV, Source.Kind.ARXIV_LIST} else []
    if not wanted:
        return []
    feeds = [[str(Source.Kind.ARXIV), start + "+".join(wanted)] for start in _FEEDS]
    pages = [[str(Source.Kind.ARXIV_LIST), f"https://arxiv.org/list/{one}/new?skip=0&show=2000"] for one in wanted]
    asked = wanted[0] if len(wanted) == 1 else f"({'+OR+cat:'.join(wanted)})"
    api = [str(Source.Kind.ARXIV_API), backfill.api_address(asked)]
    others = [*feeds, *(pages if len(pages) == 1 else ()), api]  # a listing page has one category
    return [pair for pair in others if _place(pair[1]) != _place(url)]


def categories(url: str) -> list[str]:
    """arXiv's categories that the address of a feed or a listing page names, spelt as arXiv does; else none."""
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    found = re.fullmatch(r"/(?:atom|rss|list)/([\w.+-]+?)(?:/(?:new|recent|pastweek))?/?", path)
    if not found or not (host == "arxiv.org" or host.endswith(".arxiv.org")):
        return []
    named = [_spelt(one) for one in found[1].split("+")]
    return named if all("." in one or one in _UNDIVIDED for one in named) else []


def _spelt(category: str) -> str:
    archive, point, subject = category.lower().partition(".")
    return f"{archive}{point}{subject.upper() if len(subject) == 2 else subject}"


def _place(url: str) -> str:
    """An address without what makes no difference to what it answers."""
    parts = urlsplit(url)
    query = parts.query if "/api/" in parts.path else ""
    return f"{parts.hostname}{parts.path.lower().rstrip('/')}?{query}"
