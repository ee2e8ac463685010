"""The public pages. Each reads, prepares plain values, and hands them to a template; none writes."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from digest import search as archive_search
from digest.letters import citations
from digest.models import Edition, Paper
from digest.site import areas, errors, load, paper_rows, periods, results
from digest.site.caching import MINUTE, public
from digest.site.dates import short_date
from digest.site.params import asked_area, asked_query, page_number
from digest.site.periods import Period
from digest.site.results import Results
from subscriptions.models import Topic
from subscriptions.query import QueryError, parse

SIMILAR = 5
NAMED, MANY = 20, 30  # past so many authors, the first so many are named and the others can be opened


@require_safe
@public(5 * MINUTE)
def home(request: HttpRequest) -> HttpResponse:
    edition = load.newest()
    if edition:
        return _edition(request, edition)
    context = {"waiting": load.collecting(), "deadline": f"{settings.EDITION_DEADLINE:%H:%M}"}
    return render(request, "site/empty.html", context)


def _edition(request: HttpRequest, edition: Edition) -> HttpResponse:
    area, page = asked_area(request), page_number(request)
    counted = load.counted_areas(edition)
    status = 200
    query = ""
    if area:
        shown = load.shown_in_area(edition, area, counted, page)
        query = urlencode({"area": area}) + "&"
        if not shown.total:
            status = 404
    else:
        shown = load.shown(edition, page)
    names = {one.code: one.name for one in counted}
    neighbours = load.neighbours(edition.date)
    context = {
        "edition": edition,
        "week": periods.week_of(edition.date),
        "month": periods.month_of(edition.date),
        "shown": shown,
        "neighbours": neighbours,
        "is_newest": neighbours.after is None,
        "areas": counted,
        "area": area,
        "area_name": names.get(area) or areas.name(area),
        "query": query,
        "current": "home",
    }
    return render(request, "site/edition.html", context, status=status)


@require_safe
@public(5 * MINUTE)
def day(request: HttpRequest, day: date) -> HttpResponse:
    edition = load.released().filter(date=day).first()
    if edition:
        return _edition(request, edition)
    context = {"day": day, "neighbours": load.neighbours(day)}
    return render(request, "site/no_day.html", context, status=404)


@require_safe
@public(5 * MINUTE)
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(load.public_papers(), pk=pk)
    if row.merged_into_id:
        return redirect("paper", pk=row.merged_into_id)
    announcements = list(load.announcements([row.pk]).select_related("source"))
    context = {
        "row": row,
        "title": paper_rows.title(row),
        "abstract": paper_rows.abstract(row),
        "opening": paper_rows.opening(paper_rows.abstract(row))[0],
        "authors": paper_rows.authors(row),
        "shown": NAMED,
        "many": MANY,
        "every_link": paper_rows.every_link(row, announcements),
        "about": about(row),
        "edition": load.edition_of(row),
        "announcements": announcements,
        "bibtex": citations.bibtex([paper_rows.reference(row)]),
        "similar": results.listed_in_order(archive_search.like(row, SIMILAR)),
    }
    return render(request, "site/paper.html", context)


CITATIONS = {
    "bib": ("application/x-bibtex", citations.bibtex),
    "ris": ("application/x-research-info-systems", citations.ris),
}


@require_safe
@public(60 * MINUTE)
def citation(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The paper for whatever keeps a visitor's references: BibTeX or RIS, as a file."""
    row = get_object_or_404(load.public_papers(), pk=pk)
    kind, write = CITATIONS[form]
    response = HttpResponse(write([paper_rows.reference(row)]), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="paper-{pk}.{form}"'
    return response


def about(paper: Paper) -> list[tuple[str, object]]:
    """What is known of a paper, as (name, text), without what is not known."""
    facts: list[tuple[str, object]] = [
        ("Published", paper.published_on and short_date(paper.published_on)),
        ("arXiv", paper.arxiv_id and f"{paper.arxiv_id}, version {paper.version}"),
        ("DOI", paper.doi),
        ("Categories", ", ".join(map(_category, paper.categories))),
        ("Journal", paper.journal_ref),
        ("Authors’ comment", paper.comment),
        ("Upvotes", paper.upvotes),
        ("Comments", paper.comments),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


def _category(code: str) -> str:
    """`Computation and language (cs.CL)`, or the publisher's own word alone."""
    name = areas.name(code)
    if name == code:
        return code
    return f"{name} ({code})"


@require_safe
@public(5 * MINUTE)
def topics(request: HttpRequest) -> HttpResponse:
    groups: dict[str, list[Topic]] = {}
    for row in Topic.objects.filter(is_active=True):
        groups.setdefault(row.group, []).append(row)
    return render(request, "site/topics.html", {"groups": list(groups.items()), "current": "topics"})


@require_safe
@public(5 * MINUTE)
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    row = get_object_or_404(Topic, slug=slug, is_active=True)
    try:
        found = results.matching(parse(row.query), by_date=True, page=page_number(request))
    except archive_search.TooSlowError:
        return errors.busy(request)
    context = {"topic": row, "found": found, "heading": row.name, "query": "", "current": "topics"}
    return render(request, "site/topic.html", context)


@require_safe
@public(MINUTE)
def search(request: HttpRequest) -> HttpResponse:
    q = asked_query(request)
    by = "relevance"
    if request.GET.get("by") == "date":
        by = "date"
    heading = "Search"
    if q:
        heading = f"{q[:80]} · Search"
    found, error = _searched(q, by == "date", page_number(request))
    context = {"q": q, "by": by, "found": found, "error": error, "current": "search"}
    context |= {"heading": heading, "query": urlencode({"q": q, "by": by}) + "&"}
    return render(request, "site/search.html", context)


def _searched(q: str, by_date: bool, page: int) -> tuple[Results | None, str]:
    """What is found, or why the query cannot be read; neither for an empty box."""
    if not q:
        return None, ""
    try:
        return results.search(q, by_date, page), ""
    except QueryError as error:
        return None, str(error)
    except archive_search.TooSlowError:
        return None, "This search takes too long. Use fewer words, or longer and rarer ones."


@require_safe
@public(5 * MINUTE)
def period(request: HttpRequest, period: Period) -> HttpResponse:
    """A week or a month: its days, and its papers best first."""
    days = periods.days(period)
    before, after = periods.neighbours(period)
    if not days:
        near = {"period": period, "before": before, "after": after}
        return render(request, "site/no_period.html", near, status=404)
    total = sum(papers for _, papers in days)
    last = max(1, -(-total // load.PAGE))
    page = min(page_number(request), last)
    context = {
        "period": period,
        "days": days,
        "total": total,
        "papers": periods.best(period, page),
        "page": page,
        "last": last,
        "first": (page - 1) * load.PAGE + 1,
        "before": before,
        "after": after,
        "week": periods.week_of(days[-1][0]),
        "month": periods.month_of(days[-1][0]),
        "current": "home",
    }
    return render(request, "site/period.html", context)


@require_safe
@public(60 * MINUTE)
def favicon(request: HttpRequest) -> HttpResponse:
    """For whoever asks for the icon at its old address without reading the page."""
    return redirect(static("favicon.svg"))
