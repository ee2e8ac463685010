from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digest.matching import PaperIndex, PaperText, embeddings, liked_profile, onnx_encoder, profiles
from digest.matching.load import interests_of, papers_of
from digest.matching.lsa import LsaModel
from digest.matching.select import select
from digest.models import PaperEmbedding, StoredLsaModel
from subscriptions.wants import liked_papers
from tests import make

NOW = make.NOW
BIRDS = {"bird", "sparrow", "nest", "wing", "feather", "song"}


class Ornithologist:
    """An encoder that only knows whether a text speaks of birds, by whatever word."""

    name = "test:birds"

    def encode(self, texts: Sequence[str]) -> Any:
        return np.array(
            [[1.0, 0.0] if BIRDS & set(text.lower().replace(".", " ").split()) else [0.0, 1.0] for text in texts],
            np.float32,
        )


@pytest.fixture(autouse=True)
def no_landscape_of_another_test() -> None:
    profiles._space.cache_clear()


@pytest.fixture
def encoded(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ENCODER_FOLDER = "somewhere"
    monkeypatch.setattr(onnx_encoder, "load", lambda folder: Ornithologist() if folder else None)


def library() -> list[Any]:
    words = ["bird", "sparrow", "nest", "wing", "stone", "cloud", "river", "bridge"]
    return [
        make.paper(f"The {words[n % 8]} of number {n}", abstract=f"about {words[n % 8]} p{n % 3}") for n in range(40)
    ]


@pytest.mark.django_db
def test_each_paper_is_encoded_once(encoded: None) -> None:
    library()
    assert embeddings.encode_waiting(most=30) == 30
    assert embeddings.encode_waiting(most=30) == 10
    assert embeddings.encode_waiting() == 0
    assert PaperEmbedding.objects.filter(encoder="test:birds").count() == 40


@pytest.mark.django_db
def test_without_an_encoder_nothing_happens_and_nothing_is_asked(django_assert_num_queries: Any) -> None:
    papers = [PaperText(1, "a")]
    with django_assert_num_queries(0):
        assert embeddings.encode_waiting() == 0
        assert embeddings.with_embeddings(papers) == papers
        assert embeddings.usable() is None


@pytest.mark.django_db
def test_likes_reach_papers_that_share_a_meaning_and_no_word(encoded: None) -> None:
    papers = library()
    embeddings.encode_waiting()
    reader = make.subscriber()
    liked_papers.like(reader, papers[0].arxiv_id, NOW)
    profiles.refit(NOW)
    assert StoredLsaModel.objects.get().encoder == "test:birds"
    new = [make.paper("feather", abstract="unheard words"), make.paper("pavement", abstract="other sayings")]
    embeddings.encode_waiting()
    day = PaperIndex.build(papers_of([make.edition(papers=new)]))
    learned = interests_of([reader.pk])[reader.pk][0].learned
    assert learned is not None
    scores = liked_profile.scores(learned.taste, learned.space.vectors(day.papers))
    assert scores[0] > scores[1]
    assert select(day, interests_of([reader.pk])[reader.pk], 5) is not None


def test_a_paper_not_encoded_yet_is_matched_by_its_words() -> None:
    papers = [PaperText(n, f"bird {n % 4}", "song nest", meaning=np.array([1, 0], np.float32)) for n in range(40)]
    space = LsaModel.build(papers, encoder="x")
    assert np.isfinite(space.vectors([PaperText(99, "bird song")]).dense).all()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "no model.onnx"),
        (["model.onnx"], "needs onnxruntime"),
        (["modules.json"], "Export the model to ONNX"),
    ],
    ids=["empty", "onnx", "no export"],
)
def test_a_folder_that_cannot_be_used_says_what_is_missing(
    files: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(onnx_encoder, "find_spec", lambda name: None)
    onnx_encoder.load.cache_clear()
    with pytest.raises(onnx_encoder.EncoderError, match=words):
        onnx_encoder.load(str(tmp_path))


@pytest.mark.django_db
def test_a_broken_encoder_costs_no_letter_and_is_said_in_the_log(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ENCODER_FOLDER = str(tmp_path)
    onnx_encoder.load.cache_clear()
    papers = library()
    liked_papers.like(make.subscriber(), papers[0].arxiv_id, NOW)
    assert embeddings.encode_waiting() == 0
    assert profiles.refit(NOW).readers == 1
    assert len(papers_of([make.edition(papers=papers[:3])])) == 3
    assert "going on without an encoder" in caplog.text


@pytest.mark.django_db
def test_matching_reads_rows_and_never_loads_the_encoder(encoded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    papers = library()
    embeddings.encode_waiting()
    profiles.refit(NOW)
    monkeypatch.setattr(onnx_encoder, "load", lambda folder: pytest.fail("the encoder was loaded"))
    (read,) = papers_of([make.edition(papers=papers[:1])])
    assert read.meaning is not None
