"""The readings of each kind, on what its publisher writes on odd days."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from digest.papers.entry import Batch, CutShortError, FormatError
from digest.sources.parsers import registry
from tests.digest.sources import feeds
from tests.digest.sources.test_pull import LISTING

DAY = date(2026, 6, 3)


def read(kind: str, body: bytes) -> Batch:
    return registry.parser(kind).read(body, DAY)


def test_words_in_angle_brackets_survive_in_abstracts() -> None:
    item = feeds.item(1, DAY, abstract="We use <think> and <SOG_k> tokens where a<b & c>d.")
    assert (
        read("arxiv", feeds.atom([item], DAY)).entries[0].abstract
        == "We use <think> and <SOG_k> tokens where a<b & c>d."
    )


@pytest.mark.parametrize(
    ("abstract", "is_withdrawn"),
    [
        ("This paper has been withdrawn by the author due to an error.", True),
        ("This submission has been withdrawn by arXiv administrators.", True),
        ("Withdrawn.", True),
        ("Withdrawn by the authors", True),
        ("We were wrong. This article is withdrawn.", True),
        ("Paper withdrawn", True),
        ("We study withdrawn drugs.", False),
        ("The paper industry has withdrawn from the market.", False),
        ("Withdrawn drugs are a cost to everybody.", False),
        ("This paper shows that troops were withdrawn.", False),
    ],
)
def test_a_withdrawn_paper_is_told_from_its_words(abstract: str, is_withdrawn: bool) -> None:
    entry = read("arxiv", feeds.atom([feeds.item(1, DAY, abstract=abstract)], DAY)).entries[0]
    assert entry.is_withdrawn == is_withdrawn


def test_f65_one_poison_entry_is_dropped_alone_and_counted() -> None:
    rows = json.loads(feeds.huggingface_day(DAY, 5))
    for poison in (None, 17, "x", [], {}, {"paper": None}, {"paper": {"id": "../../etc"}}, {"paper": {"id": "2606.1"}}):
        batch = read("huggingface", json.dumps([*rows, poison]).encode())
        assert (len(batch.entries), batch.rejected) == (5, 1)
    atom = feeds.atom([*feeds.arxiv_day(DAY, 5), feeds.item(9, DAY, title="")], DAY)
    assert (len(read("arxiv", atom).entries), read("arxiv", atom).rejected) == (5, 1)


def test_f54_bad_bytes_in_one_entry_spoil_no_other() -> None:
    body = feeds.atom(feeds.arxiv_day(DAY, 5), DAY).replace(b"matter 3</title>", b"matter \xff\x00\x0b3</title>")
    batch = read("arxiv", body)
    assert len(batch.entries) == 5
    assert "not UTF-8 or not allowed" in batch.problems[0]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["arxiv", "huggingface"])
def test_f54_an_answer_that_breaks_off_keeps_its_whole_entries(kind: str, share: float) -> None:
    body = feeds.atom(feeds.arxiv_day(DAY, 20), DAY) if kind == "arxiv" else feeds.huggingface_day(DAY, 20)
    with pytest.raises(CutShortError) as error:
        read(kind, body[: int(len(body) * share)])
    assert 0 < len(error.value.batch.entries) < 20


def biorxiv(*rows: dict[str, Any], **message: Any) -> bytes:
    return json.dumps({"messages": [{"status": "ok"} | message], "collection": list(rows)}).encode()


ROW = {
    "title": "A <i>cell</i>", "authors": "Fujii, S.; Wang, Y.", "doi": "10.64898/2026.06.03.1", "date": "2026-6-3",
    "version": "2",
    "category": "Cell Biology", "abstract": "Cells &amp; more.", "published": "10.1038/x", "server": "bioRxiv",
}  # fmt: skip


def test_biorxivs_rows_are_versions_of_one_doi() -> None:
    entry = read("biorxiv", biorxiv(ROW, total="1")).entries[0]
    assert (entry.title, entry.authors, entry.version, entry.kind) == ("A cell", ("S. Fujii", "Y. Wang"), 2, "replace")
    assert (entry.announced_on, entry.primary_category, entry.abstract) == (DAY, "cell biology", "Cells & more.")
    assert entry.url == "https://www.biorxiv.org/content/10.64898/2026.06.03.1v2"


def test_biorxivs_first_versions_are_new_and_its_empty_days_no_error() -> None:
    assert read("biorxiv", biorxiv(ROW | {"version": "1"})).entries[0].kind == "new"
    assert read("biorxiv", biorxiv(status="no posts found")).entries == ()
    with pytest.raises(FormatError, match="The API says"):
        read("biorxiv", biorxiv(status="error: too many"))


def test_the_listing_page_is_read_with_ids_from_its_heads_only() -> None:
    batch = read("arxiv-list", LISTING)
    assert [(e.arxiv_id, e.kind) for e in batch.entries] == [("2606.09001", "new"), ("2606.09002", "cross")]
    first = batch.entries[0]
    assert (first.title, first.authors, first.comment) == (
        "On listed matter",
        ("Ada Example", "André Sample"),
        "9 pages",
    )
    assert (first.categories, first.abstract) == (("cs.CL", "cs.AI"), "We list arXiv:1111.11111 and a<b.")
    assert (batch.day, batch.total) == (DAY, 2)


def test_a_listing_that_shows_less_than_it_says_is_a_broken_reading_not_a_quiet_day() -> None:
    with pytest.raises(FormatError, match="says 9 entries, and 1 can be read"):
        read("arxiv-list", LISTING.replace(b"showing 1 of 1", b"showing 9 of 9", 1))


OAI = """<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>
<record><header><identifier>oai:arXiv.org:2606.00001</identifier></header><metadata>{metadata}</metadata></record>
<record><header status="deleted"><identifier>oai:arXiv.org:2606.00009</identifier></header></record>
<resumptionToken>123|x</resumptionToken></ListRecords></OAI-PMH>"""
RAW = """<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>2606.00001</id><version version="v1">
<date>Mon, 01 Jun 2026 10:00:00 GMT</date></version><version version="v2">
<date>Tue, 02 Jun 2026 10:00:00 GMT</date></version><title>On
 matter</title><authors>Ada Example, Andr\\'e Sample</authors>
