"""Loads what letters say from the database: a few queries for a whole chunk of deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from digest.letters import cards, layout, reasons, safe_urls, text
from digest.letters.cards import Card
from digest.letters.compose import Pick
from digest.letters.layout import Issue
from digest.letters.reasons import Reason
from digest.models import Announcement, Delivery, Edition, EditionPaper, Paper
from subscriptions.links.urls import absolute
from subscriptions.models import Subscriber

SHOWN_SOURCES = 3
PAPER_FIELDS = (
    "id", "title", "url", "pdf_url", "code_url", "project_url", "abstract", "authors", "primary_category", "version",
    "published_on", "upvotes", "comments", "is_withdrawn",
)  # fmt: skip


class _PickReasons(NamedTuple):
    """Reasons as read; whether they tell the paper's votes; the day of the letter they are carried over from."""

    reasons: tuple[Reason, ...]
    tells_votes: bool
    carried: str


@dataclass
class Facts:
    """Everything a chunk of letters needs. `issues` by edition id, oldest first."""

    readers: dict[int, Subscriber]
    issues: dict[int, Issue]
    cards: dict[int, Card]
    upvotes: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    windows: dict[tuple[int, int], tuple[Issue, ...]] = field(default_factory=dict)
    _reasons: dict[tuple[object, ...], _PickReasons] = field(default_factory=dict)

    def window(self, since: int, edition: int) -> tuple[Issue, ...]:
        """The editions a letter covers: the named one, and those released before it that came after `since`."""
        key = since, edition
        if key not in self.windows:
            last = self.issues[edition]
            earlier = [issue for issue in self.issues.values() if since < issue.serial < last.serial]
            self.windows[key] = (*earlier, last)
        return self.windows[key]

    def picks(self, rows: Sequence[object]) -> tuple[Pick, ...]:
        """The chosen papers of one ledger row, in order; a paper that is gone is left out."""
        picks: list[Pick] = []
        for row in rows:
            if not isinstance(row, dict):
                continue
            card = self.cards.get(row.get("paper", 0))
            if card is None:
                continue
            found = self._reasons_of(row.get("reasons") or (), card.paper in self.late)
            upvotes = 0
            if found.tells_votes:
                upvotes = self.upvotes.get(card.paper, 0)
            picks.append(Pick(card, found.reasons, upvotes, found.carried))
        return tuple(picks)

    def _reasons_of(self, rows: Sequence[Any], is_late: bool) -> _PickReasons:
        """The reasons of one paper; rows that say the same are read once."""
        try:
            key = (is_late, *[(one["kind"], one["label"], *one["words"]) for one in rows])
            known = self._reasons.get(key)
        except (LookupError, TypeError):  # something odd, which `reasons.read` leaves out
            return _read(rows, is_late)
        if known is None:
            known = self._reasons[key] = _read(rows, is_late)
        return known


def _read(rows: Sequence[object], is_late: bool) -> _PickReasons:
    found = reasons.read(rows)
    labels = {reason.kind: reason.label for reason in reversed(found)}
    if is_late and "late" not in labels:
        found = (Reason("late"), *found)
    return _PickReasons(found, "community" in labels, text.plain(labels.get("carried", ""), 40))


def facts(deliveries: Sequence[Delivery]) -> Facts:
    """What the letters for these deliveries say."""
    readers = Subscriber.objects.in_bulk({delivery.subscriber_id for delivery in deliveries})
    editions = set()
    papers = set()
    for delivery in deliveries:
        editions.add(delivery.edition_id)
        papers.update([row.get("paper") for row in delivery.papers if isinstance(row, dict)])
    since = min((delivery.since for delivery in deliveries), default=0)
    return content(readers, issues(since, editions), [paper for paper in papers if isinstance(paper, int)])


