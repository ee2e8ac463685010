"""What the live preview costs: made-up papers spread over 30 days, and what people may type, one after another."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from digest.matching import recent
from digest.matching.index import PaperIndex
from digest.matching.interest_query import DESCRIPTION, FILTER, InterestQuery
from tests.bench import match

ASKED = 300
SAID = 40  # words of a description
LAST = date(2026, 5, 29)


def run(papers: int, seed: int) -> dict[str, Any]:
    """Ask `ASKED` times for one to five filters, every tenth time for a description too; nothing is asked twice."""
    rng = np.random.default_rng(seed)
    words = [match.word(number) for number in range(match.WORDS)]
    texts = match.made_papers(rng, words, papers)
    spread = [replace(one, day=LAST - timedelta(days=number % recent.WINDOW)) for number, one in enumerate(texts)]
    stages = match.Stages()
    day = stages.run("index the window", lambda: PaperIndex.build(spread))
    queries = match.made_queries(rng, words, 3 * ASKED)
    taken, matched = [], 0
    for number in range(ASKED):
        wants = [
            InterestQuery(one, FILTER, one)
            for one in rng.choice(queries, int(rng.integers(1, 6)), replace=False).tolist()
        ]
        if number % 10 == 0:
            wants.append(InterestQuery("description", DESCRIPTION, " ".join(rng.choice(words[50:], SAID).tolist())))
        clock, cpu = time.perf_counter(), time.process_time()
        matched += recent.preview(day.afresh(), wants).month.matched
        taken.append((time.perf_counter() - clock, time.process_time() - cpu))
    wall, own = (1000 * np.quantile(np.array(taken), [0.5, 0.95, 1.0], axis=0)).round(1).T.tolist()
    return {
        "stage": "preview",
        "papers": papers,
        "asked": ASKED,
        "matched": matched,
        "milliseconds": dict(zip(("median", "p95", "most"), wall, strict=True)),
        "cpu_milliseconds": dict(zip(("median", "p95", "most"), own, strict=True)),
        "seconds": stages.seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
