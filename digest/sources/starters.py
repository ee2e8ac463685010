"""The sources that come with Offprint: real addresses, some on from the start, the rest a click away."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from digest.models import Source
from digest.sources.parsers import registry

_FILE = Path(__file__).with_name("starters.toml")
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
    """The starter sources as the file has them, each with its kind, arXiv's categories written out."""
    listed = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    found = [{**values, "kind": registry.told_by(values["url"])} for values in listed["source"]]
    for category, name in listed["arxiv"]["categories"].items():
        found.append(_arxiv(category, name, listed["arxiv"]["feed"], category in listed["arxiv"]["on"]))
    return found


def _arxiv(category: str, name: str, feed: str, is_on: bool) -> dict[str, object]:
    url = f"{feed}{category}"
    kind = registry.told_by(url)
    return {
        "slug": f"arxiv-{category.lower().replace('.', '-')}",
        "name": f"arXiv {category}: {name}",
        "kind": kind,
        "url": url,
        "is_enabled": is_on,
        "is_daily": True,
        "fallbacks": fallbacks(kind, url),
    }


def fallbacks(kind: str, url: str) -> list[list[str]]:
    """[kind, address] pairs to ask when this address lags: its categories in arXiv's other forms, in order.

    A whole archive has none: each of them would be cut at 2,000 rows as its feed is.
    """
    wanted = categories(url)
    if not wanted:
        return []
    pairs = []
    for other in registry.of(kind).fallbacks:
        for address in registry.of(other).addresses_of(wanted):
            if _place(address) != _place(url):
                pairs.append([other, address])
    return pairs


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
    if len(subject) == 2:
        subject = subject.upper()
    return f"{archive}{point}{subject}"


def _place(url: str) -> str:
    """An address without what makes no difference to what it answers."""
    parts = urlsplit(url)
    query = ""
    if "/api/" in parts.path:
        query = parts.query
    return f"{parts.hostname}{parts.path.lower().rstrip('/')}?{query}"
