"""What the reader's own pages show of this room: what some wishes would have brought, letters so far, today's now.

It answers `subscriptions.signals`; the pages know nothing of editions or deliveries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.db.models.functions import Least
from django.dispatch import receiver
from django.urls import reverse

from digest.delivery.accounts import why
from digest.letters import links
from digest.matching import profiles
from digest.matching import recent as matching_preview
from digest.matching.interest_query import DESCRIPTION, InterestQuery
from digest.matching.paper_text import PaperText
from digest.matching.select import Choice
from digest.models import Delivery, Edition, Skip
from subscriptions import questions, signals
from subscriptions.bibliography import Reference
from subscriptions.links import urls
from subscriptions.models import Subscriber
from subscriptions.wants.interests import Wish
from subscriptions.when import schedule

MOST_NAMED = 200
MOST_TITLES = 12_000  # characters, as a description
LETTERS_SHOWN = 30
AUTHORS_SHOWN = 3


@receiver(signals.previewing)
def preview(
    wishes: Sequence[Wish], description: str = "", liked: Sequence[Reference] = (), **_: Any
) -> questions.Preview:
    """What the wishes would have brought out of the editions of the newest week and the 30 days up to it."""
    day = matching_preview.window()
    wants = [InterestQuery(wish.label, wish.kind, wish.canonical, wish.weight, wish.muted) for wish in wishes]
    if description.strip():
        wants.append(InterestQuery("your description", DESCRIPTION, description.strip()))
    if titles := _titles(liked):
        wants.append(InterestQuery("papers you named", DESCRIPTION, titles))
    found = matching_preview.over(day, wants)
    papers = {choice.paper: choice for choice in found.choices if choice.reasons}
    texts = {paper.id: paper for paper in day.papers if paper.id in papers}
    return questions.Preview(
        week=_span(found.week),
        month=_span(found.month),
        by_day=tuple(found.by_day.items()),
        tallies={
            "" if want.query == titles else want.query: _tally(one)
            for want, one in zip(wants, found.tallies, strict=True)
        },
        papers=[_paper(texts[pk], choice) for pk, choice in papers.items()],
    )


def _titles(liked: Sequence[Reference]) -> str:
    """The titles of papers that a visitor named, as one text; a stored paper has its own title.

    What the letters go by is learnt by night from all words; this is a first guess that costs a visitor no waiting.
    """
    some = liked[:MOST_NAMED]
    stored = profiles.known({one.identifier for one in some}) if some else {}
    titles = (stored[one.identifier].title if one.identifier in stored else one.title for one in some)
    return ". ".join(title for title in titles if title)[:MOST_TITLES]


def _span(one: matching_preview.Span) -> questions.Span:
    return questions.Span(one.days, one.looked_at, one.matched, one.a_day)


def _tally(one: matching_preview.Tally) -> questions.Tally:
    return questions.Tally(one.of_week, one.found, one.advice)


def _paper(paper: PaperText, choice: Choice) -> questions.PreviewPaper:
    why = ", ".join(dict.fromkeys(reason.label for reason in choice.reasons))
    return questions.PreviewPaper(
        title=paper.title,
        url=reverse("paper", args=[paper.id]),
        authors=_names(paper.authors),
        day=paper.day or date.min,
        why=why,
    )


def _names(authors: Sequence[str]) -> str:
    """The first three, and how many follow."""
    more = len(authors) - AUTHORS_SHOWN
    return ", ".join(authors[:AUTHORS_SHOWN]) + (f" and {more} more" if more > 0 else "")


@receiver(signals.locating_feed)
def feed(topic: str, query: str, **_: Any) -> str:
    """Where an interest can be followed by a feed reader."""
    if topic:
        return urls.absolute("topic_feed", topic, "atom")
    return f"{urls.absolute('search_feed', 'atom')}?{urlencode({'q': query})}"


# -- letters so far -------------------------------------------------------------------------------


@receiver(signals.history)
def history(subscriber: Subscriber, now: datetime, **_: Any) -> list[questions.Letter]:
    """The newest letters, and the days on which there was none, with the reason."""
    rows = subscriber.deliveries.select_related("edition", "subscriber").order_by("-planned_at")[:LETTERS_SHOWN]
    skips = Skip.objects.filter(subscriber=subscriber).order_by("-local_date")[:LETTERS_SHOWN]
    lines = [_letter(row) for row in rows]
    lines += [replace(_line(why.of_skip(skip)), at=skip.at) for skip in skips]
    return sorted(lines, key=lambda line: (line.day, line.at or now), reverse=True)[:LETTERS_SHOWN]


@receiver(signals.explaining)
def today(subscriber: Subscriber, now: datetime, **_: Any) -> questions.Letter:
    """What became of the reader's present day."""
    return _line(why.why(subscriber, schedule.local_date(subscriber.zone, now), now))


def _letter(row: Delivery) -> questions.Letter:
    line = _line(why.of_letter(row))
    if row.state == Delivery.State.SKIPPED:
        return replace(line, at=row.settled_at)
    url = links.letter_url(row) if row.papers else ""
    return replace(line, at=row.settled_at, papers=len(row.papers), url=url)


def _line(answer: why.Answer) -> questions.Letter:
    return questions.Letter(answer.day, None, answer.to_reader, answer.tone)


# -- today's now ------------------------------------------------------------------------------------


@receiver(signals.wanting_now)
def make_due(subscriber: Subscriber, now: datetime, **_: Any) -> str:
    """Let the reader be due at once for the newest edition; the next sweep plans and sends it."""
    newest = Edition.objects.filter(state=Edition.State.RELEASED).order_by("-serial").first()
    if newest is None or newest.serial is None:
        return "No edition is out yet. The first one comes to you at your hour."
    letter = Delivery.objects.filter(subscriber=subscriber, edition=newest).first()
    if letter and letter.state == Delivery.State.SKIPPED:
        return "None of the newest papers matched what you asked for. The next letter comes at your hour."
    if letter:
        return "The newest letter was made for you already. The next one comes at your hour."
    rows = Subscriber.objects.filter(pk=subscriber.pk, state=Subscriber.State.ACTIVE)
    rows.update(cursor=Least(F("cursor"), newest.serial - 1), next_digest_at=now)
    return "It is on its way, and should be in your inbox in a minute or two."
