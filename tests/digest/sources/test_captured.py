"""Every captured answer, read and stored: the counts are those of an independent count of the files."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from digest.models import Announcement, Paper, Source
from digest.papers.entry import FormatError
from digest.sources import client
from digest.sources.ingest import ingest
from digest.sources.parsers import registry
from tests import make
from tests.digest.sources import feeds

pytestmark = pytest.mark.usefixtures("in_process")
ANY = date(2026, 6, 3)
OAI_ID = re.compile(r"oai:arXiv\.org:(\S+?)v(\d+)<")


def names_of(folder: str) -> list[str]:
    """File names below the captured folder; none where it is absent (the test then has no case)."""
    base = Path(__file__).resolve().parents[4] / "shared" / "data" / folder
    return sorted(path.name for path in base.glob("*") if path.is_file())


@pytest.mark.parametrize("name", [n for n in names_of("hf_daily") if n[:10] not in {"2024-12-11", "2025-01-10"}])
def test_a_hugging_face_day_has_as_many_papers_as_its_file(captured: Path, name: str) -> None:
    body = (captured / "hf_daily" / name).read_bytes()
    listed = json.loads(body)
    batch = registry.parser("huggingface").read(body, date.fromisoformat(name[:10]))
    assert [e.arxiv_id for e in batch.entries] == [x["paper"]["id"] for x in listed]
    assert [e.upvotes for e in batch.entries] == [x["paper"]["upvotes"] for x in listed]
    assert [e.comments for e in batch.entries] == [x["numComments"] for x in listed]
    assert batch.day == date.fromisoformat(name[:10])


@pytest.mark.parametrize("name", ["2024-12-11.json", "2025-01-10.json"])
def test_the_two_malformed_days_are_format_errors(captured: Path, name: str) -> None:
    with pytest.raises(FormatError, match=r"not of papers|not a list of papers"):
        registry.parser("huggingface").read((captured / "hf_daily" / name).read_bytes(), ANY)


@pytest.mark.parametrize("name", [n for n in names_of("arxiv/rss_rebuilt") if "WEEKEND" not in n])
def test_an_arxiv_day_has_as_many_entries_as_its_file(captured: Path, name: str) -> None:
    body = (captured / "arxiv/rss_rebuilt" / name).read_bytes()
    text = body.decode()
    batch = registry.parser("arxiv").read(body, ANY)
    assert [(e.arxiv_id, str(e.version)) for e in batch.entries] == OAI_ID.findall(text)
    assert [e.kind for e in batch.entries] == re.findall(r"<arxiv:announce_type>(\S+?)<", text)
    assert batch.day == date.fromisoformat(name[:10])
    assert batch.rejected == 0
    assert not any(e.abstract.startswith("arXiv:") or "Announce Type" in e.abstract for e in batch.entries)
    assert all(e.authors and not any("," in author for author in e.authors) for e in batch.entries)


@pytest.mark.parametrize("name", names_of("arxiv/api_query_atom"))
def test_an_answer_of_the_api_has_as_many_entries_as_its_file(captured: Path, name: str) -> None:
    body = (captured / "arxiv/api_query_atom" / name).read_bytes()
    if "id_abc" in name:
        with pytest.raises(FormatError, match="incorrect id format for abc"):
            registry.parser("arxiv-api").read(body, ANY)
        return
    batch = registry.parser("arxiv-api").read(body, ANY)
    assert len(batch.entries) == body.count(b"<entry>")
    assert all("  " not in e.title and "\n" not in e.title for e in batch.entries)
    assert all(c[0].islower() for e in batch.entries for c in e.categories)


@pytest.mark.parametrize("name", names_of("feeds/journals_2021-12-21") + names_of("feeds/journals_examples"))
def test_a_journal_has_as_many_entries_as_its_file(captured: Path, name: str) -> None:
    folder = "journals_examples" if (captured / "feeds/journals_examples" / name).exists() else "journals_2021-12-21"
    body = (captured / "feeds" / folder / name).read_bytes()
    if name == "zoobank.json":
        with pytest.raises(FormatError, match="not a JSON Feed"):
            registry.parser("feed").read(body, ANY)
        return
    batch = registry.parser("feed").read(body, ANY)
    listed = len(re.findall(rb"<(?:item|entry)[\s>]", body))
    assert len(batch.entries) + batch.rejected == listed
    assert batch.rejected <= 1
    assert not any("<" in entry.title and ">" in entry.title for entry in batch.entries)


@pytest.mark.parametrize("name", names_of("feeds/html_instead_of_feed"))
@pytest.mark.parametrize("kind", ["feed", "arxiv", "arxiv-api", "huggingface", "biorxiv"])
def test_a_page_in_place_of_a_feed_is_said_to_be_one(captured: Path, kind: str, name: str) -> None:
    with pytest.raises(FormatError, match="HTML page titled"):
        registry.parser(kind).read((captured / "feeds/html_instead_of_feed" / name).read_bytes(), ANY)


@pytest.mark.parametrize("name", ["nature_2023_original_english.rdf", "nature_2024-07-18_ja-translated.rdf"])
def test_an_rdf_journal_is_read_with_authors_and_dois(captured: Path, name: str) -> None:
    body = (captured / "feeds" / name).read_bytes()
    batch = registry.parser("feed").read(body, ANY)
    assert len(batch.entries) == body.count(b"<item ") == 75
    assert all(entry.doi.startswith("10.1038/") and entry.published_on for entry in batch.entries)


def test_the_feeds_of_before_2024_are_read_too(captured: Path) -> None:
    batch = registry.parser("arxiv").read(
        (captured / "arxiv/captured_raw/rdf_hep-ex_2018-05-23_trimmed.xml").read_bytes(), ANY
    )
    assert [(e.arxiv_id, e.version, e.kind) for e in batch.entries] == [
        ("1805.08875", 1, "new"), ("1805.09166", 1, "cross"), ("1805.06430", 2, "replace"),
    ]  # fmt: skip
    assert batch.entries[2].authors[1] == "Zhu-Fang Cui"
    assert batch.entries[2].title == "New Perspective on Hybrid Mesons"


@pytest.mark.django_db
def test_consecutive_captured_days_are_ok_and_merge(captured: Path) -> None:
    source, ids = make.source("arxiv-cs-sd-eess-as"), set()
    for path in sorted((captured / "arxiv/rss_rebuilt").glob("*cs.SD*")):
        day = date.fromisoformat(path.name[:10])
        fetch = ingest(source, client.read("arxiv", (path.read_bytes(),), day), at(day))
        listed = OAI_ID.findall(path.read_text())
        ids |= {arxiv_id for arxiv_id, _ in listed}
        assert (fetch.outcome, fetch.warnings, fetch.entries) == ("ok", [], len(listed))
        assert fetch.new + fetch.updated + fetch.known + fetch.rejected == fetch.entries
    assert Paper.objects.count() == len(ids)


@pytest.mark.django_db
def test_captured_hugging_face_days_are_ok_each(captured: Path) -> None:
    source, listed = make.source("huggingface", kind="huggingface"), set()
    for path in sorted((captured / "hf_daily").glob("*.json")):
        day = date.fromisoformat(path.stem)
        fetch = ingest(source, client.read("huggingface", (path.read_bytes(),), day), at(day + timedelta(days=1)))
        if path.stem in {"2024-12-11", "2025-01-10"}:
            assert (fetch.outcome, fetch.new) == ("format_error", 0)
            continue
        listed |= {(x["paper"]["id"], day) for x in json.loads(path.read_bytes())}
        assert (fetch.outcome, fetch.warnings) == ("ok", [])
    assert set(Announcement.objects.values_list("paper__arxiv_id", "day")) == listed


@pytest.mark.django_db
def test_a_mirrors_weekend_is_empty_and_its_days_ok(captured: Path) -> None:
    source = make.source("arxiv-cs-cv")
    outcomes = {}
    for path in sorted((captured / "arxiv/announced_cscv_json").glob("*.json")):
        day, papers = date.fromisoformat(path.stem), json.loads(path.read_bytes())["papers"]
        items = [
            feeds.item(0, day, p["announce_type"], arxiv_id=p["arxiv_id"], title=p["title"], categories=p["categories"],
                       abstract=p["abstract"], authors=", ".join(p["authors"]))
            for p in papers
        ]  # fmt: skip
        fetch = ingest(source, client.read("arxiv", (feeds.atom(items, day, "cs.CV"),), day), at(day))
        outcomes[path.stem] = (fetch.outcome, fetch.entries)
        assert fetch.entries == len(papers)
    assert outcomes == {
        "2026-04-17": ("ok", 186),
        "2026-04-18": ("empty", 0),
        "2026-04-19": ("empty", 0),
        "2026-04-20": ("ok", 171),
    }


@pytest.mark.django_db
def test_the_captured_weekend_header_is_empty_and_no_failure(captured: Path) -> None:
    source = make.source()
    body = (captured / "arxiv/rss_rebuilt/2025-08-02_WEEKEND_header_only.xml").read_bytes()
    fetch = ingest(source, client.read("arxiv", (body,), date(2025, 8, 2)), at(date(2025, 8, 2)))
    assert (fetch.outcome, fetch.warnings) == ("empty", [])
    assert Source.objects.get(pk=source.pk).failures == 0


def at(day: date) -> datetime:
    """Six in the morning UTC: after arXiv's feeds of the day stand."""
    return datetime.combine(day, time(6), tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["bytes", "entries"])
