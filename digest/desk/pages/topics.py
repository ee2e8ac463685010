"""Topics: what each brings, and changing, retiring and merging them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from digest.desk import counters
from digest.desk.access import requires
from digest.desk.acts import topic_acts
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts, topic_numbers
from digest.desk.pages.base import act, actor_of, page
from digest.desk.roles import Right
from subscriptions import query
from subscriptions.models import Topic

FORM = ("name", "group", "description", "query", "is_active")


@requires(Right.VIEW)
def topics(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    counters.fresh(now)
    return page(
        request, "topics.html", current="topics", lines=topic_numbers.lines(now.date()), days=topic_numbers.DAYS
    )


@requires(Right.CURATE, post=Right.CURATE)
def new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Topic(is_active=True))


@requires(Right.VIEW, post=Right.CURATE)
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _edit(request, get_object_or_404(Topic, slug=slug))


def _edit(request: HttpRequest, row: Topic) -> HttpResponse:
    """One form for a new and a known topic; “Try it” shows what the words find before they are kept."""
    form = {name: str(getattr(row, name)) for name in FORM}
    form["is_active"] = "yes" if row.is_active else ""
    problem = ""
    if request.method == "POST":
        form = {name: request.POST.get(name, "") for name in FORM}
    if request.method == "POST" and request.POST.get("do") != "try":
        try:
            kept = topic_acts.write(actor_of(request), row, form, timezone.now())
        except CuratingError as error:
            problem = str(error)
        else:
            messages.success(request, f"{kept.name} is kept.")
            return redirect("desk-topic", kept.slug)
    return _form(request, row, form, problem)


def _form(request: HttpRequest, row: Topic, form: dict[str, str], problem: str) -> HttpResponse:
    today = timezone.now().date()
    trial: topic_numbers.Trial | None = None
    if request.method != "POST" and row.pk:
        trial = topic_numbers.kept(row, today)
    elif form["query"].strip():
        before = row.filter.text if row.pk else ""
        try:
            trial = topic_numbers.tried(form["query"], today, before)
        except query.QueryError as error:
            problem = problem or f"{error.message} (column {error.column})"
    days: list[tuple[str, dict[str, int]]] = []
    if trial is not None:
        days = [(f"{day:%-d %b}", {"papers": count}) for day, count in trial.counts]
    overlaps: list[tuple[str, int]] = []
    if row.pk:
        overlaps = topic_numbers.overlaps(row, today)
    shared = dict(overlaps)
    others = list(Topic.objects.filter(is_active=True).exclude(pk=row.pk).order_by("name"))
    others.sort(key=lambda topic: -shared.get(topic.slug, 0))
    return page(
        request,
        "topic.html",
        400 if problem else 200,
        current="topics",
        topic=row,
        form=form,
        problem=problem,
        chart=charts.stacked("Papers a day", ("papers",), days),
        trial=trial,
        overlaps=overlaps,
        names=dict(Topic.objects.filter(slug__in=shared).values_list("slug", "name")),
        readers=counters.read("topic readers", today).get(row.slug, 0),
        others=[(topic, shared.get(topic.slug, 0)) for topic in others],
    )


@requires(get=False, post=Right.CURATE)
def merge(request: HttpRequest, slug: str) -> HttpResponse:
    """First asked what it means, then done: it cannot be taken back."""
    row = get_object_or_404(Topic, slug=slug)
    into = get_object_or_404(Topic, slug=request.POST.get("into", ""))
    now = timezone.now()
    if request.POST.get("sure") == "yes":
        done = f"{row.name} is retired; its readers have {into.name} now."
        return act(request, done, reverse("desk-topics"), topic_acts.merge, row, into, now)
    counters.fresh(now)
    readers = counters.read("topic readers", now.date())
    shared = dict(topic_numbers.overlaps(row, now.date()))
    return page(
        request,
        "topic_merge.html",
        current="topics",
        topic=row,
        into=into,
        days=topic_numbers.DAYS,
        readers=readers.get(row.slug, 0),
        of_into=readers.get(into.slug, 0),
        shared=shared.get(into.slug, 0),
    )
