from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.matching import liked_profile
from digest.matching.liked_profile import Liked
from digest.matching.lsa import LsaModel
from digest.matching.serialize import pack_model, pack_profile, unpack_model, unpack_profile
from digest.matching.sparse import SparseRows
from tests.digest.matching.papers import paper

KINDS = {
    "bird": "bird song nest forest wing",
    "star": "star light telescope orbit planet",
    "law": "court judge law case",
}
CORPUS = [
    paper(f"{name} {text.split()[number % 4]}", f"{text} {name} part{number % 7}", authors=(f"Ada {name.title()}",))
    for name, text in KINDS.items()
    for number in range(20)
]
SPACE = LsaModel.build(CORPUS)
VECTORS = SPACE.vectors(CORPUS)
BACKGROUND = liked_profile.Background.of(SPACE, VECTORS)


def fitted(*kinds: tuple[str, float], age: float = 0.0) -> liked_profile.LikedProfile | None:
    liked = [Liked(f"{kind} title", value, age) for kind, value in kinds]
    texts = [paper(f"{kind} {KINDS[kind].split()[0]}", KINDS[kind]) for kind, _ in kinds]
    return liked_profile.fit(liked, SPACE.vectors(texts), BACKGROUND)


def mean_by_kind(profile: liked_profile.LikedProfile) -> dict[str, float]:
    scores = liked_profile.scores(profile, VECTORS)
    return {name: float(scores[20 * number : 20 * number + 20].mean()) for number, name in enumerate(KINDS)}


def test_liked_kinds_rise_and_disliked_ones_sink() -> None:
    profile = fitted(("bird", 1.0), ("law", -1.0))
    assert profile is not None
    means = mean_by_kind(profile)
    assert means["bird"] > means["star"] > means["law"]


def test_what_was_liked_long_ago_counts_less() -> None:
    liked = [Liked("bird title", 1.0, age=900), Liked("star title", 1.0, age=0)]
    texts = [paper(f"{kind} x", KINDS[kind]) for kind in ("bird", "star")]
    profile = liked_profile.fit(liked, SPACE.vectors(texts), BACKGROUND)
    assert profile is not None
    means = mean_by_kind(profile)
    assert means["star"] > means["bird"]


def test_nothing_liked_is_no_profile() -> None:
    assert fitted(("bird", -1.0)) is None
    assert liked_profile.fit([], SPACE.vectors([]), BACKGROUND) is None


def test_the_resembled_paper_and_the_telling_words_are_named() -> None:
    profile = fitted(("bird", 1.0), ("star", 1.0))
    assert profile is not None
    assert liked_profile.nearest(profile, VECTORS, 25) == "star title"
    assert {"star", "telescope", "orbit"} & set(liked_profile.top_features(profile, VECTORS, 25, list(SPACE.features)))


def test_only_a_few_of_many_papers_reach_the_threshold() -> None:
    profile = fitted(("bird", 1.0))
    assert profile is not None
    assert 0 < (liked_profile.scores(profile, VECTORS) > profile.threshold).sum() <= 3


def test_space_and_taste_survive_their_bytes() -> None:
    profile = fitted(("bird", 1.0))
    assert profile is not None
    space, kept = unpack_model(pack_model(SPACE)), unpack_profile(pack_profile(profile))
    assert space.features == SPACE.features
    assert kept.titles == profile.titles
    again = liked_profile.scores(kept, space.vectors(CORPUS))
    assert np.allclose(again, liked_profile.scores(profile, VECTORS), atol=0.05)


def test_the_same_corpus_gives_the_same_space() -> None:
    assert np.array_equal(LsaModel.build(CORPUS).basis, SPACE.basis)


@pytest.mark.parametrize(
    "papers", [[], [paper("", "")], [paper("only one", "of its kind")]], ids=["none", "blank", "one"]
)
def test_a_corpus_of_next_to_nothing_is_a_space_all_the_same(papers: list) -> None:
    space = LsaModel.build(papers)
    assert len(space.vectors(CORPUS[:2])) == 2
    assert np.isfinite(space.vectors(CORPUS[:2]).dense).all()


@pytest.mark.thorough
@given(
    st.lists(st.dictionaries(st.integers(0, 7), st.floats(-2, 2, width=32), max_size=8), max_size=9),
    st.integers(1, 3),
)
def test_sparse_rows_multiply_like_the_matrix_they_are(rows: list[dict[int, float]], depth: int) -> None:
    dense = np.zeros((len(rows), 8), np.float32)
    for number, row in enumerate(rows):
        for column, value in row.items():
            dense[number, column] = value
    packed = [
        (np.array(sorted(row), np.int32), np.array([row[one] for one in sorted(row)], np.float32)) for row in rows
    ]
    sparse = SparseRows.of(packed, 8)
    matrix = np.random.default_rng(1).standard_normal((8, depth)).astype(np.float32)
    assert np.allclose(sparse.times_matrix(matrix), dense @ matrix, atol=1e-4)
    assert np.allclose(sparse.times(matrix[:, 0].copy()), dense @ matrix[:, 0], atol=1e-4)
    assert np.allclose(
        sparse.transposed().times_matrix(np.ones((len(rows), 1), np.float32))[:, 0], dense.sum(0), atol=1e-4
    )


@given(st.lists(st.integers(0, 59), min_size=1, max_size=12), st.integers(1, 60))
def test_only_the_features_that_can_weigh_most_are_looked_at_and_none_is_missed(places: list[int], kept: int) -> None:
    """The quick way against the plain one: subtract the mean from every feature, keep the weightiest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(liked_profile, "KEPT_FEATURES", kept)
        rows = VECTORS.taken(places).sparse
        columns, weights = BACKGROUND.less(rows.columns, rows.values)
        plain = np.bincount(rows.columns, rows.values, minlength=rows.width) - SPACE.mean
        weightiest = np.sort(np.abs(plain))[::-1][:kept]
        assert np.allclose(np.sort(np.abs(weights))[::-1], weightiest, atol=1e-5)
        assert np.allclose(weights, plain[columns], atol=1e-5)
        row = np.zeros(rows.width, np.float32)
        row[columns] = weights
        assert np.allclose(BACKGROUND.scores(columns, weights), VECTORS.sparse.times(row), atol=1e-4)
