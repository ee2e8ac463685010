"""How fast letters are written: the fast way against the plain one, on made-up readers, no two letters the same."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from digest.letters import letters, load
from digest.letters.layout import Issue
from digest.letters.load import Facts
from digest.models import Delivery, Paper
from subscriptions.mail import outgoing
from subscriptions.models import Subscriber

NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
A_LETTER = 15
TOPICS = 60
PLAIN_SAMPLE = 300
CHUNK = 500
WORDS = "model data speech graph vision robot proof cell gene star field agent code risk noise flow".split()  # noqa: SIM905


def measure(readers: int, papers: int, seed: int = 1) -> dict[str, Any]:
    """Letters a second of CPU for both ways, in one run; sizes in bytes."""
    chance = random.Random(seed)
    facts = _facts(readers, papers, chance)
    rows = [_row(n, papers, chance) for n in range(readers)]
    writer = letters.Writer(facts, NOW)
    fast, size = _timed(lambda: sum(len(writer.own(row, with_bytes=True).raw) for row in rows))
    few = rows[:PLAIN_SAMPLE]
    plain, _ = _timed(lambda: _plain(facts, few))
    return {
        "letters": readers,
        "papers": papers,
        "papers_a_letter": min(A_LETTER, papers),
        "letters_cpu_seconds": round(fast, 3),
        "letters_per_second": round(readers / fast),
        "plain_letters_per_second": round(len(few) / plain),
        "bytes_per_letter": size // max(readers, 1),
        "times_faster": round(readers / fast / (len(few) / plain), 1),
    }


def _timed(run: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds, and what `run` answered."""
    began = time.process_time()
    answer = run()
    return max(time.process_time() - began, 1e-9), answer


def _plain(facts: Facts, rows: Sequence[Delivery]) -> int:
    """The same letters through Django's mail API."""
    writer, size = letters.Writer(facts, NOW), 0
    for row in rows:
        size += len(outgoing.as_message(writer.own(row, with_parts=True)).message().as_bytes())
    return size


def _facts(readers: int, papers: int, chance: random.Random) -> Facts:
    people = {n: _reader(n, chance) for n in range(readers)}
    made = {n: load.card(_paper(n, chance), ["arXiv cs.LG"]) for n in range(papers)}
    issue = Issue(1, date(2026, 6, 3), looked_at=papers, sources=("arXiv cs.LG",), closed_at="05:30")
    return Facts(people, {1: issue}, made, dict.fromkeys(range(papers), 3))


def _reader(number: int, chance: random.Random) -> Subscriber:
    identity = UUID(int=chance.getrandbits(128))
    return Subscriber(pk=number, uuid=identity, email=f"reader{number}@example.org", confirmed_at=NOW, created_at=NOW)


def _paper(number: int, chance: random.Random) -> Paper:
    said = [" ".join(chance.choices(WORDS, k=18)).capitalize() + "." for _ in range(8)]
    return Paper(
        pk=number,
        url=f"https://arxiv.org/abs/2606.{number:05d}",
        pdf_url=f"https://arxiv.org/pdf/2606.{number:05d}",
        title=f"{' '.join(chance.choices(WORDS, k=9)).capitalize()} {number}",
        abstract=" ".join(said),
        authors=[f"Author {chance.randrange(900)}" for _ in range(5)],
        primary_category="cs.LG",
        published_on=date(2026, 6, 3),
    )


def _row(number: int, papers: int, chance: random.Random) -> Delivery:
    """A ledger row as the database gives it: its JSON is parsed anew."""
    chosen = [
        {"paper": paper, "score": 1.0, "reasons": [_reason(paper, chance)]}
        for paper in chance.sample(range(papers), min(A_LETTER, papers))
    ]
    row = Delivery(pk=number, uuid=UUID(int=chance.getrandbits(128)), edition_id=1, subscriber_id=number)
    row.papers, row.matched, row.since = json.loads(json.dumps(chosen)), 15 + number % 40, 0
    return row


def _reason(paper: int, chance: random.Random) -> dict[str, Any]:
    """A reader's topic finds the same words in a paper every time, as matching does."""
    topic = chance.randrange(TOPICS)
    return {"kind": "topic", "label": f"Topic {topic}", "words": [WORDS[(paper + topic) % 16], WORDS[topic % 16]]}
