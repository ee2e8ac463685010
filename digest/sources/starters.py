"""The sources that come with Offprint: real addresses, some on from the start, the rest a click away."""

from __future__ import annotations

import tomllib
from pathlib import Path

from digest.models import Source
from digest.sources import backfill

_FILE = Path(__file__).with_name("starters.toml")


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
    return {
        "slug": f"arxiv-{category.lower().replace('.', '-')}",
        "name": f"arXiv {category}: {name}",
        "kind": Source.Kind.ARXIV,
        "url": f"https://rss.arxiv.org/atom/{category}",
        "is_enabled": is_on,
        "is_daily": True,
        "fallbacks": [
            ["arxiv", f"https://rss.arxiv.org/rss/{category}"],
            ["arxiv-list", f"https://arxiv.org/list/{category}/new?skip=0&show=2000"],
            ["arxiv-api", backfill.api_address(category)],
        ],
    }
