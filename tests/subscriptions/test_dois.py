"""A DOI is the same DOI however a publisher's page, a reader or a reference manager writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.desk.acts import add_paper
from digest.papers import identifiers
from digest.site import lookup
from subscriptions import bibliography
from subscriptions.bibliography.entries import identifier
from subscriptions.dois import LONGEST, doi

PREPRINT = "10.1101/2026.03.09.710001"
ARTICLE = "10.5555/ab-12.3"
OF_PREPRINTS = ["", "v1", "v3.full", "v2.full.pdf", "v1.full-text", "v12.abstract", "v1.supplementary-material", "V2"]
OF_PAGES = [
    "/", "/full", "/abstract", "/pdf", "/epdf", "/fulltext.html", "/meta", "/figures/2", ".pdf", "/suppl_file/a.pdf",
]  # fmt: skip
OF_LINKS = [
    "",
    "?af=R",
    "?ref=pdf",
    "#section-2",
    "?utm_source=feed&utm_medium=rss",
    "&type=printable",
    ";jsessionid=F0",
]
OF_SENTENCES = [".", ",", ").", "]", "»", "\u200b", ";"]


@pytest.mark.parametrize("tail", OF_PREPRINTS)
@pytest.mark.parametrize("query", OF_LINKS[:4])
@pytest.mark.parametrize("prefix", ["10.1101", "10.64898"])
def test_a_preprint_servers_versions_are_no_part_of_the_doi(prefix: str, tail: str, query: str) -> None:
    name = PREPRINT.replace("10.1101", prefix)
    assert doi(f"https://www.biorxiv.org/content/{name}{tail}{query}") == name


@pytest.mark.parametrize("tail", OF_PAGES)
@pytest.mark.parametrize("query", OF_LINKS)
def test_a_publishers_pages_are_no_part_of_the_doi(tail: str, query: str) -> None:
    assert doi(f"https://pages.example.org/doi/{ARTICLE}{tail}{query}") == ARTICLE


@pytest.mark.parametrize("end", OF_SENTENCES)
def test_the_sentence_around_it_is_no_part_of_the_doi(end: str) -> None:
    assert doi(f"(see https://doi.org/{ARTICLE}{end}") == ARTICLE


@pytest.mark.parametrize(
    "written",
    [
        "10.5555%2Fab-12.3", "10.5555%252FAB-12.3", "DOI:10.5555/AB-12.3", "doi10.5555/ab-12.3",
        "10.5555/ab\u201012.3", '<a href="https://doi.org/10.5555/ab-12.3">', "&lt;10.5555/ab-12.3&gt;",
        "10.5555/ab-12.3,10.5555/other", "10.5555/ab-12.3;https://doi.org/10.5555/other", "10.5555/ab-12.3。",
    ],
)  # fmt: skip
def test_escapes_and_typography_are_undone(written: str) -> None:
    assert doi(written) == ARTICLE


@pytest.mark.parametrize(
    "name",
    [
        "10.26434/chemrxiv-2026-x1-v2", "10.21203/rs.3.rs-77/v1", "10.6084/m9.figshare.77.v1", "10.5555/full",
        "10.1101/gr.77.111", "10.1088/17-8x/129/1/012018", "10.5555/s0140-1(05)67-9",
        "10.3390/info15060300", "10.5555.77/a",
        "10.5555/0046(2008)37[80:rob]2.0.co;2", "10.5555/(sici)1097(1998)17:15/16<16::aid-sim9>3.0.co;2-2",
    ],
)  # fmt: skip
def test_what_is_part_of_a_doi_stays(name: str) -> None:
    assert doi(f"https://doi.org/{name}") == name
    assert doi(name.replace("<", "%3C").replace(">", "%3E")) == name
    assert doi(name.upper().replace("<", "&lt;").replace(">", "&gt;")) == name


def test_bibtex_escapes_are_undone() -> None:
    for written in (r"10.5555/978-3\_13", r"10.5555/978-3{\_}13"):
        assert identifier(written) == "doi:10.5555/978-3_13"


@pytest.mark.parametrize("name", ["10.1093/journ/abc12", "10.1162/moss_a_7", "10.2166/moss.2026.7", "10.1063/5.0777"])
@pytest.mark.parametrize("tail", ["/5771332", "/5771332?x=1", "/5771332/moss7.pdf", "/5771332/On-moss"])
def test_a_sites_own_numbers_are_no_part_of_the_doi(name: str, tail: str) -> None:
    assert doi(f"https://pages.example.org/article-pdf/doi/{name}{tail}") == name


@pytest.mark.parametrize(
    "text", ["", "version 10.2", "10.5555/", "10.5555/…", "10.5555/" + "a" * LONGEST, "a.10.5555/b"]
)
def test_what_is_no_doi_is_none(text: str) -> None:
    assert doi(text) == ""


@given(st.text(alphabet="10./v<>&;%2F()[]a\\_?#", max_size=80))
def test_reading_a_doi_again_changes_nothing(noise: str) -> None:
    found = doi(f"10.5555/x{noise}")
    assert doi(found) == found
    assert len(found) <= LONGEST


@pytest.mark.parametrize("tail", ["v1", "v2.full", "v1?utm_source=x", "v3.full.pdf#page=2", ""])
def test_every_door_reads_the_same_doi(tail: str) -> None:
    """Feeds, the search box, a curator's paper, a liked paper, a list of papers."""
    link = f"https://www.biorxiv.org/content/{PREPRINT}{tail}"
    listed = bibliography.read(f"@article{{a, title={{T}}, url={{{link}}}}}").references[0].identifier
    ris = bibliography.read(f"TY  - JOUR\nTI  - T\nUR  - {link}\nER  - \n").references[0].identifier
    typed = bibliography.read(link).references[0].identifier
    assert {listed, ris, typed, identifier(link), *lookup.names(link)} == {f"doi:{PREPRINT}"}
    assert identifiers.doi(link) == add_paper.entry_of(link, "T", "", "").doi == PREPRINT


def test_old_dois_in_a_typed_list_are_kept_whole() -> None:
    old = "10.5555/(SICI)1097(1998)17:15/16<16::AID-SIM9>3.0.CO;2-2"
    found = bibliography.read(f"{old}; 10.5555/b;10.5555/c").references
    assert [one.identifier for one in found] == [f"doi:{old.lower()}", "doi:10.5555/b", "doi:10.5555/c"]
