"""Adding sources: previewed before they are saved, by hand or by the list; past days; votes read again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from digest.models import Announcement, Fetch, Paper, Source, VoteSnapshot
from digest.papers.entry import FormatError
from digest.sources import additions, backfill, client, opml, pull, samples, starters, vote_refresh
from digest.sources.additions import SourceError
from digest.sources.parsers import registry
from tests import make
from tests.digest.sources import feeds
from tests.digest.sources.conftest import Publisher
from tests.digest.sources.test_parsers import ROW, biorxiv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
JOURNAL = feeds.rss([(f"On matter {n}", f"https://doi.org/10.1000/{n}", DAY - timedelta(days=n)) for n in range(9)])
NOTES = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"url": f"https://e.org/{n}", "title": "T"} for n in range(9)],
    }
).encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("feed", JOURNAL),
        ("arxiv", feeds.atom(feeds.arxiv_day(DAY, 9), DAY)),
        ("huggingface", feeds.huggingface_day(DAY, 9)),
        ("biorxiv", biorxiv(*[ROW | {"doi": f"10.1101/{n}"} for n in range(9)])),
        ("feed", NOTES),
    ],
)  # fmt: skip
def test_a_preview_tells_the_kind_and_shows_the_last_entries(publisher: Publisher, kind: str, body: bytes) -> None:
    publisher.says(body)
    found = additions.preview(publisher.url(), NOW)
    assert (found.kind, found.count, len(found.entries)) == (kind, 9, 5)
    assert Source.objects.count() == Paper.objects.count() == 0


def test_a_preview_shows_the_newest_first_and_what_to_know_before_saving(publisher: Publisher) -> None:
    publisher.says(JOURNAL.replace(b"description", b"other"))
    found = additions.preview(publisher.url(), NOW)
    assert (found.title, found.entries[0].title) == ("Journal of Matter", "On matter 0")
    assert "no abstracts" in found.warnings[0]


@pytest.mark.parametrize("body", [b"<html><title>No</title></html>", b"", b"{}", b"%PDF-1.7"])
def test_what_is_no_feed_is_refused_with_what_it_is(publisher: Publisher, body: bytes) -> None:
    publisher.says(body)
    with pytest.raises(SourceError, match=r"not a feed|JSON Feed"):
        additions.preview(publisher.url(), NOW)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/", "nonsense"])
def test_f64_s15_a_curators_address_is_asked_only_if_it_is_public(url: str) -> None:
    with pytest.raises(SourceError):
        additions.preview(url, NOW)


def test_a_source_is_added_once_and_pulled_next(publisher: Publisher) -> None:
    publisher.says(JOURNAL)
    added = additions.add(publisher.url(), "feed", "Journal of Matter")
    assert added.slug == "journal-of-matter"
    with pytest.raises(SourceError, match="is a source already"):
        additions.add(publisher.url(), "feed", "Again")
    assert [fetch.new for fetch in pull.pull_due(NOW)] == [9]


def test_a_held_source_is_let_go_on_by_a_curator() -> None:
    source = make.source(held_reason="authors are gone", kills=3, failures=7)
    Fetch.objects.create(source=source, at=NOW, day=DAY, outcome="ok", profile={"authors": 1.0})
    additions.release_hold(source, NOW)
    source.refresh_from_db()
    assert (source.held_reason, source.kills, source.failures, source.next_pull_at) == ("", 0, 0, NOW)
    assert Fetch.objects.get().profile == {}


def test_the_starter_sources_come_once_and_keep_a_curators_changes() -> None:
    assert starters.load() > 60
    Source.objects.filter(slug="huggingface").update(is_enabled=False, name="Ours")
    assert starters.load() == 0
    assert Source.objects.get(slug="huggingface").name == "Ours"
    assert Source.objects.filter(is_enabled=True, kind="arxiv").count() >= 10


def test_every_starter_is_asked_at_its_publishers_own_address_and_never_a_whole_archive() -> None:
    for values in starters.starters():
        assert str(values["url"]).startswith("https://")
        assert Source(**values).kind in registry.KINDS
        if values["kind"] == "arxiv":
            assert "." in str(values["url"]).rpartition("/")[2] or "-" in str(values["url"]).rpartition("/")[2]


def test_an_opml_list_comes_back_as_it_went(tmp_path: Path) -> None:
    starters.load()
    path = tmp_path / "sources.opml"
    call_command("export_opml", str(path), "--all", "--json")
    before = {row[0]: row for row in Source.objects.values_list("url", "kind", "name", "fallbacks")}
    Source.objects.all().delete()
    call_command("import_opml", str(path), "--json")
    assert {row[0]: row for row in Source.objects.values_list("url", "kind", "name", "fallbacks")} == before
    assert sum(bool(fallbacks) for *_, fallbacks in before.values()) > 60


RSS, ATOM, LISTING, API = ("rss.arxiv.org/rss/", "rss.arxiv.org/atom/", "arxiv.org/list/", "export.arxiv.org/api/")


@pytest.mark.parametrize(
    ("kind", "url", "asked"),
    [
        ("arxiv", "https://rss.arxiv.org/atom/cs.CL", [RSS, LISTING, API]),
        ("arxiv", "http://export.arxiv.org/rss/hep-th", [ATOM, RSS, LISTING, API]),
        ("arxiv", "https://rss.arxiv.org/rss/CS.cl/", [ATOM, LISTING, API]),
        ("arxiv-list", "https://arxiv.org/list/physics.acc-ph/new", [ATOM, RSS, API]),
        ("arxiv", "https://rss.arxiv.org/atom/cs.AI+cs.CL", [RSS, API]),
        ("arxiv", "https://rss.arxiv.org/atom/cs", []),
        ("arxiv", "https://rss.arxiv.org/atom/cs.AI+math", []),
        ("arxiv", "https://rss.arxiv.org.evil.example/atom/cs.AI", []),
        ("feed", "https://rss.arxiv.org/atom/cs.CL", []),
        ("arxiv-api", "https://export.arxiv.org/api/query?search_query=cat:cs.CL", []),
    ],
)
def test_an_arxiv_address_of_a_category_has_its_other_forms_to_fall_back_on(
    kind: str, url: str, asked: list[str]
) -> None:
    found = additions.add(url, kind, "Ours").fallbacks
    assert [next(start for start in (*asked, "?") if start in address) for _, address in found] == asked
    assert all("cs.CL" in address for _, address in found if "cl" in url.lower())


def test_a_feeds_other_forms_are_asked_when_it_gives_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(kind: str, url: str, day: date, **_: object) -> client.Response:
        asked.append(url)
        return client.Response(kind, url, day, fault=FormatError("It is an HTML page."), status=200)

    monkeypatch.setattr(client, "request", answer)
    pull.pull(additions.add("https://rss.arxiv.org/rss/math.CO", "arxiv", "Combinatorics", is_daily=True), NOW)
    assert [url.partition("?")[0] for url in asked] == [
        "https://rss.arxiv.org/rss/math.CO",
        "https://rss.arxiv.org/atom/math.CO",
        "https://arxiv.org/list/math.CO/new",
        "https://export.arxiv.org/api/query",
    ]


def test_a_feed_readers_list_is_taken_with_its_folders_and_without_what_cannot_be_asked() -> None:
    body = b"""<opml version="1.0"><body><outline text="Folder"><outline text="Good" xmlUrl="https://e.org/feed"/>
    <outline text="Inside" xmlUrl="file:///etc/passwd"/></outline><outline text="Good" xmlUrl="https://e.org/feed"/>
    <outline text="No address"/></body></opml>"""
    found = opml.add(body)
    assert found.added == ("Good",)
    assert len(found.left_out) == 2
    assert Source.objects.get().kind == "feed"


@pytest.mark.parametrize(
    "body", [b"", b"<rss/>", b"not xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><opml/>", b"x" * 3_000_000]
)
def test_what_is_no_opml_is_refused(body: bytes) -> None:
    with pytest.raises(opml.OpmlError):
        opml.read(body)


LAUGHS = """<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "https://e.org/"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<opml><body><outline text="&b;" xmlUrl="&b;"/></body></opml>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_f55_s14_an_opml_lists_document_type_is_refused_in_every_encoding(encoding: str) -> None:
    with pytest.raises(opml.OpmlError, match=r"document type|not well-formed"):
        opml.read(LAUGHS.encode(encoding))
    with pytest.raises(opml.OpmlError, match="document type"):
        opml.read(LAUGHS.encode("utf-16"))


