"""A paper taken apart: its names and who announced it, and which of them are another paper."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from digest.desk.access import requires
from digest.desk.acts import merge
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages.base import NotThereError, actor_of, edition_of, page
from digest.desk.roles import Right
from digest.models import Paper


@requires(Right.CURATE, post=Right.CURATE)
def split(request: HttpRequest, day: date, paper: int) -> HttpResponse:
    edition = edition_of(day)
    row = Paper.objects.filter(pk=paper, placements__edition=edition).select_related("merged_into").first()
    if row is None:
        raise NotThereError(f"That paper is not in the edition of {edition.date:%-d %B %Y}.")
    row = row.merged_into or row
    problem = ""
    going = request.POST.getlist("name")
    if request.method == "POST":
        try:
            messages.success(request, merge.split(actor_of(request), edition, row, going, timezone.now()))
            return redirect(reverse("desk-triage", args=[day]))
        except CuratingError as error:
            problem = str(error)
    return page(
        request,
        "split.html",
        400 if problem else 200,
        current="papers",
        edition=edition,
        paper=row,
        going=going,
        names=merge.names(row),
        announcements=merge.announcements(row),
        problem=problem,
    )
