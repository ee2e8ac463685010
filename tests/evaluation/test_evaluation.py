from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.digest.matching.papers import paper
from tests.evaluation import collections, measures, recipes
from tests.evaluation.__main__ import main

GOOD = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("scores", "auc", "ndcg"),
    [([4, 2, 3, 1], 1.0, 1.0), ([1, 3, 2, 4], 0.0, 0.570642), ([1, 1, 1, 1], 0.5, 0.919721)],
)
def test_an_order_is_measured_as_the_books_say(scores: list[float], auc: float, ndcg: float) -> None:
    values = np.array(scores, float)
    assert measures.auc(values, GOOD) == pytest.approx(auc)
    assert measures.ndcg(values, GOOD) == pytest.approx(ndcg, abs=1e-5)
    assert measures.precision(values, GOOD) == 0.5


def test_a_gain_has_an_interval_that_holds_it() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.random(50)
    gain = measures.gain(theirs + 0.1 + rng.normal(0, 0.01, 50), theirs)
    assert gain["low"] < gain["gain"] < gain["high"]
    assert gain["low"] > 0.09


def judged(folder: Path) -> Path:
    """A tiny folder in the published formats: birds and stars."""
    for name in ("citeulike-a_repaired", "systematic_reviews", "cisi", "cacm"):
        (folder / name).mkdir()
    kinds = [("bird", "song of a bird in its nest"), ("star", "light of a star far away")]
    rows = [
        {"item": 10 + n, "title": f"{kinds[n % 2][0]} {n}", "abstract": f"{kinds[n % 2][1]} w{n % 11}"}
        for n in range(60)
    ]
    (folder / "citeulike-a_repaired/papers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    users = [{"user": n, "liked": [10 + n % 2 + 2 * k for k in range(15)]} for n in range(4)]
    (folder / "citeulike-a_repaired/users_dev.jsonl").write_text("\n".join(map(json.dumps, users)))
    lines = [f'"{row["title"]}","{row["abstract"]}",{2000 + n % 9},{1 - n % 2}' for n, row in enumerate(rows)]
    (folder / "systematic_reviews/Birds.csv").write_text("title,abstract,year,label_included\n" + "\n".join(lines))
    papers = "\n".join(f".I {n}\n.T\n{row['title']}\n.W\n{row['abstract']}" for n, row in enumerate(rows, start=1))
    asked = "\n".join(f".I {n}\n.W\nI study the {kinds[n % 2][1]}" for n in range(1, 7))
    truth = "\n".join(f"{n} {m} 0 0" for n in range(1, 7) for m in range(1, 61) if (m - 1) % 2 == n % 2)
    for name, file in (
        ("cisi", ("CISI.ALL", "CISI.QRY", "CISI.REL")),
        ("cacm", ("cacm.all", "query.text", "qrels.text")),
    ):
        for part, text in zip(file, (papers, asked, truth), strict=True):
            (folder / name / part).write_text(text)
    return folder


def test_a_profile_never_holds_what_came_later(tmp_path: Path) -> None:
    folder = judged(tmp_path)
    for collection in (collections.citeulike(folder, "report"), *collections.reviews(folder, "report")):
        assert collection.tasks
        for task in collection.tasks:
            assert task.profile is not None
            assert len(task.profile) == 5
            assert task.profile.max() < task.candidates.min()
            assert task.good.sum() >= 5


def test_the_parts_share_no_task(tmp_path: Path) -> None:
    folder = judged(tmp_path)
    tuned = [task.text for task in collections.cisi(folder, "tune").tasks]
    told = [task.text for task in collections.cisi(folder, "report").tasks]
    assert len(tuned) == len(told) == 3
    assert not list(collections.reviews(folder, "tune"))


def test_ours_finds_what_is_plain_to_see() -> None:
    papers = [paper("bird" if n % 2 else "star", "song nest wing" if n % 2 else "light orbit far") for n in range(60)]
    task = collections.Task(np.arange(20, 60), np.arange(20, 60) % 2 == 1, profile=np.array([1, 3, 5, 7, 9]))
    assert measures.auc(recipes.ours_by_likes(papers)(task), task.good) == 1.0
    asked = collections.Task(np.arange(60), np.arange(60) % 2 == 1, text="the song of a bird")
    for recipe in (recipes.ours_by_words, recipes.bm25):
        assert measures.auc(recipe(papers)(asked), asked.good) == 1.0


@pytest.mark.thorough
def test_the_command_tells_every_recipe_and_the_gain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    main(["--data", str(judged(tmp_path)), "--json"])
    answer = json.loads(capsys.readouterr().out)
    names = [one["collection"] for one in answer["collections"]]
    assert names == ["citeulike", "review Birds", "cisi", "cacm"]
    assert set(answer["collections"][0]["recipes"]) == {"offprint", "tf-idf cosine", "arxiv-sanity", "zotero", "bm25"}
    assert answer["collections"][0]["recipes"]["offprint"]["auc"] > 0.7
    assert answer["collections"][2]["gains"]["ndcg"]["over"] in {"tf-idf cosine", "bm25"}


def test_without_collections_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path / "nowhere")])
    assert "--data" in capsys.readouterr().err
