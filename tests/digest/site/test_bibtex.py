"""A paper as a BibTeX entry."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Paper
from digest.site import bibtex


def paper(**fields: object) -> Paper:
    values = {
        "title": "On the Flight of Insects",
        "authors": ["Ada Example", "Sample, Ben"],
        "published_on": date(2026, 6, 3),
        "url": "https://arxiv.org/abs/2606.00001",
        "arxiv_id": "2606.00001",
        "primary_category": "cs.CL",
    } | fields
    return Paper(**values)


def test_an_arxiv_paper_is_cited_with_its_number_and_class() -> None:
    assert bibtex.entry(paper()) == (
        "@misc{example2026flight,\n"
        "  title = {{On the Flight of Insects}},\n"
        "  author = {Ada Example and Sample, Ben},\n"
        "  year = {2026},\n"
        "  eprint = {2606.00001},\n"
        "  archiveprefix = {arXiv},\n"
        "  primaryclass = {cs.CL},\n"
        "  url = {https://arxiv.org/abs/2606.00001}\n"
        "}\n"
    )


def test_a_journals_paper_is_an_article() -> None:
    text = bibtex.entry(paper(arxiv_id="", journal_ref="Annals of Flight 3", doi="10.1000/a_b"))

    assert text.startswith("@article{")
    assert r"doi = {10.1000/a\_b}" in text
    assert "eprint" not in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("R&D: 50% of #1", r"R\&D: 50\% of \#1"),
        (r"the $O(n^2)$ case of a_b", r"the $O(n^2)$ case of a\_b"),
        ("it costs $5", r"it costs \$5"),
        ("unbalanced }", r"unbalanced \}"),
        ("two\nlines", "two lines"),
    ],
)
def test_what_bibtex_would_misread_is_escaped(text: str, escaped: str) -> None:
    assert bibtex.escaped(text) == escaped


@pytest.mark.parametrize(("authors", "key"), [([], "anonymous2026flight"), (["王 小明"], "anonymous2026flight")])
def test_a_key_is_made_of_plain_letters(authors: list[str], key: str) -> None:
    assert bibtex.key(paper(authors=authors)) == key


@given(st.text(), st.lists(st.text(), max_size=3))
def test_s11_no_text_breaks_out_of_its_field(title: str, authors: list[str]) -> None:
    text = bibtex.entry(paper(title=title, authors=authors))
    plain = text.replace("\\\\", "").replace("\\{", "").replace("\\}", "")

    assert plain.count("{") == plain.count("}")
