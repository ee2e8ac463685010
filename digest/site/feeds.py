"""Editions, topics and searches as Atom (RFC 4287) and JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import http_date

from digest.models import Paper
from digest.rendering import addresses
from digest.site import listing

FEED_ITEMS = 100
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is about. `path` is the page it belongs to, `own_path` the feed itself, both from the root."""

    title: str
    path: str
    own_path: str
    papers: Sequence[Paper]
    updated: datetime


def answer(feed: Feed, form: str) -> HttpResponse:
    """The feed as `atom` or `json`, with when it last changed."""
    body, kind = (_atom(feed), "application/atom+xml") if form == "atom" else (_json(feed), "application/feed+json")
    response = HttpResponse(body, content_type=f"{kind}; charset=utf-8")
    response["Last-Modified"] = http_date(feed.updated.timestamp())
    return response


def absolute(path: str) -> str:
    return settings.PUBLIC_BASE_URL + path


def newest_change(papers: Sequence[Paper], otherwise: datetime) -> datetime:
    return max((paper.updated_at for paper in papers), default=otherwise)


def _atom(feed: Feed) -> str:
    made = Atom1Feed(
        title=_clean(feed.title),
        link=absolute(feed.path),
        feed_url=absolute(feed.own_path),
        description=None,
        language="en",
        author_name=settings.SITE_NAME,
    )
    made.latest_post_date = lambda: feed.updated  # type: ignore[method-assign]
    for paper in feed.papers:
        made.add_item(
            title=listing.title(paper),
            link=_page(paper),
            unique_id=_page(paper),
            description=listing.abstract(paper),
            author_name=listing.short_authors(paper) or None,
            pubdate=_published(paper),
            updateddate=paper.updated_at,
            categories=[_clean(name) for name in paper.categories],
        )
    return made.writeString("utf-8")


def _json(feed: Feed) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": absolute(feed.path),
            "feed_url": absolute(feed.own_path),
            "language": "en",
            "items": [_item(paper) for paper in feed.papers],
        },
        ensure_ascii=False,
    )


def _item(paper: Paper) -> dict[str, object]:
    item: dict[str, object] = {
        "id": _page(paper),
        "url": _page(paper),
        "title": listing.title(paper),
        "content_text": listing.abstract(paper),
        "date_published": _published(paper).isoformat(),
        "date_modified": paper.updated_at.isoformat(),
        "authors": [{"name": name} for name in listing.authors(paper)],
        "tags": list(paper.categories),
    }
    if address := addresses.safe(paper.url):
        item["external_url"] = address
    return item


def _page(paper: Paper) -> str:
    return absolute(reverse("paper", kwargs={"pk": paper.pk}))


def _published(paper: Paper) -> datetime:
    return datetime.combine(paper.published_on, time(), UTC) if paper.published_on else paper.first_seen_at


def _clean(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return _CONTROL.sub("", text)