def test_an_honest_opml_list_is_read_in_utf_16_and_one_of_an_unknown_encoding_is_refused() -> None:
    plain = '<?xml version="1.0"?><opml><body><outline text="Ä" xmlUrl="https://e.org/f"/></body></opml>'
    assert [(one.name, one.url) for one in opml.read(plain.encode("utf-16"))] == [("Ä", "https://e.org/f")]
    for named in (b"zip", b"nonsense", b"idna", b"utf-7"):
        with pytest.raises(opml.OpmlError, match="not well-formed"):
            opml.read(plain.encode().replace(b'"1.0"', b'"1.0" encoding="' + named + b'"'))


@pytest.mark.thorough
def test_the_samples_make_a_day_of_today_and_keep_their_papers_dates() -> None:
    fetches = pull.pull_samples(NOW)
    assert {fetch.outcome for fetch in fetches} == {"ok"}
    assert Paper.objects.count() == sum(fetch.new for fetch in fetches) >= 55
    assert set(Announcement.objects.values_list("day", flat=True)) == {DAY}
    assert set(Paper.objects.values_list("published_on__year", flat=True)) <= {2023, 2025, 2026}
    assert all(paper.abstract and paper.authors for paper in Paper.objects.all())
    assert {fetch.outcome for fetch in pull.pull_samples(NOW)} == {"unchanged"}
    assert not Source.objects.filter(is_enabled=True).exists()


