"""Editions, topics and searches as Atom (RFC 4287) and JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.http import http_date
from django.utils.xmlutils import SimplerXMLGenerator

from digest.letters import safe_urls
from digest.models import EditionPaper, Paper
from digest.site import paper_rows

FEED_ITEMS = 100
AUTHORS = 20
PINNED = "pinned"
PRISM = "http://prismstandard.org/namespaces/basic/2.0/"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is about. `path` is the page it belongs to, `own_path` the feed itself, both from the root."""

    title: str
    path: str
    own_path: str
    items: Sequence[Item]
    updated: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A paper, when the site brought it, and what the curator made of it."""

    paper: Paper
    brought_at: datetime
    is_pinned: bool = False
    note: str = ""

    @property
    def updated_at(self) -> datetime:
        return max(self.paper.updated_at, self.brought_at)

    @property
    def tags(self) -> list[str]:
        return [PINNED] * self.is_pinned + [str(name) for name in self.paper.categories]


def item(paper: Paper, place: EditionPaper | None) -> Item:
    """The paper by its place in a released edition; one without a place was brought when it was first seen."""
    if place is None:
        return Item(paper, paper.first_seen_at)
    released_at = place.edition.released_at or datetime.combine(place.edition.date, time(), UTC)
    return Item(paper, released_at, place.is_pinned, place.note)


def answer(feed: Feed, form: str) -> HttpResponse:
    """The feed as `atom` or `json`, with when it last changed."""
    if form == "atom":
        response = HttpResponse(_atom(feed), content_type="application/atom+xml; charset=utf-8")
    else:
        response = HttpResponse(_json(feed), content_type="application/feed+json; charset=utf-8")
    response["Last-Modified"] = http_date(feed.updated.timestamp())
    return response


def absolute(path: str) -> str:
    return settings.PUBLIC_BASE_URL + path


def newest_change(items: Sequence[Item], otherwise: datetime) -> datetime:
    return max((one.updated_at for one in items), default=otherwise)


class _Atom(Atom1Feed):
    """Atom with an author element for each author, and the paper's own date as PRISM has it."""

    def root_attributes(self) -> dict[str, str]:
        return {**super().root_attributes(), "xmlns:prism": PRISM}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name in item["authors"]:
            handler.startElement("author", AttributesImpl({}))
            handler.addQuickElement("name", name)
            handler.endElement("author")
        if item["published_on"]:
            handler.addQuickElement("prism:publicationDate", item["published_on"])


def _atom(feed: Feed) -> str:
    made = _Atom(
        title=_clean(feed.title),
        link=absolute(feed.path),
        feed_url=absolute(feed.own_path),
        description=None,
        language="en",
        author_name=settings.SITE_NAME,
    )
    made.latest_post_date = lambda: feed.updated  # type: ignore[method-assign]
    for one in feed.items:
        made.add_item(
            title=paper_rows.title(one.paper),
            link=_page(one.paper),
            unique_id=_page(one.paper),
            description="".join(f"<p>{escape(text)}</p>" for text in _texts(one)),
            authors=paper_rows.authors(one.paper, AUTHORS),
            published_on=_published_on(one.paper),
            pubdate=one.brought_at,
            updateddate=one.updated_at,
            categories=[_clean(name) for name in one.tags],
        )
    return made.writeString("utf-8")


def _json(feed: Feed) -> str:
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": absolute(feed.path),
        "feed_url": absolute(feed.own_path),
        "language": "en",
        "items": list(map(_item, feed.items)),
    }
    return json.dumps(told, ensure_ascii=False)


def _item(one: Item) -> dict[str, object]:
    paper = one.paper
    told: dict[str, object] = {
        "id": _page(paper),
        "url": _page(paper),
        "title": paper_rows.title(paper),
        "content_text": "\n\n".join(_texts(one)),
        "date_published": one.brought_at.isoformat(),
        "date_modified": one.updated_at.isoformat(),
        "authors": [{"name": name} for name in paper_rows.authors(paper, AUTHORS)],
        "tags": one.tags,
        "_paper": {"published_on": _published_on(paper), "is_pinned": one.is_pinned, "note": one.note},
    }
    if address := safe_urls.safe(paper.url):
        told["external_url"] = address
    return told


def _texts(one: Item) -> list[str]:
    """What a feed reader shows: the curator's note and the abstract."""
    texts = []
    if one.note:
        texts.append(f"The curator’s note: {_clean(one.note)}")
    if abstract := paper_rows.abstract(one.paper):
        texts.append(abstract)
    return texts


def _page(paper: Paper) -> str:
    return absolute(reverse("paper", kwargs={"pk": paper.pk}))


def _published_on(paper: Paper) -> str | None:
    if paper.published_on is None:
        return None
    return paper.published_on.isoformat()


def _clean(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return _CONTROL.sub("", text)
