"""Builders for letters: ledger rows with papers and reasons, without planning or matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digest.letters import cards, layout, parts
from digest.models import Delivery, Edition, Paper
from subscriptions.models import Subscriber
from tests import make

SPEECH = {"kind": "topic", "label": "Speech", "words": ["speech", "asr"]}
COVERAGE = {
    "sources": [{"slug": "arxiv-cs-cl", "name": "arXiv cs.CL", "outcome": "ok", "entries": 812}],
    "looked_at": 812,
    "missing": [],
}


def rows(papers: Sequence[Paper], reasons: Sequence[dict[str, Any]] = (SPEECH,)) -> list[dict[str, Any]]:
    return [{"paper": paper.pk, "score": 1.0, "reasons": list(reasons)} for paper in papers]


def delivery(
    papers: Sequence[Paper] = (), reader: Subscriber | None = None, edition: Edition | None = None, **fields: Any
) -> Delivery:
    """A pending row that covers one edition with these papers, each there for the topic Speech."""
    reader = reader or make.subscriber()
    edition = edition or make.edition(papers=list(papers), coverage=COVERAGE)
    values = {
        "papers": rows(papers),
        "matched": len(papers),
        "since": (edition.serial or 1) - 1,
        "local_date": edition.date,
        "due_at": make.NOW,
        "next_at": make.NOW,
        "planned_at": make.NOW,
        "address_hmac": "0" * 64,
    } | fields
    return Delivery.objects.create(edition=edition, subscriber=reader, **values)


def forget() -> None:
    """Drop every piece of a letter that was kept: templates, words or the look have changed."""
    kept: list[Any] = [
        cards.stylesheet,
        layout.rendered,
        parts.card,
        parts.line,
        parts.reasons,
        parts.contents,
        parts.carried,
    ]
    for one in kept:
        one.cache_clear()
