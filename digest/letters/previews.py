"""Letters that are only looked at: what a reader would get, for curators, commands and tests of the mail backend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import uuid4

from django.db.models import Exists, OuterRef

from digest.letters import letters, links, load
from digest.matching import PaperIndex
from digest.matching.interest_query import InterestQuery
from digest.matching.load import interests_of, papers_of
from digest.matching.select import select, to_json
from digest.models import Delivery, Edition, EditionPaper
from subscriptions import addresses, query
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Interest, Subscriber, Topic

TEST = "[Test] "  # before the subject of a letter that is sent to be looked at


class PreviewError(ValueError):
    """There is nothing to show; the message says what to do."""


def reader(email: str) -> Subscriber:
    """The subscriber with this address. Raises PreviewError."""
    try:
        key = addresses.canonical(email)
    except addresses.AddressError as error:
        raise PreviewError(str(error)) from error
    found = Subscriber.objects.filter(email_key=key).first()
    if found is None:
        raise PreviewError("Nobody subscribed with this address. Use --interest to preview without a reader.")
    return found


def stranger(email: str = "preview@example.org") -> Subscriber:
    """A reader who is in no list."""
    return Subscriber(uuid=uuid4(), email=email, papers_per_day=10)


def edition(day: date | None = None) -> Edition:
    """The edition of `day`, else the newest that has papers, released or not. Raises PreviewError."""
    known = Edition.objects.order_by("-date")
    if day is None:
        filled = EditionPaper.objects.filter(edition=OuterRef("pk"))
        found = known.filter(Exists(filled)).first()
        if found is None:
            raise PreviewError("There is no edition with papers yet. Pull, then release.")
        return found
    found = known.filter(date=day).first()
    if found is None:
        hint = "There is none yet: pull, then release."
        if newest := known.first():
            hint = f"The newest is {newest.date}."
        raise PreviewError(f"There is no edition of {day}. {hint}")
    return found


def queries(interests: Sequence[str]) -> list[InterestQuery]:
    """Queries, or slugs of topics, as interests. Raises PreviewError with the query's own complaint."""
    found = []
    for text in interests:
        topic = Topic.objects.select_related("filter").filter(slug=text).first()
        if topic is not None:
            found.append(InterestQuery(topic.name, Interest.Kind.TOPIC, topic.filter.text))
            continue
        try:
            found.append(InterestQuery(text, Interest.Kind.FILTER, query.canonical(text)))
        except query.QueryError as error:
            raise PreviewError(f"{text!r}, column {error.column}: {error.message}") from error
    return found


def queries_or_own(subscriber: Subscriber, interests: Sequence[str]) -> list[InterestQuery]:
    """The interests given, else those of the reader."""
    if interests or subscriber.pk is None:
        return queries(interests)
    return interests_of([subscriber.pk])[subscriber.pk]


def preview(
    subscriber: Subscriber, wanted: Sequence[InterestQuery], of: Edition, now: datetime, mark: str = ""
) -> Letter:
    """The letter that `subscriber` would get of this one edition for these interests, with `mark` before its subject.

    Nothing is stored.
    """
    papers = PaperIndex.build(papers_of([of]))
    chosen = select(papers, wanted, subscriber.papers_per_day, community=subscriber.community_picks)
    row = Delivery(papers=to_json(chosen), matched=chosen.matched)
    return _letter(row, subscriber, of, now, mark)


def sample(subscriber: Subscriber, of: Edition, now: datetime, mark: str = "") -> Letter:
    """A letter with the first papers of the edition, whatever they are about."""
    papers = papers_of([of])[: subscriber.papers_per_day]
    rows = [{"paper": paper.id, "score": 0.0, "reasons": []} for paper in papers]
    return _letter(Delivery(papers=rows, matched=len(rows)), subscriber, of, now, mark)


def _letter(row: Delivery, subscriber: Subscriber, of: Edition, now: datetime, mark: str) -> Letter:
    row.edition, row.subscriber_id, row.since = of, subscriber.pk, of.serial or 0
    facts = load.content({}, {of.pk: load.issue(of)}, [one["paper"] for one in row.papers])
    return letters.Writer(facts, now).letter(row, subscriber, links.preview(), mark=mark)
