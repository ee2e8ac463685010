"""The ONNX way of the encoder, really run on a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digest.matching import PaperIndex, embeddings, liked_profile, onnx_encoder, profiles
from digest.matching.load import interests_of, papers_of
from digest.matching.select import select
from digest.models import PaperEmbedding, StoredLsaModel
from subscriptions.wants import liked_papers
from tests import make
from tests.digest.matching import tiny_model

NOW = make.NOW
BIRDS = {word: [1.0, 0.0, 0.0] for word in ("bird", "nest", "wing", "feather")}
STONES = {word: [0.0, 1.0, 0.0] for word in ("stone", "cloud", "river", "pavement")}


@pytest.fixture(autouse=True)
def nothing_loaded_before() -> Iterator[None]:
    onnx_encoder.load.cache_clear()
    profiles._space.cache_clear()
    yield
    onnx_encoder.load.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_model.write(tmp_path, BIRDS | STONES)
    return tmp_path


def test_texts_become_the_mean_of_their_words_rows_of_length_one(folder: Path) -> None:
    model = onnx_encoder.load(str(folder))
    assert model is not None
    rows = model.encode(["bird", "Bird stone", "bird bird stone stone river cloud nest wing"])
    half = np.sqrt(0.5)
    assert rows == pytest.approx(np.array([[1, 0, 0], [half, half, 0], [half, half, 0]]), abs=1e-6)
    assert model.name == f"onnx:{folder.name}"
    assert rows.dtype == np.float32


def test_padding_beside_a_longer_text_and_other_batches_change_no_row(folder: Path) -> None:
    model = onnx_encoder.load(str(folder))
    assert model is not None
    texts = [" ".join(["wing", "river", "nest"][: 1 + n % 3] * (1 + n % 7)) for n in range(onnx_encoder.BATCH + 9)]
    together = model.encode(texts)
    alone = np.concatenate([model.encode([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-6)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)


def test_an_empty_text_and_one_of_very_many_words_have_a_row_too(folder: Path) -> None:
    model = onnx_encoder.load(str(folder))
    assert model is not None
    empty, long = model.encode(["", "bird " * onnx_encoder.MOST_TOKENS + "stone " * 5000])
    assert np.isfinite(empty).all()
    assert long == pytest.approx([1, 0, 0], abs=1e-6), "what stands behind the most tokens is cut"
    assert model.encode([]).shape[0] == 0


def breaking(folder: Path, what: str) -> None:
    model, words = folder / "model.onnx", folder / "tokenizer.json"
    if what == "noise":
        model.write_bytes(b"\x00\xffnot a model")
    elif what == "empty":
        model.write_bytes(b"")
    elif what == "cut":
        model.write_bytes(model.read_bytes()[:-40])
    elif what == "another axis":
        tiny_model.write(folder, BIRDS, axis=1)
    elif what == "fewer words":
        model.write_bytes(tiny_model.graph(np.ones((1, 3), np.float32)))
    elif what == "no numbers":
        model.write_bytes(tiny_model.graph(np.full((20, 3), np.nan, np.float32)))
    elif what == "no tokenizer":
        words.unlink()
    else:
        words.write_text('{"version": "1.0"')


BROKEN = ["noise", "empty", "cut", "another axis", "fewer words", "no numbers", "no tokenizer", "half a tokenizer"]


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_model_is_refused_with_what_to_do(what: str, folder: Path) -> None:
    breaking(folder, what)
    with pytest.raises(onnx_encoder.EncoderError, match=r"The encoder in .*leave ENCODER_FOLDER empty") as refused:
        onnx_encoder.load(str(folder))
    assert "\n" not in str(refused.value)
    assert str(folder) not in str(refused.value), "the message names the folder, not the machine's paths"


@pytest.mark.thorough
@pytest.mark.django_db
def test_likes_reach_a_paper_that_shares_no_word_by_a_real_model(settings: Any, folder: Path) -> None:
    settings.ENCODER_FOLDER = str(folder)
    words = [*list(BIRDS)[:3], *list(STONES)[:3]]
    papers = [make.paper(f"The {words[n % 6]} of {n}", abstract=f"about {words[n % 6]} p{n % 3}") for n in range(40)]
    assert embeddings.encode_waiting() == 40
    assert PaperEmbedding.objects.filter(encoder=f"onnx:{folder.name}").count() == 40
    reader = make.subscriber()
    liked_papers.like(reader, papers[0].arxiv_id, NOW)
    profiles.refit(NOW)
    assert StoredLsaModel.objects.get().encoder == f"onnx:{folder.name}"
    new = [make.paper("pavement", abstract="pavement pavement"), make.paper("feather", abstract="feather feather")]
    embeddings.encode_waiting()
    day = PaperIndex.build(papers_of([make.edition(papers=new)]))
    learned = interests_of([reader.pk])[reader.pk][0].learned
    assert learned is not None
    stones, birds = liked_profile.scores(learned.taste, learned.space.vectors(day.papers))
    assert birds > 0 > stones


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["noise", "no tokenizer"])
def test_with_a_broken_model_letters_still_go(
    what: str, settings: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    breaking(folder, what)
    settings.ENCODER_FOLDER = str(folder)
    papers = [make.paper(f"Birds {n}", abstract=f"bird song {n % 4}") for n in range(40)]
    reader = make.subscriber(queries=["bird"])
    liked_papers.like(reader, papers[0].arxiv_id, NOW)
    assert embeddings.encode_waiting() == 0
    assert profiles.refit(NOW).readers == 1
    new = [make.paper("A bird", abstract="bird song"), make.paper("Pavement", abstract="roads")]
    day = PaperIndex.build(papers_of([make.edition(papers=new)]))
    chosen = select(day, interests_of([reader.pk])[reader.pk], 5, community=False).choices
    assert [one.paper for one in chosen] == [new[0].pk]
    assert "going on without an encoder" in caplog.text