<categories>cs.CL cs.AI</categories><abstract>We do.</abstract></arXivRaw>"""
STRUCTURED = """<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>2606.00001</id><created>2026-06-01</created><authors><author><keyname>
Example</keyname><forenames>Ada</forenames></author></authors><title>On matter</title><categories>cs.CL</categories>
<abstract>We do.</abstract></arXiv>"""
DUBLIN = """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>On matter</dc:title><dc:creator>Example, Ada</dc:creator><dc:description>We do.</dc:description>
<dc:date>2026-06-01</dc:date><dc:identifier>http://arxiv.org/abs/2606.00001</dc:identifier></oai_dc:dc>"""


@pytest.mark.parametrize("metadata", [RAW, STRUCTURED, DUBLIN])
def test_oai_records_are_read_in_each_format(metadata: str) -> None:
    batch = read("oai-pmh", OAI.format(metadata=metadata).encode())
    entry = batch.entries[0]
    assert (entry.arxiv_id, entry.title, entry.authors[0]) == ("2606.00001", "On matter", "Ada Example")
    assert (entry.published_on, entry.announced_on) == (date(2026, 6, 1), date(2026, 6, 2))
    assert (batch.more, batch.rejected) == ("123|x", 0)
    assert entry.version == (2 if metadata is RAW else 1)


def test_oais_errors_are_its_own_words_and_no_records_are_an_empty_answer() -> None:
    error = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><error code="{0}">{1}</error></OAI-PMH>'
    with pytest.raises(FormatError, match="token has expired"):
        read("oai-pmh", error.format("badResumptionToken", "The token has expired").encode())
    assert read("oai-pmh", error.format("noRecordsMatch", "No records match").encode()).entries == ()


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_a_json_feed_is_read(version: str) -> None:
    item = {
        "id": "1",
        "url": "https://doi.org/10.1000/1",
        "title": "<b>On</b> matter",
        "date_published": "2026-06-03T10:00:00+02:00",
    }
    people = {"authors": [{"name": "Ada Example"}]} if version == "1.1" else {"author": {"name": "Ada Example"}}
    body = {
        "version": f"https://jsonfeed.org/version/{version}",
        "title": "Notes",
        "items": [item | people | {"content_html": "<p>We do.</p>"}],
    }
    entry = read("feed", json.dumps(body).encode()).entries[0]
    assert (entry.title, entry.doi, entry.abstract, entry.published_on) == ("On matter", "10.1000/1", "We do.", DAY)
    assert entry.authors == ("Ada Example",)


def test_hugging_faces_day_is_the_day_it_was_submitted_not_the_items_own() -> None:
    body = feeds.huggingface_day(date(2026, 5, 18), 3, publishedAt="2026-05-14T00:00:00.000Z")
    assert read("huggingface", body).day == date(2026, 5, 18)


def test_the_apis_entries_are_announced_when_arxiv_announces_them(captured: Any) -> None:
    name = "arxiv/api_query_atom/id_quant-ph_0201082v1_s0_m100_86989fe779ef.atom.xml"
    entry = read("arxiv-api", (captured / name).read_bytes()).entries[0]
    assert (entry.published_on, entry.announced_on) == (
        date(2002, 1, 18),
        date(2002, 1, 22),
    )  # a Friday, then Monday's holiday


@pytest.mark.parametrize(
    ("name", "authors", "abstract"),
    [
        ("journals_2021-12-21/mycokeys.pensoft.net-rss.php.xml", True, True),
        ("journals_2021-12-21/rss.sciencedirect.com-publication-science-10557903.xml", True, False),
        ("journals_examples/native-pubmed.xml", True, True),
    ],
)
def test_a_citation_in_front_of_an_abstract_is_taken_apart(
    captured: Any, name: str, authors: bool, abstract: bool
) -> None:
    entries = read("feed", (captured / "feeds" / name).read_bytes()).entries
    with_authors = sum(bool(entry.authors) for entry in entries)
    assert with_authors >= 0.9 * len(entries) if authors else not with_authors
    assert not any(entry.abstract.startswith(("Publication date", "MycoKeys")) for entry in entries)
    assert sum(bool(entry.abstract) for entry in entries) >= (0.9 * len(entries) if abstract else 0)


def test_relative_addresses_in_a_feed_are_made_whole() -> None:
    body = feeds.rss([("On matter", "/papers/1", DAY)]).replace(
        b"<title>Journal", b"<link>https://j.org/x/</link><title>Journal"
    )
    assert read("feed", body).entries[0].url == "https://j.org/papers/1"
