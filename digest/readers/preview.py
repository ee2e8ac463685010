"""What wishes that are not stored yet would have brought in the last weeks, for the pages that show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.urls import reverse

from digest.matching import profiles, recent
from digest.matching.interest_query import DESCRIPTION, InterestQuery
from digest.matching.paper_text import PaperText
from digest.matching.select import Choice
from subscriptions.bibliography import Reference
from subscriptions.questions import Preview, PreviewPaper
from subscriptions.wants.interests import Wish

MOST_NAMED = 200
MOST_TITLES = 12_000  # characters, as a description
AUTHORS_SHOWN = 3


def preview(wishes: Sequence[Wish], description: str = "", liked: Sequence[Reference] = ()) -> Preview:
    """What the wishes would have brought out of the editions of the newest week and the 30 days up to it."""
    wants = [InterestQuery(wish.label, wish.kind, wish.canonical, wish.weight, wish.muted) for wish in wishes]
    keys = [wish.canonical for wish in wishes]
    if description.strip():
        wants.append(InterestQuery("your description", DESCRIPTION, description.strip()))
        keys.append(description.strip())
    if titles := _titles(liked):
        wants.append(InterestQuery("papers you named", DESCRIPTION, titles))
        keys.append("")
    day = recent.window()
    found = recent.preview(day, wants)
    texts = {paper.id: paper for paper in day.papers}
    return Preview(
        week=found.week,
        month=found.month,
        by_day=tuple(found.by_day.items()),
        tallies=dict(zip(keys, found.tallies, strict=True)),
        papers=[_paper(texts[choice.paper], choice) for choice in found.choices if choice.reasons],
    )


def _titles(liked: Sequence[Reference]) -> str:
    """The titles of papers that a visitor named, as one text; a stored paper has its own title.

    A profile of all their words is fitted by night; the titles alone cost a visitor no waiting.
    """
    stored = profiles.known({one.identifier for one in liked[:MOST_NAMED]})
    titles = []
    for one in liked[:MOST_NAMED]:
        paper = stored.get(one.identifier)
        title = paper.title if paper else one.title
        if title:
            titles.append(title)
    return ". ".join(titles)[:MOST_TITLES]


def _paper(paper: PaperText, choice: Choice) -> PreviewPaper:
    authors = ", ".join(paper.authors[:AUTHORS_SHOWN])
    if len(paper.authors) > AUTHORS_SHOWN:
        authors += f" and {len(paper.authors) - AUTHORS_SHOWN} more"
    labels = dict.fromkeys(reason.label for reason in choice.reasons)
    url = reverse("paper", args=[paper.id])
    return PreviewPaper(paper.title, url, authors, paper.day or date.min, ", ".join(labels))
