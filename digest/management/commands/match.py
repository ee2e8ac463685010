"""`manage.py match QUERY`: what a query finds in an edition, in the last days, or in all that is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from digest.matching import PaperIndex, PaperText
from digest.matching.load import papers_announced, papers_of
from digest.models import Edition, Paper
from subscriptions import commands, query
from subscriptions.commands import UsageError


class Command(commands.Command):
    help = "Show which papers a query finds, best first, and why. Default: the newest edition."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("query", help='in the filter language, such as: "protein folding" OR cat:q-bio.*')
        window = parser.add_mutually_exclusive_group()
        window.add_argument("--date", type=commands.day, help="the edition of this day")
        window.add_argument("--days", type=int, help="the editions of the last N days, ending with the newest")
        window.add_argument("--all", action="store_true", help="every paper that is stored")
        parser.add_argument("--limit", type=int, default=20, help="how many papers to show (default 20)")

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            tree = query.parse(options["query"])
        except query.QueryError as error:
            raise UsageError(str(error)) from error
        if options["limit"] < 0 or (options["days"] is not None and options["days"] < 1):
            raise UsageError("--limit must be 0 or more, --days 1 or more.")
        day = PaperIndex.build(_papers(options))
        hits = day.ranked(tree)
        papers = []
        for place, score in zip(hits.places.tolist()[: options["limit"]], hits.scores.tolist(), strict=False):
            papers.append(_line(day, tree, place, score))
        return {
            "query": query.format(tree),
            "count": len(hits),
            "papers": papers,
        }

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['count']} papers match {answer['query']}")
        for paper in answer["papers"]:
            self.stdout.write(f"{paper['score']:7.2f}  {paper['identifier']}  {paper['title']}")
            self.stdout.write(f"         why: {', '.join(paper['why'])}")


def _papers(options: dict[str, Any]) -> list[PaperText]:
    if options["all"]:
        return papers_announced(Paper.objects.all())
    editions = Edition.objects.order_by("-date")
    if options["date"]:
        editions = editions.filter(date=options["date"])
        if not editions.exists():
            raise UsageError(f"There is no edition of {options['date']}. `--all` looks through everything.")
        return papers_of(editions)
    newest = editions.filter(date__lte=timezone.now().date()).first()
    if newest is None:
        return []
    since = newest.date - timedelta(days=(options["days"] or 1) - 1)
    return papers_of(editions.filter(date__range=(since, newest.date)))


def _line(day: PaperIndex, tree: query.Node, place: int, score: float) -> dict[str, Any]:
    paper = day.papers[place]
    return {
        "identifier": paper.identifier,
        "title": paper.title,
        "score": round(score, 3),
        "why": list(day.words(tree, place)),
    }
