from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.query import tokenizer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Few-Shot learning", ["few", "shot", "learning"]),
        ("Paul Erdős, Łukasz & Jørgensen", ["paul", "erdos", "lukasz", "jorgensen"]),
        ("GPT-4 and k-NN in 3D", ["gpt", "4", "and", "k", "nn", "in", "3d"]),
        ("C++ or C# (C)", ["c++", "or", "c#", "c"]),
        ("CD4+ T cells, x++y", ["cd4", "t", "cells", "x", "y"]),
        ("Alzheimer's and Alzheimer’s", ["alzheimer", "and", "alzheimer"]),
        (r"$\alpha$-stable, α-stable, \varepsilon", ["alpha", "stable", "alpha", "stable", "epsilon"]),
        ("TGF-β1 and αβ", ["tgf", "beta", "1", "and", "alpha", "beta"]),
        (r"$\mathcal{N}=4$ \textbf{deep} $\ell_1$", ["n", "4", "deep", "ell", "1"]),
        (r"Barab\'{a}si Andr\'e J{\o}rgensen \v{S}umi", ["barabasi", "andre", "jorgensen", "sumi"]),
        ("蛋白质 folding", ["蛋", "白", "质", "folding"]),
        ("Москва и ελληνικά", ["москва", "и", "ελληνικα"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("ﬁne ① ２０２６", ["fine", "1", "2026"]),
        ("", []),
        ("!?—*", []),
    ],
)
def test_a_text_is_cut_into_folded_words(text: str, expected: list[str]) -> None:
    assert tokenizer.tokens(text) == expected


@given(st.text(max_size=200))
def test_cutting_its_own_words_again_changes_nothing(text: str) -> None:
    once = tokenizer.tokens(text)
    assert tokenizer.tokens(" ".join(once)) == once


@given(st.text(alphabet="\\{}$'\"`^~ .abeikloOstuvrnmathcx_Łα\u0301", max_size=60))
def test_latex_of_any_shape_settles_at_once(text: str) -> None:
    once = tokenizer.tokens(text)
    assert tokenizer.tokens(" ".join(once)) == once


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("networks", "network"),
        ("queries", "query"),
        ("classes", "classe"),
        ("gases", "gase"),
        ("bias", "bia"),
        ("glass", "glass"),
        ("virus", "virus"),
        ("gps", "gps"),
        ("llms", "llm"),
        ("movies", "movy"),
        ("shoes", "shoes"),
    ],
)
def test_simple_plurals_fall_on_their_singular(word: str, expected: str) -> None:
    assert tokenizer.stem(word) == expected


@given(st.text(alphabet="aeiousyb", max_size=8))
def test_a_stem_is_its_own_stem(word: str) -> None:
    assert tokenizer.stem(tokenizer.stem(word)) == tokenizer.stem(word)


def test_found_words_are_marked_in_the_printed_text() -> None:
    pieces = tokenizer.mark("Few-shot Networks (for speech), fast.", ["few", "network", "speech"])
    assert [piece for piece, hit in pieces if hit] == ["Few", "Networks", "speech"]


@given(st.text(max_size=80), st.lists(st.text(max_size=6), max_size=3))
def test_marking_keeps_every_character(text: str, found: list[str]) -> None:
    assert "".join(piece for piece, _ in tokenizer.mark(text, found)) == text


@pytest.mark.parametrize(
    ("text", "stored"), [("a\x00b", "a\ufffdb"), ("a\ud800", "a\ufffd"), ("\udcff", "\ufffd"), ("😀é", "😀é")]
)
def test_what_no_database_stores_is_told_and_replaced(text: str, stored: str) -> None:
    assert tokenizer.storable(text) == stored
    assert tokenizer.is_storable(text) is (text == stored)
