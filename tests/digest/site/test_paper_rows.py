"""How a paper is prepared for the pages: pure values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Paper
from digest.site import paper_rows

some_words = st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12), max_size=120)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["Ada Example"], "Ada Example"),
        (["A", "B", "C"], "A, B, C"),
        (["A", "B", "C", "D", "E"], "A, B, C and 2 more"),
    ],
)
def test_the_first_three_authors_are_named_and_the_others_counted(names: list[str], shown: str) -> None:
    assert paper_rows.short_authors(Paper(authors=names)) == shown


def test_a_short_abstract_is_shown_whole() -> None:
    assert paper_rows.opening("It works.") == ("It works.", "")


def test_a_long_abstract_is_cut_after_a_sentence() -> None:
    first = "We study a thing that nobody had looked at before, and find that it is larger than it seems."
    rest = "Then " + "we measure it again " * 20

    assert paper_rows.opening(f"{first} {rest}") == (first, rest)


def test_an_abstract_without_a_sentence_end_is_cut_between_words() -> None:
    first, rest = paper_rows.opening("word " * 100)

    assert first.endswith("word")
    assert rest.startswith("word")


@pytest.mark.thorough
@given(some_words)
def test_cutting_an_abstract_loses_no_word(parts: list[str]) -> None:
    abstract = " ".join(parts)
    first, rest = paper_rows.opening(abstract)

    assert "".join((first + rest).split()) == "".join(abstract.split())
    assert len(first) <= paper_rows.OPENING_LENGTH


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,hi", "//evil.example", "https://[", ""])
def test_s11_only_web_addresses_become_links(address: str) -> None:
    paper = Paper(url=address, pdf_url=address, code_url=address, project_url="https://project.example/")

    assert paper_rows.links(paper) == (paper_rows.Link("Project", "https://project.example/"),)


def test_tex_is_shown_as_letters() -> None:
    paper = Paper(title=r"The $\alpha$ of Erd\H{o}s", authors=[r"P. Erd\H{o}s"], abstract="$n^2$ steps")

    assert paper_rows.title(paper) == "The α of Erdős"
    assert paper_rows.authors(paper) == ["P. Erdős"]
    assert paper_rows.abstract(paper) == "n² steps"
