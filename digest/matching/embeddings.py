"""The optional sentence encoder at work: each paper is encoded once, when it came in, never while letters go out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.conf import settings
from django.db.models import Q

from digest.matching import onnx_encoder
from digest.matching.paper_text import PaperText
from digest.matching.postings import Floats
from digest.models import Paper, PaperEmbedding, StoredLsaModel

log = logging.getLogger(__name__)

AT_ONCE = 64
CHUNK = 500


def usable() -> onnx_encoder.OnnxEncoder | None:
    """The encoder that is set; None, with a warning in the log, where its folder cannot be used."""
    try:
        return onnx_encoder.load(settings.ENCODER_FOLDER)
    except onnx_encoder.EncoderError as error:
        log.warning("going on without an encoder: %s", error)
        return None


def encode_waiting(most: int = AT_ONCE) -> int:
    """Encode the newest papers that are not encoded yet; how many were. Nothing happens without an encoder."""
    loaded = usable()
    if loaded is None:
        return 0
    waiting = Paper.objects.filter(Q(meaning=None) | ~Q(meaning__encoder=loaded.name), is_withdrawn=False)
    papers = [PaperText(*row) for row in waiting.order_by("-id").values_list("id", "title", "abstract")[:most]]
    rows = loaded.encode([onnx_encoder.text_of(paper) for paper in papers])
    PaperEmbedding.objects.filter(paper__in=[paper.id for paper in papers]).delete()
    PaperEmbedding.objects.bulk_create(
        PaperEmbedding(paper_id=paper.id, encoder=loaded.name, row=row.astype(np.float16).tobytes())
        for paper, row in zip(papers, rows, strict=True)
    )
    return len(papers)


def with_embeddings(papers: Sequence[PaperText], name: str = "") -> list[PaperText]:
    """The papers with their rows of the encoder `name`, else of the newest landscape's; the encoder is not loaded.

    No query where none is set.
    """
    if not settings.ENCODER_FOLDER or not papers:
        return list(papers)
    name = name or StoredLsaModel.objects.order_by("-pk").values_list("encoder", flat=True).first() or ""
    if not name:
        return list(papers)
    found: dict[int, Floats] = {}
    wanted = [paper.id for paper in papers if paper.id]
    for low in range(0, len(wanted), CHUNK):
        rows = PaperEmbedding.objects.filter(paper__in=wanted[low : low + CHUNK], encoder=name)
        for pk, row in rows.values_list("paper_id", "row"):
            found[pk] = np.frombuffer(bytes(row), np.float16).astype(np.float32)
    return [replace(paper, meaning=found.get(paper.id)) for paper in papers]
