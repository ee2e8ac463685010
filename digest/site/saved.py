"""A reader's saved papers: the list, and the same as BibTeX and RIS. The link from the letter is the permission."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from digest.letters import citations, links, load
from digest.letters.citations import Reference
from digest.models import Saved
from digest.site import paper_rows
from digest.site.letters import reader_of
from subscriptions.links import link_sessions
from subscriptions.models import Subscriber

MOST = 2_000
FORMATS = {
    "bib": ("application/x-bibtex; charset=utf-8", citations.bibtex),
    "ris": ("application/x-research-info-systems; charset=utf-8", citations.ris),
}


@csrf_exempt
@link_sessions.private
@require_http_methods(["GET", "HEAD", "POST"])
def saved(request: HttpRequest, token: str) -> HttpResponse:
    """The list, newest first; POST takes one paper off it."""
    reader = reader_of("saved", token)
    if request.method == "POST":
        number = request.POST.get("paper", "")
        if number.isdecimal():
            Saved.objects.filter(subscriber=reader, paper_id=int(number[:18])).delete()
    papers = [{"card": load.card(row.paper), "at": row.at} for row in _saved(reader)]
    context = {"papers": papers, "start": f"/s/{token}/", "feed": links.feed_url(reader)}
    response = render(request, "site/saved.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@link_sessions.private
@require_safe
def export(request: HttpRequest, token: str, form: str) -> HttpResponse:
    """The list as a file; `form` is bib or ris."""
    content_type, write = FORMATS[form]
    response = HttpResponse(write(references(reader_of("saved", token))), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="saved-papers.{form}"'
    return response


def references(reader: Subscriber) -> list[Reference]:
    """A reader's saved papers as citations, newest first."""
    return [paper_rows.reference(row.paper) for row in _saved(reader)]


def _saved(reader: Subscriber) -> QuerySet[Saved]:
    return Saved.objects.filter(subscriber=reader).select_related("paper").order_by("-at", "-id")[:MOST]
