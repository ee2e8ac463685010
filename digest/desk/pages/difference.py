"""The dry run of an edition: whose letter the curator's pins and hides change. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.matching import PaperIndex, load
from digest.matching.interest_query import InterestQuery
from digest.matching.paper_text import PaperText
from digest.matching.select import select
from digest.models import Edition, EditionPaper, Paper
from subscriptions.models import Subscriber

COMPARED = 2000  # readers whose letters are compared
MOST_READERS = 10  # of them, those whose change is shown
MOST_PAPERS = 30  # whose gains and losses are shown

Letter = list[int]  # the ids of a letter's papers, in order


@dataclass(frozen=True)
class ChangedLetter:
    """One reader's letter: the titles that come in and go out by the curator's acts; neither means another order."""

    reader: int
    comes: tuple[str, ...]
    goes: tuple[str, ...]


@dataclass(frozen=True)
class MovedPaper:
    """One paper: into how many letters it comes by the curator's acts, and out of how many it goes."""

    title: str
    comes: int
    goes: int


@dataclass(frozen=True)
class Difference:
    """What the curator's acts change: of `compared` readers, `changed` get other papers or another order.

    `papers` are the ones that move most, of `moved` in all.
    """

    compared: int
    changed: int
    all_readers: bool
    examples: tuple[ChangedLetter, ...] = ()
    papers: tuple[MovedPaper, ...] = ()
    moved: int = 0


def difference(edition: Edition, now: datetime) -> Difference:
    """Each reader's letter with the curator's pins and hides, beside the one without them."""
    due = Subscriber.objects.filter(state=Subscriber.State.ACTIVE, next_digest_at__lt=now + timedelta(days=7))
    readers = list(due.order_by("next_digest_at", "pk")[: COMPARED + 1])
    compared = readers[:COMPARED]
    curated = PaperIndex.build(load.papers_of([edition]))
    plain = PaperIndex.build(papers_as_announced(edition))
    wants = load.interests_of([one.pk for one in compared])
    titles = {paper.id: paper.title for paper in (*plain.papers, *curated.papers)}
    letters: list[tuple[Letter, Letter]] = []
    examples: list[ChangedLetter] = []
    for reader in compared:
        before = letter_of(plain, wants[reader.pk], reader)
        after = letter_of(curated, wants[reader.pk], reader)
        if before == after:
            continue
        letters.append((before, after))
        comes = titles_beyond(after, before, titles)
        goes = titles_beyond(before, after, titles)
        examples.append(ChangedLetter(reader.pk, comes, goes))
    moved = moved_papers(letters, titles)
    return Difference(
        compared=len(compared),
        changed=len(letters),
        all_readers=len(readers) <= COMPARED,
        examples=tuple(examples[:MOST_READERS]),
        papers=tuple(moved[:MOST_PAPERS]),
        moved=len(moved),
    )


def letter_of(index: PaperIndex, wants: list[InterestQuery], reader: Subscriber) -> Letter:
    chosen = select(index, wants, reader.papers_per_day, reader.community_picks)
    return [choice.paper for choice in chosen.choices]


def titles_beyond(letter: Letter, other: Letter, titles: dict[int, str]) -> tuple[str, ...]:
    """The titles of the papers that the other letter has not."""
    return tuple(titles[paper] for paper in letter if paper not in other)


def moved_papers(letters: Sequence[tuple[Letter, Letter]], titles: dict[int, str]) -> list[MovedPaper]:
    """Every paper that comes into or goes out of a letter (before, after); those of most letters first."""
    comes: Counter[int] = Counter()
    goes: Counter[int] = Counter()
    for before, after in letters:
        comes.update(set(after).difference(before))
        goes.update(set(before).difference(after))
    papers = [MovedPaper(titles[paper], comes[paper], goes[paper]) for paper in comes.keys() | goes.keys()]
    return sorted(papers, key=lambda paper: (-paper.comes - paper.goes, paper.title))


def papers_as_announced(edition: Edition) -> list[PaperText]:
    """The day's papers as they arrived: nothing pinned, nothing hidden."""
    papers = [replace(paper, pinned=False) for paper in load.papers_of([edition])]
    hidden = EditionPaper.objects.filter(edition=edition, is_hidden=True).values("paper")
    return papers + load.papers_announced(Paper.objects.filter(pk__in=hidden))
