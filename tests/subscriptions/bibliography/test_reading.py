from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.bibliography import MOST_ENTRIES, ListError, Reference, read

BIBTEX = r"""
% my library
@string{acl = "Proc. ACL"}
@article{one, title = {{Deep} Learning of Erd{\H o}s \& Sons}, author={Erd\H{o}s, Paul and B. Author},
  eprint = {2504.02302v2}, archivePrefix={arXiv}, year=2025}
@inproceedings{two,
  title = "A {"}quoted{"} thing", booktitle = acl # " 2020", doi = {10.1234/ABC.5}
}
@misc{three, title={No comma here} author={X}}
@article{four, title={Never closed
@book{five, title={Found by title only}, abstract={About things.}}
@article{six, year=2020}
@article{, eprint={hep-th/9901001}}
@article{seven, eprint={9901002}, primaryClass={hep-ph}, title={Old style}}
@comment{not a paper}
"""


def test_good_bibtex_entries_are_taken_and_bad_ones_are_named() -> None:
    shelf = read(BIBTEX)
    assert shelf.origin == "bibtex"
    assert [one.identifier for one in shelf.references] == [
        "arxiv:2504.02302",
        "doi:10.1234/abc.5",
        "title:found by title only",
        "arxiv:hep-th/9901001",
        "arxiv:hep-ph/9901002",
    ]
    assert shelf.references[0].title == "Deep Learning of Erdős & Sons"
    assert shelf.references[0].authors == (r"Erd\H{o}s, Paul", "B. Author")
    assert shelf.references[1].title == 'A "quoted" thing'
    assert shelf.references[2].abstract == "About things."
    assert [(bad.line, bad.name) for bad in shelf.bad] == [(9, "three"), (10, "four"), (12, "six")]
    assert "comma is missing after title" in shelf.bad[0].why
    assert "never closed" in shelf.bad[1].why
    assert "neither a title" in shelf.bad[2].why


RIS = """TY  - JOUR
TI  - A title
 that goes on
AU  - Doe, Jane
AU  - Roe, Rick
AB  - What it says.
DO  - https://doi.org/10.48550/arXiv.2301.00001
ER  -

TY  - JOUR
TI  - Not closed
TY  - CONF
AU  - Nobody
ER  -
TY  - BOOK
T1  - Only a title
ER  -
"""


def test_good_ris_records_are_taken_and_bad_ones_are_named() -> None:
    shelf = read(RIS.encode("utf-8-sig"))
    assert shelf.origin == "ris"
    assert shelf.references == (
        Reference("arxiv:2301.00001", "A title that goes on", "What it says.", ("Doe, Jane", "Roe, Rick")),
        Reference("title:only a title", "Only a title"),
    )
    assert [(bad.line, bad.name) for bad in shelf.bad] == [(10, "Not closed"), (12, "record at line 12")]


def test_ids_and_links_come_in_any_shape_and_each_once() -> None:
    shelf = read(
        "2504.02302, arXiv:2504.02302v3\nhttps://arxiv.org/abs/hep-th/9901001\n"
        "https://doi.org/10.1038/S41586-020-2649-2.\nhttps://huggingface.co/papers/2301.00001 banana"
    )
    assert [one.identifier for one in shelf.references] == [
        "arxiv:2504.02302",
        "arxiv:hep-th/9901001",
        "doi:10.1038/s41586-020-2649-2",
        "arxiv:2301.00001",
    ]
    assert [(bad.line, bad.name) for bad in shelf.bad] == [(4, "banana")]


def test_ids_around_bibtex_entries_are_taken_and_the_rest_is_named() -> None:
    shelf = read(
        "% Encoding: UTF-8\n2608.19880\ngarbage here\n@article{k, title={One}}\n10.1234/abc\n"
        "@comment{left {out}} @string{broken\n@string{a = {b}} 2504.02302\nthe end\n"
    )
    assert [one.identifier for one in shelf.references] == [
        "arxiv:2608.19880",
        "title:one",
        "doi:10.1234/abc",
        "arxiv:2504.02302",
    ]
    assert [(bad.line, bad.name) for bad in shelf.bad] == [
        (3, "garbage here"),
        (6, "@string{broken"),
        (8, "the end"),
    ]


def test_ids_and_bibtex_around_ris_records_are_taken() -> None:
    shelf = read("2608.19880\nTY  - BOOK\nT1  - Two\nER  -\n\n@article{k,\n title={One}}\nthe end\n")
    assert shelf.origin == "ris"
    assert [one.identifier for one in shelf.references] == ["arxiv:2608.19880", "title:two", "title:one"]
    assert [(bad.line, bad.name) for bad in shelf.bad] == [(8, "the end")]


def test_a_list_too_long_is_read_up_to_a_point_that_is_told() -> None:
    shelf = read("\n".join(f"2504.{number:05d}" for number in range(MOST_ENTRIES + 5)))
    assert len(shelf.references) == MOST_ENTRIES
    assert "Bring the rest apart" in shelf.bad[-1].why


