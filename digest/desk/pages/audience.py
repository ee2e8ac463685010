"""How many readers a paper would go to, and by which topics: counted before anything is sent, and kept.

A reader counts for a paper if one of their interests finds it and none of their muted ones does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
OFTEN = timedelta(minutes=10)  # how often the timetable counts an open edition on a large site
MOST_TOPICS = 3  # of a paper that are kept, those with the most readers


@dataclass(frozen=True, slots=True)
class Reach:
    """`readers` in all; how many by each topic, the most first, and by `words` of their own (one may count twice)."""

    readers: int = 0
    topics: tuple[tuple[str, int], ...] = ()
    words: int = 0


def of(edition: Edition) -> dict[int, Reach]:
    """The kept numbers by paper id."""
    words = counters.read("reach by words", edition.date)
    topics: dict[str, list[tuple[str, int]]] = {}
    for key, count in counters.read("reach by topic", edition.date).items():
        paper, _, name = key.partition("|")
        topics.setdefault(paper, []).append((name, count))
    found = {}
    for paper, readers in counters.read("reach", edition.date).items():
        by_topic = sorted(topics.get(paper, []), key=lambda pair: (-pair[1], pair[0]))
        found[int(paper)] = Reach(readers, tuple(by_topic), words.get(paper, 0))
    return found


def fresh(edition: Edition, now: datetime) -> None:
    """For pages: count anew on a small site, and the first time on any."""
    last = counters.counted_at("reach", edition.date)
    if last is not None and now - last <= STALE:
        return
    rows = Interest.objects.values_list("pk")[: EAGER + 1]
    if last is None or len(rows) <= EAGER:
        count(edition, now)


def count(edition: Edition, now: datetime) -> None:
    """Match every distinct filter once, then count readers a paper."""
    index = PaperIndex.build(papers_announced(Paper.objects.filter(placements__edition=edition)))
    filters = filters_by_place(index)
    used = set().union(*filters.values())
    wanted = readers_by_filter(used, muted=False)
    muted = readers_by_filter(used, muted=True)
    topics = dict(Topic.objects.values_list("filter_id", "name"))
    numbers: counters.Numbers = {}
    by_topic: counters.Numbers = {}
    by_words: counters.Numbers = {}
    for place, paper in enumerate(index.papers):
        found = filters.get(place, [])
        against = holders(found, muted)
        words = [one for one in found if one not in topics]
        by_words[str(paper.id)] = count_without(holders(words, wanted), against)
        numbers[str(paper.id)] = count_without(holders(found, wanted), against)
        names: Counter[str] = Counter()
        for one in found:
            if one in topics and one in wanted:
                names[topics[one]] = count_without(wanted[one], against)
        for name, readers in names.most_common(MOST_TOPICS):
            by_topic[f"{paper.id}|{name}"] = readers
    counters.put("reach", edition.date, numbers, now)
    counters.put("reach by topic", edition.date, positive(by_topic), now)
    counters.put("reach by words", edition.date, positive(by_words), now)


def positive(numbers: counters.Numbers) -> counters.Numbers:
    return {key: value for key, value in numbers.items() if value}


def filters_by_place(index: PaperIndex) -> dict[int, list[int]]:
    """The ids of the filters that find the paper at each place of the index."""
    found: dict[int, list[int]] = {}
    for pk, text in Filter.objects.values_list("pk", "text").iterator():
        try:
            bits = index.bits(index.tree(text))
        except query.QueryError:
            continue
        for place in index.places(bits).tolist():
            found.setdefault(place, []).append(pk)
    return found


def readers_by_filter(filters: Collection[int], muted: bool) -> dict[int, Ids]:
    """The active readers who hold each of the filters."""
    rows = Interest.objects.filter(muted=muted, subscriber__state=Subscriber.State.ACTIVE)
    found: dict[int, list[int]] = {}
    for pk, reader in rows.values_list("filter_id", "subscriber_id").iterator():
        if pk in filters:
            found.setdefault(pk, []).append(reader)
    return {pk: np.array(readers, np.int64) for pk, readers in found.items()}


def holders(filters: Sequence[int], readers: Mapping[int, Ids]) -> Ids:
    """The readers who hold one of `filters`, each once."""
    found = [readers[one] for one in filters if one in readers]
    if not found:
        return np.empty(0, np.int64)
    return np.unique(np.concatenate(found))


def count_without(readers: Ids, against: Ids) -> int:
    """How many of `readers` are not among `against`."""
    if not len(against):
        return len(readers)
    return len(np.setdiff1d(readers, against, assume_unique=True))
