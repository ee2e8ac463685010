"""What the nightly refit costs: made-up papers, readers who like ten of them each, and each stage timed."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Any

import numpy as np

from digest.matching import liked_profile
from digest.matching.liked_profile import Background, Liked, LikedProfile
from digest.matching.lsa import LsaModel, Vectors
from digest.matching.paper_text import PaperText
from digest.matching.serialize import pack_profile
from tests.bench import match

LIKES = 10
SHARED = 2_000
CHUNK = 500


def run(subscribers: int, papers: int, seed: int) -> dict[str, Any]:
    """Fit and pack the profiles of `subscribers` readers who like ten of `papers` each. The database is left out."""
    rng = np.random.default_rng(seed)
    texts = match.made_papers(rng, [match.word(number) for number in range(match.WORDS)], papers)
    liked = rng.integers(0, papers, (subscribers, min(LIKES, papers)))
    stages = match.Stages()
    space = stages.run("build the space", lambda: LsaModel.build(texts))
    shared = space.vectors(texts[:SHARED])
    background = stages.run("make the background ready", lambda: Background.of(space, shared))
    profiles: list[bytes] = []
    spent: list[match.Stages] = []
    for low in range(0, subscribers, CHUNK):
        parts = match.Stages()
        profiles += _fitted(parts, space, texts, liked[low : low + CHUNK], background)
        spent.append(parts)
    for name in spent[0].seconds:
        stages.seconds[name] = round(sum(one.seconds[name] for one in spent), 3)
        stages.cpu[name] = round(sum(one.cpu[name] for one in spent), 3)
    by_clock = sum(sum(one.seconds.values()) for one in spent)
    return {
        "stage": "refit",
        "subscribers": subscribers,
        "papers": papers,
        "profiles": len(profiles),
        "bytes_a_profile": sum(map(len, profiles)) // max(1, len(profiles)),
        "readers_a_second": round(subscribers / max(1e-9, by_clock)),
        "seconds": stages.seconds,
        "cpu_seconds": stages.cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _fitted(
    parts: match.Stages, space: LsaModel, texts: Sequence[PaperText], chunk: Any, background: Background
) -> list[bytes]:
    rows = parts.run("read what was liked", lambda: _read(space, texts, chunk))
    fitted = parts.run("fit", lambda: [_fit(texts, one, row, background) for one, row in rows])
    return parts.run("pack", lambda: [pack_profile(one) for one in fitted if one is not None])


def _read(space: LsaModel, texts: Sequence[PaperText], chunk: Any) -> list[tuple[list[int], Vectors]]:
    """The vectors of what each reader of a chunk liked; a paper that several liked is read once."""
    distinct, place = np.unique(chunk, return_inverse=True)
    vectors = space.vectors([texts[number] for number in distinct.tolist()])
    held = place.reshape(chunk.shape).tolist()
    return [(one, vectors.taken(row)) for one, row in zip(chunk.tolist(), held, strict=True)]


def _fit(
    texts: Sequence[PaperText], liked: Sequence[int], rows: Vectors, background: Background
) -> LikedProfile | None:
    return liked_profile.fit([Liked(texts[number].title) for number in liked], rows, background)