def test_the_samples_abstracts_are_nobody_elses(captured: Path) -> None:
    """Written for Offprint: no run of eight words is in any captured abstract."""
    theirs = "".join(path.read_text(errors="replace") for path in sorted(captured.glob("hf_daily/2026-08-21.json")))
    theirs += "".join(path.read_text() for path in sorted(captured.glob("arxiv/rss_rebuilt/2025-04-0[78]*.xml")))
    squeezed = " ".join(theirs.split())
    for sample in samples.today(NOW):
        for entry in sample.reply.batch.entries if sample.reply.batch else ():
            said = entry.abstract.split()
            assert not any(" ".join(said[n : n + 8]) in squeezed for n in range(len(said) - 7)), entry.title


def test_past_days_are_asked_one_by_one_and_progress_is_told(publisher: Publisher) -> None:
    days = [DAY - timedelta(days=n) for n in (3, 2, 1)]
    for n, day in enumerate(days):
        publisher.says(feeds.huggingface_day(day, 5, 1 + 10 * n), f"/api?date={day}")
    source, told = make.source("huggingface", kind="huggingface", url=publisher.url("/api?date={day}")), list[str]()
    fetches = list(backfill.days(source, days[0], days[-1], NOW, told.append))
    assert [fetch.outcome for fetch in fetches] == ["ok"] * 3
    assert set(Announcement.objects.values_list("day", flat=True)) == set(days)
    assert told[-1] == "3 of 3: 2026-06-02: ok, 5 new"
    source.refresh_from_db()
    assert source.next_pull_at is None


def test_arxivs_past_is_asked_through_the_api_by_date_and_by_id(publisher: Publisher, captured: Path) -> None:
    body = (captured / "arxiv/api_query_atom/id_1605.08386_s0_m100_199195aa31ad.atom.xml").read_bytes()
    publisher.says(body, "/api/query")
    source = make.source(
        "arxiv-math-co", fallbacks=[["arxiv-api", publisher.url("/api/query?q={compact}0000&start={cursor}")]]
    )
    assert [
        fetch.new for fetch in backfill.days(source, date(2016, 5, 26), date(2016, 5, 26), NOW, lambda _: None)
    ] == [1]
    assert "q=201605260000&start=0" in publisher.asked[0][0]
    list(backfill.ids(source, ["arXiv:1605.08386v1", "hep-ex/0307015"], NOW, lambda _: None))
    assert "id_list=1605.08386,hep-ex/0307015&max_results=2" in publisher.asked[1][0]
    assert Announcement.objects.get().day == date(2016, 5, 27)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [("2026-06-03", "2026-06-01", "earlier to the later"), ("2026-06-01", "2026-07-01", "still to come")],
)
def test_days_that_cannot_be_asked_for_are_refused(first: str, last: str, said: str) -> None:
    with pytest.raises(backfill.BackfillError, match=said):
        list(backfill.days(make.source(), date.fromisoformat(first), date.fromisoformat(last), NOW, print))


def test_a_journals_past_cannot_be_asked_for() -> None:
    with pytest.raises(backfill.BackfillError, match="only what is new"):
        list(backfill.days(make.source("journal", kind="feed"), DAY, DAY, NOW, print))
    with pytest.raises(backfill.BackfillError, match="not an arXiv id"):
        list(backfill.ids(make.source(), ["nonsense"], NOW, print))


def test_oai_pages_are_followed_by_their_tokens(publisher: Publisher) -> None:
    record = '<record><header/><metadata><arXivRaw><id>2606.{0:05d}</id><version version="v1"><date>Mon, 01 Jun 2026 10:00:00 GMT</date></version><title>T</title></arXivRaw></metadata></record>'  # fmt: skip  # noqa: E501
    page = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{0}<resumptionToken>{1}</resumptionToken></ListRecords></OAI-PMH>'
    publisher.says(
        page.format(record.format(1), "tok|2").encode(), "/oai?verb=ListRecords&from=2026-06-01&until=2026-06-02"
    )
    publisher.says(page.format(record.format(2), "").encode(), "/oai?verb=ListRecords&resumptionToken=tok%7C2")
    source = make.source("oai", kind="oai-pmh", url=publisher.url("/oai?verb=ListRecords&from={day}"))
    fetches = list(backfill.days(source, date(2026, 6, 1), date(2026, 6, 2), NOW, lambda _: None))
    assert [(fetch.outcome, fetch.new) for fetch in fetches] == [("ok", 2)]


