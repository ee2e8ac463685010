"""The public pages. Each reads, prepares plain values, and hands them to a template; none writes."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from digest.models import Edition, Paper
from digest.site import listing, reading
from digest.site.caching import MINUTE, public
from digest.site.dates import short_date
from subscriptions.models import Topic

MAX_PAGE = 500


def page_number(request: HttpRequest) -> int:
    """`?page=3`; anything that is not such a number is the first page."""
    text = request.GET.get("page", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1
    return min(max(number, 1), MAX_PAGE)


@require_safe
@public(5 * MINUTE)
def home(request: HttpRequest) -> HttpResponse:
    edition = reading.newest()
    if edition is None:
        return _empty(request)
    return _edition(request, edition)


def _empty(request: HttpRequest) -> HttpResponse:
    deadline = f"{settings.EDITION_DEADLINE:%H:%M}"
    return render(request, "site/empty.html", {"waiting": reading.collecting(), "deadline": deadline})


def _edition(request: HttpRequest, edition: Edition) -> HttpResponse:
    area = request.GET.get("area", "")[:120]
    neighbours = reading.neighbours(edition.date)
    context = {
        "edition": edition,
        "shown": reading.shown(edition, page_number(request), area),
        "neighbours": neighbours,
        "is_newest": neighbours.after is None,
        "areas": reading.areas(edition),
        "area": area,
        "query": urlencode({"area": area}) + "&" if area else "",
        "current": "home",
    }
    return render(request, "site/edition.html", context)


@require_safe
@public(5 * MINUTE)
def day(request: HttpRequest, day: date) -> HttpResponse:
    edition = reading.released().filter(date=day).first()
    if edition is None:
        return _no_such_day(request, day)
    return _edition(request, edition)


def _no_such_day(request: HttpRequest, day: date) -> HttpResponse:
    near = reading.neighbours(day)
    return render(request, "site/no_day.html", {"day": day, "neighbours": near}, status=404)


@require_safe
@public(5 * MINUTE)
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(reading.public_papers(), pk=pk)
    announcements = list(row.announcements.all())
    context = {
        "row": row,
        "opening": listing.opening(row.abstract)[0],
        "authors": row.authors,
        "every_link": listing.every_link(row, announcements),
        "about": about(row),
        "edition": reading.edition_of(row),
        "announcements": announcements,
    }
    return render(request, "site/paper.html", context)


def about(paper: Paper) -> list[tuple[str, Any]]:
    """What is known of a paper, as (name, text), without what is not known."""
    facts: list[tuple[str, Any]] = [
        ("Published", paper.published_on and short_date(paper.published_on)),
        ("arXiv", paper.arxiv_id and f"{paper.arxiv_id}, version {paper.version}"),
        ("DOI", paper.doi),
        ("Categories", ", ".join(paper.categories)),
        ("Journal", paper.journal_ref),
        ("Authors’ comment", paper.comment),
        ("Upvotes", paper.upvotes),
        ("Comments", paper.comments),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


@require_safe
@public(5 * MINUTE)
def topics(request: HttpRequest) -> HttpResponse:
    groups: dict[str, list[Topic]] = {}
    for row in Topic.objects.filter(is_active=True):
        groups.setdefault(row.group, []).append(row)
    return render(request, "site/topics.html", {"groups": list(groups.items()), "current": "topics"})
