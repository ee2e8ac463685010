"""How many readers a paper would go to, and by which topics: counted before anything is sent, and kept.

A reader counts for a paper if one of their interests finds it and none of their muted ones does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from digest.desk import counters
from digest.matching import PaperIndex
from digest.matching.load import papers_announced
from digest.models import Edition, Paper
from subscriptions import query
from subscriptions.models import Filter, Interest, Subscriber, Topic

Ids = NDArray[np.int64]
EAGER = 20_000  # interests: up to here it is counted when a page is opened
STALE = timedelta(seconds=60)
OFTEN = timedelta(minutes=10)  # how often the tick counts an open edition on a large site


@dataclass(frozen=True, slots=True)
class Reach:
    """`readers` in all; how many by each topic, the most first, and by `words` of their own (one may count twice)."""

    readers: int = 0
    topics: tuple[tuple[str, int], ...] = ()
    words: int = 0


def of(edition: Edition) -> dict[int, Reach]:
    """The kept numbers by paper id."""
    found = counters.read("reach", edition.date)
    words = counters.read("reach by words", edition.date)
    topics: dict[int, list[tuple[str, int]]] = {}
    for key, count in counters.read("reach by topic", edition.date).items():
        paper, _, name = key.partition("|")
        topics.setdefault(int(paper), []).append((name, count))
    return {
        int(paper): Reach(
            count, tuple(sorted(topics.get(int(paper), ()), key=lambda pair: (-pair[1], pair[0]))), words.get(paper, 0)
        )
        for paper, count in found.items()
    }


def fresh(edition: Edition, now: datetime) -> None:
    """For pages: count anew on a small site, and the first time on any."""
    rows = Interest.objects.values_list("pk")[: EAGER + 1]
    last = counters.counted_at_day("reach", edition.date)
    if last is None or (now - last > STALE and len(rows) <= EAGER):
        count(edition, now)


def count(edition: Edition, now: datetime) -> None:
    """Match every distinct filter once, then count readers a paper."""
    day = PaperIndex.build(papers_announced(Paper.objects.filter(placements__edition=edition)))
    found = _places(day)
    wanted, muted = _readers(found, muted=False), _readers(found, muted=True)
    topics = dict(Topic.objects.values_list("filter_id", "name"))
    numbers, by_topic, by_words = {}, {}, {}
    holding: dict[int, list[int]] = {}
    for one, places in found.items():
        for place in places:
            holding.setdefault(place, []).append(one)
    for place, paper in enumerate(day.papers):
        filters = holding.get(place, [])
        against = _holders(filters, muted)
        numbers[str(paper.id)] = _without(_holders(filters, wanted), against)
        words = [one for one in filters if one not in topics]
        by_words[str(paper.id)] = _without(_holders(words, wanted), against)
        by_topic.update(_by_topic(paper.id, filters, topics, wanted, against))
    counters.put("reach", edition.date, numbers, now)
    counters.put("reach by topic", edition.date, by_topic, now)
    counters.put("reach by words", edition.date, {paper: count for paper, count in by_words.items() if count}, now)


def _places(day: PaperIndex) -> dict[int, set[int]]:
    """Which papers each distinct filter finds; those that find none are left out."""
    found = {}
    for pk, text in Filter.objects.values_list("pk", "text").iterator():
        try:
            bits = day.bits(day.tree(text))
        except query.QueryError:
            continue
        if bits:
            found[pk] = set(day.places(bits).tolist())
    return found


def _readers(filters: Iterable[int], muted: bool) -> dict[int, Ids]:
    """The active readers who hold each filter."""
    wanted = set(filters)
    rows = Interest.objects.filter(muted=muted, subscriber__state=Subscriber.State.ACTIVE)
    pairs = np.array(
        [pair for pair in rows.values_list("filter_id", "subscriber_id").iterator() if pair[0] in wanted], np.int64
    ).reshape(-1, 2)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    keys, starts = np.unique(pairs[:, 0], return_index=True)
    parts = np.split(pairs[:, 1], starts[1:])
    return dict(zip(keys.tolist(), parts, strict=False))


def _holders(filters: list[int], held: dict[int, Ids]) -> Ids:
    """Who holds one of `filters`, each once."""
    readers = [held[one] for one in filters if one in held]
    return np.unique(np.concatenate(readers)) if readers else np.empty(0, np.int64)


def _without(readers: Ids, against: Ids) -> int:
    """How many of `readers` are not among `against`."""
    return len(np.setdiff1d(readers, against, assume_unique=True) if len(against) else readers)


def _by_topic(
    paper: int, filters: list[int], topics: dict[int, str], wanted: dict[int, Ids], against: Ids
) -> dict[str, int]:
    """The three topics that bring it to most readers, without those who mute what else it is about."""
    held = [one for one in filters if one in topics and one in wanted]
    counts = Counter({topics[one]: _without(wanted[one], against) for one in held})
    return {f"{paper}|{name}": count for name, count in counts.most_common(3) if count}