def test_biorxivs_cursor_is_followed_to_its_total(publisher: Publisher) -> None:
    day = DAY - timedelta(days=1)
    for cursor in (0, 30, 60):
        rows = [
            ROW | {"doi": f"10.1101/{n}", "date": str(day), "version": "1"} for n in range(cursor, min(cursor + 30, 70))
        ]
        publisher.says(biorxiv(*rows, total="70"), f"/details/{day}/{day}/{cursor}/json")
    source = make.source("biorxiv", kind="biorxiv", url=publisher.url("/details/{day}/{until}/{cursor}/json"))
    fetch = pull.pull(source, NOW)
    assert (fetch.outcome, fetch.new, fetch.warnings) == ("ok", 70, [])


def test_votes_are_read_again_on_days_one_three_and_seven(publisher: Publisher) -> None:
    day = DAY - timedelta(days=1)
    source = make.source("huggingface", kind="huggingface", url=publisher.url("/api?date={day}"), is_daily=True)
    looks = {}
    for passed in range(1, 12):
        now = NOW + timedelta(days=passed - 1)
        rows = json.loads(feeds.huggingface_day(day, 3))
        for row in rows:
            row["paper"]["upvotes"] = passed * 10
        publisher.answers.clear()
        publisher.says(json.dumps(rows).encode(), f"/api?date={day}")
        looks[passed] = len(pull.pull(source, now).ids) if passed == 1 else len(vote_refresh.pull(now))
    assert [passed for passed, count in looks.items() if count] == [1, 3, 7]
    assert list(VoteSnapshot.objects.order_by("age").values_list("age", "upvotes").distinct()) == [
        (1, 10),
        (3, 30),
        (7, 70),
    ]
    assert Announcement.objects.count() == 3


def test_the_pull_command_answers_with_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "day.json"
    path.write_bytes(feeds.huggingface_day(DAY, 4))
    call_command("pull", "--file", str(path), "--kind", "huggingface", "--at", "2026-06-04T06:00:00Z", "--json")
    counts = {"entries": 4, "new": 4, "updated": 0, "known": 0, "rejected": 0, "warnings": []}
    fetch = {"source": "huggingface", "outcome": "ok", "http_status": None} | counts
    assert json.loads(capsys.readouterr().out) == {"fetches": [fetch]}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--file", "/no/such"], 2, "needs --kind"),
        (["--file", "/no/such", "--kind", "arxiv"], 2, "cannot be read"),
        (["--kind", "arxiv"], 2, "goes with --file"),
        (["--source", "nobody"], 2, "no source 'nobody'"),
        (["--from", "2026-06-01"], 2, "need --source"),
    ],
)
def test_the_pull_command_says_what_its_words_should_be(words: list[str], code: int, said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as error:
        call_command("pull", *words, "--json")
    assert error.value.code == code
    assert said in json.loads(capsys.readouterr().out)["error"]


def test_a_pull_that_brings_nothing_but_faults_fails(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "page.html").write_bytes(b"<html><title>Maintenance</title></html>")
    with pytest.raises(SystemExit) as error:
        call_command("pull", "--file", str(tmp_path / "page.html"), "--kind", "arxiv", "--json")
    assert error.value.code == 1
    answer = json.loads(capsys.readouterr().out)["fetches"][0]
    assert (answer["outcome"], answer["new"]) == ("format_error", 0)
    assert "HTML page titled “Maintenance”" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("period", "asked"),
    [
        ("week", ["2026-W21", "2026-W22", "2026-W23"]),
        ("month", ["2026-05", "2026-06"]),
        ("day", ["2026-05-22", "2026-06-02"]),
    ],
)
def test_hugging_faces_past_is_asked_by_day_week_or_month(publisher: Publisher, period: str, asked: list[str]) -> None:
    publisher.says(feeds.huggingface_day(date(2026, 6, 1), 3), "/api")
    source = make.source("huggingface", kind="huggingface", url=publisher.url(f"/api?{period}={{{period}}}"))
    list(backfill.days(source, date(2026, 5, 22), date(2026, 6, 2), NOW, lambda _: None))
    seen = [path.partition("=")[2] for path, _ in publisher.asked]
    assert (seen if period != "day" else [seen[0], seen[-1]]) == asked
    assert set(Announcement.objects.values_list("day", flat=True)) == {date(2026, 6, 1)}