def content(readers: dict[int, Subscriber], issues: dict[int, Issue], papers: Collection[int]) -> Facts:
    """The facts about these papers, as told by these editions."""
    names = sources(papers)
    facts = Facts(readers, issues, {})
    notes = {}
    placements = EditionPaper.objects.filter(paper_id__in=papers, edition_id__in=issues)
    for paper, note, is_late in placements.values_list("paper_id", "note", "is_late_riser"):
        if note:
            notes[paper] = note
        if is_late:
            facts.late.add(paper)
    for row in Paper.objects.filter(pk__in=papers).only(*PAPER_FIELDS):
        facts.cards[row.pk] = card(row, names.get(row.pk, ()), notes.get(row.pk, ""))
        facts.upvotes[row.pk] = row.upvotes or 0
    return facts


def issues(since: int, editions: Iterable[int]) -> dict[int, Issue]:
    """The named editions, and all that were released before them with a serial after `since`; oldest first."""
    named = list(Edition.objects.filter(pk__in=set(editions)))
    newest = max((row.serial or 0 for row in named), default=0)
    earlier = Edition.objects.filter(serial__gt=since, serial__lt=newest).exclude(pk__in=[row.pk for row in named])
    return {row.pk: issue(row) for row in sorted([*earlier, *named], key=lambda row: (row.date, row.pk))}


def issue(edition: Edition) -> Issue:
    """An edition as a letter needs it; its coverage receipt may be of any age or shape."""
    receipt = edition.coverage
    if not isinstance(receipt, dict):
        receipt = {}
    sources = []
    promised = []
    for row in receipt.get("sources") or ():
        if not isinstance(row, dict):
            continue
        name = str(row.get("name") or "")
        if row.get("entries"):
            sources.append(name)
        if row.get("lately") and not row.get("complete"):
            promised.append(name)
    closed_at = ""
    if closed := edition.frozen_at or edition.released_at:
        closed_at = f"{closed:%H:%M}"
    return Issue(
        serial=edition.serial or 0,
        date=edition.date,
        note=edition.note,
        curator=edition.curator,
        looked_at=int(receipt.get("looked_at") or 0),
        sources=tuple(sources),
        missing=tuple(map(str, receipt.get("missing") or ())),
        closed_at=closed_at,
        promised=tuple(promised),
        samples=bool(receipt.get("samples")),
    )


def sources(papers: Collection[int]) -> dict[int, list[str]]:
    """Who announced each paper, first come first."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = Announcement.objects.filter(paper_id__in=papers).order_by("seen_at", "id")
    for paper, name in rows.values_list("paper_id", "source__name"):
        if name not in found[paper]:
            found[paper].append(name)
    return found


def card(paper: Paper, sources: Sequence[str] = (), note: str = "") -> Card:
    """A paper as plain text; whatever its row holds, there is a card. Its link is ours where theirs is unsafe."""
    url = safe_urls.safe(paper.url) or absolute("paper", paper.pk)
    try:
        return _card(paper, url, sources, note)
    except cards.RENDER_ERRORS:
        return cards.title_only(Card(paper.pk, url, paper.title))


def _card(paper: Paper, url: str, sources: Sequence[str], note: str) -> Card:
    note_label = ""
    if note:
        note_label = _("The curator says:")
    return Card(
        paper=paper.pk,
        url=url,
        title=text.plain(paper.title, text.TITLE_CHARS) or _("(untitled)"),
        authors=cards.author_line(list(paper.authors or ())),
        facts=_facts(paper, sources),
        signals=cards.signal_line(paper.upvotes, paper.comments),
        abstract=text.plain(paper.abstract, text.ABSTRACT_CHARS),
        note=text.plain(note, 500),
        note_label=note_label,
        links=cards.links(url, paper.pdf_url, paper.code_url, paper.project_url),
    )


def _facts(paper: Paper, sources: Sequence[str]) -> str:
    """`cs.CL · 3 June 2026 · arXiv, Hugging Face · version 2`."""
    facts = text.plain_list([paper.primary_category], text.NAME_CHARS)
    if paper.published_on:
        facts.append(f"{layout.short_day(paper.published_on)} {paper.published_on.year}")
    if named := text.plain_list(sources[:SHOWN_SOURCES], text.NAME_CHARS):
        facts.append(text.listed(named))
    if paper.version > 1:
        facts.append(_("version %(number)s") % {"number": paper.version})
    if paper.is_withdrawn:
        facts.append(_("withdrawn by its authors"))
    return " · ".join(facts)
