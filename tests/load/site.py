"""Fills an empty database with an archive and readers, and prints addresses to put load on.

    DATABASE_URL=postgresql://… python -m tests.load.site --papers 50000 --readers 100000

Words follow Zipf's law over a made-up vocabulary, so common and rare words cost what they cost in real text.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
NEWEST = date(2026, 6, 3)
A_DAY = 250
AREAS = ["cs.CL", "cs.LG", "cs.CV", "cs.RO", "stat.ML", "math.ST", "q-bio.BM", "astro-ph.GA"]
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu", "ka"]


def vocabulary() -> tuple[list[str], list[float]]:
    """20,000 made-up words, and how often each is used: the same in every run."""
    dice = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < 20_000:
        found["".join(dice.choices(SYLLABLES, k=dice.randint(2, 4)))] = None
    return list(found), [1 / (rank + 10) for rank in range(20_000)]


def texts(dice: random.Random, length: int) -> Iterator[str]:
    words, weights = vocabulary()
    totals = list(accumulate(weights))
    while True:
        yield " ".join(dice.choices(words, cum_weights=totals, k=length))


def fill(papers: int, readers: int, seed: int) -> None:
    from digest import search
    from digest.models import Announcement, Edition, EditionPaper, Paper, Source
    from subscriptions.models import Subscriber

    dice = random.Random(seed)
    titles, abstracts = texts(dice, 9), texts(dice, 170)
    source = Source.objects.create(slug="load", name="A source", kind="arxiv")
    for start in range(0, papers, A_DAY):
        day = NEWEST - timedelta(days=start // A_DAY)
        now = datetime.combine(day, time(6), UTC)
        rows = [
            Paper(
                identifier=f"arxiv:{start + n}",
                arxiv_id=f"{start + n}",
                url=f"https://arxiv.org/abs/{start + n}",
                title=next(titles).capitalize(),
                abstract=next(abstracts).capitalize() + ".",
                authors=[f"Name {dice.randrange(9_000)}" for _ in range(dice.randint(1, 9))],
                categories=[area := dice.choice(AREAS)],
                primary_category=area,
                published_on=day,
                upvotes=dice.choice([None, None, None, dice.randrange(90)]),
                first_seen_at=now,
                updated_at=now,
            )
            for n in range(min(A_DAY, papers - start))
        ]
        made = Paper.objects.bulk_create(rows)
        edition = Edition.objects.create(
            date=day, state="released", serial=1 + (papers - start) // A_DAY, released_at=now, frozen_at=now
        )
        EditionPaper.objects.bulk_create(
            EditionPaper(edition=edition, paper=row, position=at, is_pinned=at < 2) for at, row in enumerate(made)
        )
        Announcement.objects.bulk_create(Announcement(paper=row, source=source, day=day, seen_at=now) for row in made)
    search.refresh()
    now = datetime.combine(NEWEST, time(6), UTC)
    every = (
        Subscriber(email=f"r{n}@example.org", email_key=f"r{n}@example.org", state="active", created_at=now)
        for n in range(readers)
    )
    while some := list(islice(every, 5_000)):
        Subscriber.objects.bulk_create(some)


def addresses(seed: int, count: int) -> list[str]:
    """Searches as people make them: one word, two words, a phrase, a field, a sentence; rare and common ones."""
    dice = random.Random(seed)
    words, weights = vocabulary()
    some = [dice.choices(words, weights, k=5) for _ in range(count)]
    shapes = ["{0}", "{0}+{1}", "{0}+OR+{1}", "title:{0}", "%22{0}+{1}%22", "{0}+-{1}+cat:cs", "{0}+{1}+{2}+{3}+{4}"]
    return [
        f"/search/?q={shapes[n % len(shapes)].format(*found)}&by={('relevance', 'date')[n % 2]}"
        for n, found in enumerate(some)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--papers", type=int, default=50_000)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--addresses", type=int, default=0, help="fill nothing, print so many searches")
    asked = parser.parse_args()
    django.setup()
    if asked.addresses:
        print("\n".join(addresses(asked.seed, asked.addresses)))
    else:
        fill(asked.papers, asked.readers, asked.seed)


if __name__ == "__main__":
    main()
