"""What matching costs: made-up papers, filters and readers of a chosen size, and each stage timed. No real names."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from digest.matching.index import PaperIndex
from digest.matching.interest_query import FILTER, InterestQuery
from digest.matching.paper_text import PaperText
from digest.matching.select import select
from subscriptions.query import canonical, parse

LIMIT = 15
WORDS = 12_000
ABSTRACT_WORDS = 160
SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "la",
    "me",
    "ni",
    "po",
    "ru",
    "sa",
    "te",
    "vi",
    "xo",
    "zu",
    "kra",
    "ble",
    "tri",
)
INSERTED_AT_ONCE = 250_000
Made = TypeVar("Made")


@dataclass(frozen=True)
class Readers:
    """Interests as columns, a reader's together: reader *i* holds rows `starts[i]` up to `starts[i + 1]`."""

    starts: NDArray[np.int64]
    query: NDArray[np.int32]
    weight: NDArray[np.float32]
    muted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass
class Stages:
    """Seconds of each stage: by the clock, and of this process's own work."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    def run(self, name: str, work: Callable[[], Made]) -> Made:
        clock, cpu = time.perf_counter(), time.process_time()
        made = work()
        self.seconds[name] = round(time.perf_counter() - clock, 3)
        self.cpu[name] = round(time.process_time() - cpu, 3)
        return made


def run(subscribers: int, papers: int, filters: int, seed: int) -> dict[str, Any]:
    """Match `subscribers` readers with some four interests each against `papers`, best 15 with reasons."""
    rng = np.random.default_rng(seed)
    vocabulary = [word(number) for number in range(WORDS)]
    texts, queries = made_papers(rng, vocabulary, papers), made_queries(rng, vocabulary, filters)
    stages = Stages()
    with connection.cursor() as cursor:
        _fill(cursor, rng, subscribers, len(queries))
        day = stages.run("index the papers", lambda: PaperIndex.build(texts))
        trees = stages.run("read the filters", lambda: [parse(query) for query in queries])
        stages.run("match the filters", lambda: [day.bits(tree) for tree in trees])
        stages.run("rank each filter's papers", lambda: [day.answer(query) for query in queries])
        readers = stages.run("read the interests", lambda: _read(cursor))
        cursor.execute("DROP TABLE bench_interest")
    chosen = stages.run(f"choose the best {LIMIT}, with reasons", lambda: _choose(day, queries, readers))
    return {
        "stage": "match",
        "database": connection.vendor,
        "subscribers": subscribers,
        "papers": papers,
        "filters": len(queries),
        "interests": len(readers.query),
        "chosen": chosen,
        "seconds": stages.seconds,
        "cpu_seconds": stages.cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _choose(day: PaperIndex, queries: list[str], readers: Readers) -> int:
    """How many papers are chosen, in the way of `planning`: community picks, exploration and reasons in words too."""
    starts, asked = readers.starts.tolist(), readers.query.tolist()
    weights, mutes = readers.weight.tolist(), readers.muted.tolist()
    chosen = 0
    for low, high in pairwise(starts):
        wants = [InterestQuery("", FILTER, queries[asked[at]], weights[at], mutes[at]) for at in range(low, high)]
        chosen += len(select(day, wants, LIMIT, community=True, explore=True).choices)
    return chosen


def word(number: int) -> str:
    """A made-up word, a different one for each number."""
    made = ""
    for _ in range(3):
        number, place = divmod(number, len(SYLLABLES))
        made += SYLLABLES[place]
    return made + (SYLLABLES[number % len(SYLLABLES)] if number else "")


def _drawn(rng: np.random.Generator, many: int) -> NDArray[np.int64]:
    """Word numbers as language has them: few very common, many rare (Zipf)."""
    return np.minimum(rng.zipf(1.25, many) - 1, WORDS - 1)


def made_papers(rng: np.random.Generator, vocabulary: list[str], many: int) -> list[PaperText]:
    texts = []
    for number in range(many):
        drawn = [vocabulary[place] for place in _drawn(rng, ABSTRACT_WORDS + 10)]
        texts.append(PaperText(number + 1, " ".join(drawn[:10]), " ".join(drawn[10:])))
    return texts


def made_queries(rng: np.random.Generator, vocabulary: list[str], many: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < many:
        one, two, three = (vocabulary[place] for place in rng.integers(8, WORDS // 8, 3))
        shapes = [
            one,
            f"{one} OR {two}",
            f"{one} {two}",
            f'"{one} {two}" OR {three}',
            f"title:{one} OR ({two} -{three})",
        ]
        shapes.append(f"{one[:5]}*")
        found[canonical(shapes[int(rng.integers(len(shapes)))])] = None
    return list(found)


def _fill(cursor: Any, rng: np.random.Generator, subscribers: int, queries: int) -> None:
    """A temporary table with the columns of interests that matching reads."""
    columns = "subscriber_id integer, filter_id integer, weight real, muted boolean"
    cursor.execute("DROP TABLE IF EXISTS bench_interest")
    cursor.execute(f"CREATE TEMPORARY TABLE bench_interest ({columns})")
    counts = rng.integers(1, 7, subscribers)
    owner = np.repeat(np.arange(subscribers), counts)
    asked = np.minimum(rng.zipf(1.2, len(owner)) - 1, queries * 50) % queries
    rows = np.unique(np.stack([owner, asked], axis=1), axis=0)
    muted = rng.random(len(rows)) < 0.02
    for low in range(0, len(rows), INSERTED_AT_ONCE):
        span = slice(low, low + INSERTED_AT_ONCE)
        _insert(cursor, rows[span], muted[span])


def _insert(cursor: Any, rows: NDArray[np.int64], muted: NDArray[np.bool_]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy("COPY bench_interest FROM STDIN") as copy:
            for (owner, asked), mute in zip(rows.tolist(), muted.tolist(), strict=True):
                copy.write_row((owner, asked, 1.0, mute))
        return
    values = [(owner, asked, 1.0, mute) for (owner, asked), mute in zip(rows.tolist(), muted.tolist(), strict=True)]
    cursor.executemany("INSERT INTO bench_interest VALUES (%s, %s, %s, %s)", values)


_PACKED = (
    "SELECT string_agg(int4send(subscriber_id) || int4send(filter_id) || float4send(weight)"
    " || int4send(muted::int), ''::bytea) FROM bench_interest GROUP BY subscriber_id / 50000"
)


def _read(cursor: Any) -> Readers:
    """All interests as columns. PostgreSQL packs blocks of them into bytes, so no row becomes a Python object."""
    if connection.vendor == "postgresql":
        cursor.execute(_PACKED)
        packed = b"".join(bytes(block) for (block,) in cursor.fetchall())
        rows = np.frombuffer(
            packed, np.dtype([("owner", ">i4"), ("asked", ">i4"), ("weight", ">f4"), ("muted", ">i4")])
        )
        owner, asked = rows["owner"].astype(np.int32), rows["asked"].astype(np.int32)
        weight, muted = rows["weight"].astype(np.float32), rows["muted"] != 0
    else:
        cursor.execute("SELECT subscriber_id, filter_id, weight, muted FROM bench_interest")
        columns = np.array(cursor.fetchall(), np.float64).reshape(-1, 4)
        owner, asked = columns[:, 0].astype(np.int32), columns[:, 1].astype(np.int32)
        weight, muted = columns[:, 2].astype(np.float32), columns[:, 3] != 0
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner))])
    return Readers(starts, asked[order], weight[order], muted[order])