@pytest.mark.parametrize(
    ("content", "words"), [("", "nothing in it"), (" \n", "nothing in it"), (b"x" * 5_000_001, "MB")]
)
def test_a_list_of_nothing_is_refused_with_what_to_bring(content: str | bytes, words: str) -> None:
    with pytest.raises(ListError, match=words):
        read(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_files_of_many_programs_are_decoded(encoding: str) -> None:
    (one,) = read("TY  - JOUR\nTI  - Müller\nER  - \n".encode(encoding)).references
    assert one.title == "Müller"


def test_one_line_of_another_encoding_spoils_only_itself() -> None:
    lines = ["TY  - JOUR\nTI  - Grüße\nER  - \n".encode(), "TY  - JOUR\nTI  - “Müller”\nER  - \n".encode("cp1252")]
    assert [one.title for one in read(b"".join(lines)).references] == ["Grüße", "“Müller”"]


def test_an_old_arxiv_id_is_one_paper_with_and_without_its_subject() -> None:
    shelf = read("math.GT/0309136\nhttps://arxiv.org/abs/math/0309136v2")
    assert {one.identifier for one in shelf.references} == {"arxiv:math/0309136"}


@pytest.mark.thorough
@given(st.text(alphabet='@{}(),="#\\ab \n1.-TYER:/0', max_size=120))
def test_no_text_breaks_the_reading(text: str) -> None:
    with contextlib.suppress(ListError):
        shelf = read("@article{k, title={x}}\n" + text)
        assert shelf.references or shelf.bad


@pytest.mark.parametrize(
    "text",
    [
        "@a{" * 300_000,
        "@a{,\n" * 300_000,
        "@article{x, title={" + "{" * 1_000_000,
        "@a{k, t={" + "\\'" * 400_000 + "}}",
        ("@a{k, title={" + "\\'e" * 400 + "}}\n") * 1000,
        "TY  - X\n" * 200_000,
        "@comment{x}\n" * 400_000,
        ("@a{" * 999 + "\n") * 1_600,
        ('@a{k, t="' + "{" * 300_000 + "\n") * 12,
        "@a{k," + "\n" * 390_000 + "title={x}}",
        "[" + '{"a": 1}, ' * 200_000,
    ],
    ids=["starts", "lines", "braces", "accents", "titles", "records", "remarks", "signs", "quotes", "breaks", "json"],
)
def test_no_file_takes_long(text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("@online{k, title={A}, author+an={1=highlight}, eprint={2611.00123}, eprinttype={arxiv}}", "arxiv:2611.00123"),
        ("@article{k, title:en={A}, _id={7}, name.of={x}, 1author={y}, title={B}}", "title:b"),
        ("@article{k, überschrift={A}, o'field={x}, title={B}}", "title:b"),
        ("@article{k, title={Deep wells}, subtitle={A survey}, date={2026-11}}", "title:deep wells a survey"),
        ("@thesis{k, eprint={9901002}, eprintclass={hep-ph}, title={Old}}", "arxiv:hep-ph/9901002"),
        ("@article{k, title={A}, journaltitle={CoRR abs/2611.00124}}", "arxiv:2611.00124"),
        ("@unpublished{k, title={A}, addendum={doi: 10.1234/abc}}", "doi:10.1234/abc"),
        ("@misc{k, % a remark\n title = {A} % another\n}", "title:a"),
        ("@misc{k, title = A bare title, year = 2020}", "title:a bare title"),
        ("@misc(k, title = {In parentheses (yes)})", "title:in parentheses yes"),
        ("@misc{k, title = {A},, year = 2020,}", "title:a"),
        ("@misc{k, title = {A}, title = {B}}", "title:a"),
        ("@misc{k, title = {A}, annotation = {write to me@home{x}}}", "title:a"),
        ('@string{w = {Word}}\n@misc{k, title = w # " and " # {word}}', "title:word and word"),
    ],
)
def test_fields_of_every_dialect_are_read_or_passed_over(entry: str, name: str) -> None:
    shelf = read(entry)
    assert ([one.identifier for one in shelf.references], shelf.bad) == ([name], ())


def test_several_entries_may_share_a_line_a_key_or_a_very_long_remark() -> None:
    text = "@misc{k,title={A}}@misc{k,title={B}}\n" + "@comment{groups:\n" + "tree;\n" * 2000 + "}\n@misc{l,title={C}}"
    shelf = read(text)
    assert [one.title for one in shelf.references] == ["A", "B", "C"]
    assert shelf.bad == ()


@pytest.mark.parametrize(
    "text",
    [
        "Results of a search\nRetrieved 1 abstract, starting with number 1.\n\n@article{k, title={A}}\n",
        "@control{REVTEX41Control}\n@xdata{x, publisher={P}}\n@set{s, entryset={k}}\n@article{k, title={A}}",
        "Provider: A library\nContent: text/plain\n\nTY  - JOUR\nTI  - A\nER  - \n",
        "% exported by hand\n@preamble{x}\n@article{k, title={A}}\nthe end\n",
        "@article{k, title={A}}}\n",
    ],
)
def test_what_an_exporter_writes_beside_the_papers_is_not_named_as_unread(text: str) -> None:
    shelf = read(text)
    assert [one.title for one in shelf.references] == ["A"]
    assert shelf.bad == ()


def test_authors_are_people() -> None:
    (one,) = read("@misc{k, title={A}, author={Roe, Ann and Poe, Bo and others}}").references
    assert one.authors == ("Roe, Ann", "Poe, Bo")


@pytest.mark.parametrize(
    "end", ['{"title": "C", "DO', '{"title": "C"}', "", ",", "nonsense", '{"title": "C"} {"title": "D"}]']
)
def test_a_csl_file_cut_short_keeps_what_stands_before_the_cut(end: str) -> None:
    shelf = read('[{"title": "A"},\n {"title": "B"},\n ' + end)
    assert [one.title for one in shelf.references][:2] == ["A", "B"]
    assert "cut short" in shelf.bad[-1].why
    with pytest.raises(ListError, match="Export it anew"):
        read('[{"title": "A')


@pytest.mark.parametrize("text", ["@article{k, title={a\x00b}, doi={10.1/a}}", "TY  - JOUR\nTI  - a\x00b\nER  - \n"])
def test_a_nul_is_refused(text: str) -> None:
    with pytest.raises(ListError, match="This is not a text"):
        read(text)
