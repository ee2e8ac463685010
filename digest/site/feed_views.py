"""The views of the feeds. Each finds its papers and hands them to `feeds.answer`; none writes."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from digest import search as archive_search
from digest.models import Edition, Paper
from digest.site import errors, feeds, load, results
from digest.site.caching import MINUTE, public
from digest.site.dates import long_date
from digest.site.feeds import Item
from digest.site.params import asked_query
from subscriptions.models import Topic
from subscriptions.query import QueryError, parse


@require_safe
@public(15 * MINUTE)
def newest(request: HttpRequest, form: str) -> HttpResponse:
    """The newest edition's papers; an empty feed while there is none."""
    edition = load.newest()
    own = reverse("feed", kwargs={"form": form})
    title = f"{settings.SITE_NAME}: the newest papers"
    items = []
    if edition:
        items = _items_of(edition)
    return feeds.answer(feeds.Feed(title, reverse("home"), own, items, _updated(items, edition)), form)


@require_safe
@public(15 * MINUTE)
def day(request: HttpRequest, day: date, form: str) -> HttpResponse:
    edition = get_object_or_404(load.released(), date=day)
    items = _items_of(edition)
    page, own = reverse("day", kwargs={"day": day}), reverse("day_feed", kwargs={"day": day, "form": form})
    title = f"{settings.SITE_NAME}: {long_date(day)}"
    return feeds.answer(feeds.Feed(title, page, own, items, _updated(items, edition)), form)


def _items_of(edition: Edition) -> list[Item]:
    return [feeds.item(place.paper, place) for place in load.places(edition)[: feeds.FEED_ITEMS]]


def _updated(items: list[Item], edition: Edition | None = None) -> datetime:
    """When a feed last changed; one that never had anything is as old as the day."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return feeds.newest_change(items, (edition and edition.released_at) or today)


@require_safe
@public(15 * MINUTE)
def topic(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    row = get_object_or_404(Topic, slug=slug, is_active=True)
    page, own = reverse("topic", kwargs={"slug": slug}), reverse("topic_feed", kwargs={"slug": slug, "form": form})
    try:
        found = archive_search.by_tree(parse(row.query), True, feeds.FEED_ITEMS)
        items = _items(results.rows_in_order(found.papers))
    except archive_search.TooSlowError:
        return errors.busy(request)
    title = f"{settings.SITE_NAME}: {row.name}"
    return feeds.answer(feeds.Feed(title, page, own, items, _updated(items)), form)


@require_safe
@public(15 * MINUTE)
def search(request: HttpRequest, form: str) -> HttpResponse:
    """The newest papers for what the search page takes. What cannot be read is answered 400 with the reason."""
    q = asked_query(request)
    if not q:
        raise Http404
    try:
        items = _items(results.newest(q, feeds.FEED_ITEMS))
    except QueryError as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    except archive_search.TooSlowError:
        return errors.busy(request)
    page = reverse("search") + "?" + urlencode({"q": q})
    own = reverse("search_feed", kwargs={"form": form}) + "?" + urlencode({"q": q})
    title = f"{settings.SITE_NAME}: {q}"
    return feeds.answer(feeds.Feed(title, page, own, items, _updated(items)), form)


def _items(papers: list[Paper]) -> list[Item]:
    places = load.first_places([paper.pk for paper in papers])
    return [feeds.item(paper, places.get(paper.pk)) for paper in papers]
