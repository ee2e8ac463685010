"""What letters say, out of the database: a few queries for a whole chunk of deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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


class _Said(NamedTuple):
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
    _said: dict[tuple[object, ...], _Said] = field(default_factory=dict)

    def window(self, since: int, edition: int) -> tuple[Issue, ...]:
        """The editions a letter covers: the named one, and those released before it that came after `since`."""
        key = since, edition
        if key not in self.windows:
            last = self.issues[edition]
            earlier = [issue for issue in self.issues.values() if since < issue.serial < last.serial]
            self.windows[key] = (*earlier, last)
        return self.windows[key]

    def picks(self, rows: Sequence[Any]) -> tuple[Pick, ...]:
        """The chosen papers of one ledger row, in order; a paper that is gone is left out."""
        picks: list[Pick] = []
        for row in rows:
            if isinstance(row, dict) and (card := self.cards.get(row.get("paper", 0))):
                said = self._reasons(row.get("reasons") or (), card.paper in self.late)
                upvotes = self.upvotes.get(card.paper, 0) if said.tells_votes else 0
                picks.append(Pick(card, said.reasons, upvotes, said.carried))
        return tuple(picks)

    def _reasons(self, rows: Sequence[Any], is_late: bool) -> _Said:
        """The reasons of one paper; rows that say the same are read once."""
        try:
            key = (is_late, *[(one["kind"], one["label"], *one["words"]) for one in rows])
            known = self._said.get(key)
        except (LookupError, TypeError):  # something odd, which `reasons.read` leaves out
            return _read(rows, is_late)
        if known is None:
            known = self._said[key] = _read(rows, is_late)
        return known


def _read(rows: Sequence[Any], is_late: bool) -> _Said:
    said = reasons.read(rows)
    if is_late and all(reason.kind != "late" for reason in said):
        said = (Reason("late"), *said)
    carried = next((reason.label for reason in said if reason.kind == "carried"), "")
    return _Said(said, any(reason.kind == "community" for reason in said), text.plain(carried, 40))


def facts(deliveries: Sequence[Delivery]) -> Facts:
    """What the letters for these deliveries say."""
    readers = Subscriber.objects.in_bulk({delivery.subscriber_id for delivery in deliveries})
    wanted = {row.get("paper") for d in deliveries for row in d.papers if isinstance(row, dict)}
    since = min((delivery.since for delivery in deliveries), default=0)
    found = issues(since, {delivery.edition_id for delivery in deliveries})
    return content(readers, found, [paper for paper in wanted if isinstance(paper, int)])


def content(readers: dict[int, Subscriber], issues: dict[int, Issue], wanted: Iterable[int]) -> Facts:
    """The facts about these papers, as told by these editions."""
    papers = list(Paper.objects.filter(pk__in=set(wanted)).only(*PAPER_FIELDS))
    ids = [paper.pk for paper in papers]
    names = sources(ids)
    notes, late = _placements(ids, list(issues))
    made = {paper.pk: card(paper, names.get(paper.pk, ()), notes.get(paper.pk, "")) for paper in papers}
    return Facts(readers, issues, made, {paper.pk: paper.upvotes or 0 for paper in papers}, late)


def issues(since: int, editions: Iterable[int]) -> dict[int, Issue]:
    """The named editions, and all that were released before them with a serial after `since`; oldest first."""
    named = Edition.objects.filter(pk__in=set(editions))
    newest = max((row.serial or 0 for row in named), default=0)
    earlier = Edition.objects.filter(serial__gt=since, serial__lt=newest)
    rows = {row.pk: row for row in (*earlier, *named)}
    return {row.pk: issue(row) for row in sorted(rows.values(), key=lambda row: (row.date, row.pk))}


def issue(edition: Edition) -> Issue:
    """An edition as a letter needs it; its coverage receipt may be of any age or shape."""
    receipt = edition.coverage if isinstance(edition.coverage, dict) else {}
    rows = [row for row in receipt.get("sources") or () if isinstance(row, dict)]
    closed = edition.frozen_at or edition.released_at
    return Issue(
        serial=edition.serial or 0,
        date=edition.date,
        note=edition.note,
        curator=edition.curator,
        looked_at=int(receipt.get("looked_at") or 0),
        sources=tuple(str(row.get("name") or "") for row in rows if row.get("entries")),
        missing=tuple(str(name) for name in receipt.get("missing") or ()),
        closed_at=f"{closed:%H:%M}" if closed else "",
        promised=tuple(str(row.get("name") or "") for row in rows if row.get("lately") and not row.get("complete")),
        samples=bool(receipt.get("samples")),
    )


def sources(papers: Sequence[int]) -> dict[int, list[str]]:
    """Who announced each paper, first come first."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = Announcement.objects.filter(paper_id__in=papers).order_by("seen_at", "id")
    for paper, name in rows.values_list("paper_id", "source__name"):
        if name not in found[paper]:
            found[paper].append(name)
    return found


def _placements(papers: Sequence[int], editions: Sequence[int]) -> tuple[dict[int, str], set[int]]:
    """The curator's words on single papers, and the late risers."""
    rows = EditionPaper.objects.filter(paper_id__in=papers, edition_id__in=editions)
    notes, late = {}, set()
    for paper, note, is_late in rows.values_list("paper_id", "note", "is_late_riser"):
        if note:
            notes[paper] = note
        if is_late:
            late.add(paper)
    return notes, late


def card(paper: Paper, sources: Sequence[str] = (), note: str = "") -> Card:
    """A paper in words fit to print; whatever its row holds, there is a card."""
    try:
        return _card(paper, sources, note)
    except cards.SPOILS:
        return cards.bare(Card(paper.pk, _address(paper), paper.title))


def _card(paper: Paper, sources: Sequence[str], note: str) -> Card:
    url = _address(paper)
    return Card(
        paper=paper.pk,
        url=url,
        title=text.plain(paper.title, text.TITLE_CHARS) or _("(untitled)"),
        authors=cards.author_line(list(paper.authors or ())),
        facts=_facts(paper, sources),
        signals=cards.signal_line(paper.upvotes, paper.comments),
        abstract=text.plain(paper.abstract, text.ABSTRACT_CHARS),
        note=text.plain(note, 500),
        note_label=_("The curator says:") if note else "",
        links=cards.links(url, paper.pdf_url, paper.code_url, paper.project_url),
    )


def _address(paper: Paper) -> str:
    """The publisher's page, or ours where theirs is no address to follow."""
    return safe_urls.safe(paper.url) or absolute("paper", paper.pk)


def _facts(paper: Paper, sources: Sequence[str]) -> str:
    """`cs.CL · 3 June 2026 · arXiv, Hugging Face · version 2`."""
    day = f"{layout.short_day(paper.published_on)} {paper.published_on.year}" if paper.published_on else ""
    named = text.listed([text.plain(name, text.NAME_CHARS) for name in sources[:SHOWN_SOURCES]])
    version = _("version %(number)s") % {"number": paper.version} if paper.version > 1 else ""
    withdrawn = _("withdrawn by its authors") if paper.is_withdrawn else ""
    parts = [text.plain(paper.primary_category, text.NAME_CHARS), day, named, version, withdrawn]
    return " · ".join(part for part in parts if part)
