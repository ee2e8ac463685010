"""The feeds' doors. Each finds its papers and hands them to `feeds.answer`; none writes."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from digest import archive
from digest.models import Edition, Paper
from digest.site import errors, feeds, reading, searching
from digest.site.caching import MINUTE, public
from digest.site.dates import long_date
from digest.site.words import asked_query
from subscriptions.models import Topic
from subscriptions.query import Node, QueryError, parse

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@require_safe
@public(15 * MINUTE)
def newest(request: HttpRequest, form: str) -> HttpResponse:
    """The newest edition's papers; an empty feed while there is none."""
    edition = reading.newest()
    own = reverse("feed", kwargs={"form": form})
    title = f"{settings.SITE_NAME}: the newest papers"
    papers = _papers_of(edition) if edition else []
    updated = feeds.newest_change(papers, edition.released_at or BEGINNING) if edition else BEGINNING
    return feeds.answer(feeds.Feed(title, reverse("home"), own, papers, updated), form)


@require_safe
@public(15 * MINUTE)
def day(request: HttpRequest, day: date, form: str) -> HttpResponse:
    edition = get_object_or_404(reading.released(), date=day)
    papers = _papers_of(edition)
    page, own = reverse("day", kwargs={"day": day}), reverse("day_feed", kwargs={"day": day, "form": form})
    title = f"{settings.SITE_NAME}: {long_date(day)}"
    updated = feeds.newest_change(papers, edition.released_at or BEGINNING)
    return feeds.answer(feeds.Feed(title, page, own, papers, updated), form)


def _papers_of(edition: Edition) -> list[Paper]:
    return [entry.paper for entry in reading.places(edition)[: feeds.FEED_ITEMS]]


@require_safe
@public(15 * MINUTE)
def topic(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    row = get_object_or_404(Topic, slug=slug, is_active=True)
    page, own = reverse("topic", kwargs={"slug": slug}), reverse("topic_feed", kwargs={"slug": slug, "form": form})
    try:
        papers = _newest_matching(parse(row.query))
    except archive.TooSlowError:
        return errors.busy(request)
    title = f"{settings.SITE_NAME}: {row.name}"
    return feeds.answer(feeds.Feed(title, page, own, papers, feeds.newest_change(papers, BEGINNING)), form)


@require_safe
@public(15 * MINUTE)
def search(request: HttpRequest, form: str) -> HttpResponse:
    """The newest papers a filter matches. A query that cannot be read is answered 400 with the reason."""
    q = asked_query(request)
    if not q:
        raise Http404
    try:
        tree = parse(q)
    except QueryError as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    page = reverse("search") + "?" + urlencode({"q": q})
    own = reverse("search_feed", kwargs={"form": form}) + "?" + urlencode({"q": q})
    try:
        papers = _newest_matching(tree)
    except archive.TooSlowError:
        return errors.busy(request)
    title = f"{settings.SITE_NAME}: {q}"
    return feeds.answer(feeds.Feed(title, page, own, papers, feeds.newest_change(papers, BEGINNING)), form)


def _newest_matching(tree: Node) -> list[Paper]:
    return searching.rows_in_order(archive.by_tree(tree, True, feeds.FEED_ITEMS).papers)
