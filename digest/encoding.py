"""The optional sentence encoder at work: each paper is encoded once, when it came in, never while letters go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.conf import settings
from django.db.models import Q

from digest.matching import encoder
from digest.matching.papers import PaperText
from digest.matching.stream import Floats
from digest.models import Meaning, Paper

AT_ONCE = 64
CHUNK = 500


def name() -> str:
    """The encoder's name; "" where none is set. Raises EncoderError where it cannot be used."""
    loaded = encoder.load(settings.ENCODER_FOLDER)
    return loaded.name if loaded else ""


def encode_waiting(most: int = AT_ONCE) -> int:
    """Encode the newest papers that are not encoded yet; how many were. Nothing happens without an encoder."""
    loaded = encoder.load(settings.ENCODER_FOLDER)
    if loaded is None:
        return 0
    waiting = Paper.objects.filter(Q(meaning=None) | ~Q(meaning__encoder=loaded.name), is_withdrawn=False)
    papers = [PaperText(*row) for row in waiting.order_by("-id").values_list("id", "title", "abstract")[:most]]
    rows = loaded.encode([encoder.text_of(paper) for paper in papers])
    Meaning.objects.filter(paper__in=[paper.id for paper in papers]).delete()
    Meaning.objects.bulk_create(
        Meaning(paper_id=paper.id, encoder=loaded.name, row=row.astype(np.float16).tobytes())
        for paper, row in zip(papers, rows, strict=True)
    )
    return len(papers)


def with_meanings(papers: Sequence[PaperText]) -> list[PaperText]:
    """The papers with their rows, where there is an encoder; no query where there is none."""
    if not settings.ENCODER_FOLDER or not papers:
        return list(papers)
    found: dict[int, Floats] = {}
    wanted = [paper.id for paper in papers if paper.id]
    for low in range(0, len(wanted), CHUNK):
        rows = Meaning.objects.filter(paper__in=wanted[low : low + CHUNK], encoder=name())
        for pk, row in rows.values_list("paper_id", "row"):
            found[pk] = np.frombuffer(bytes(row), np.float16).astype(np.float32)
    return [replace(paper, meaning=found.get(paper.id)) for paper in papers]