def test_a_captured_day_cut_in_half_is_truncated(captured: Path, where: str) -> None:
    source = make.source("arxiv-five")
    names = sorted((captured / "arxiv/rss_rebuilt").glob("*cs.CL*"))
    first, second = (path.read_bytes() for path in names)
    assert ingest(source, client.read("arxiv", (first,), date(2025, 4, 7)), at(date(2025, 4, 7))).outcome == "ok"
    head, *items = second.split(b"<item>")
    half = second[: len(second) // 2]
    if where == "entries":
        half = b"<item>".join([head, *items[: len(items) // 2]]) + b"</channel></rss>"
    fetch = ingest(source, client.read("arxiv", (half,), date(2025, 4, 8)), at(date(2025, 4, 8)))
    assert fetch.outcome == "truncated"
    assert fetch.warnings


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "name", "day"), [
    ("arxiv", "arxiv/rss_rebuilt/2025-04-15_cs.SD+eess.AS.xml", date(2025, 4, 15)),
    ("huggingface", "hf_daily/2026-06-03.json", date(2026, 6, 3)),
])  # fmt: skip
def test_a_captured_day_repeated_on_the_next_working_day_is_stale(
    captured: Path, kind: str, name: str, day: date
) -> None:
    source, body = make.source(kind, kind=kind), (captured / name).read_bytes()

    def read_on(on: date) -> str:
        return ingest(source, client.read(kind, (body,), on), at(on), is_file=True).outcome

    assert read_on(day) == "ok"
    assert read_on(day) == "unchanged"
    assert read_on(day + timedelta(days=1)) == "stale"
    assert read_on(day + timedelta(days=2)) == "stale"
