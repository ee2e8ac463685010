"""Feeds of editions, topics and searches."""

from __future__ import annotations

import json
import re
from datetime import date
from io import BytesIO

import feedparser
import pytest
from django.test import Client
from django.utils import timezone
from markupsafe import escape

from digest import search
from tests import make
from tests.digest.site.test_attacks import patterns

pytestmark = pytest.mark.django_db
FEEDS = ["/feed", "/day/2026-06-03/feed", "/topic/speech/feed", "/search/feed"]
QUERY = {"q": "speech"}


@pytest.fixture
def _papers() -> None:
    make.topic("speech")
    make.edition(
        papers=[
            make.paper("Speech & <noise>", authors=["Ada Example"], abstract="A <b>bold</b> claim."),
            make.paper("Speech\x01 two"),
        ]
    )
    search.refresh()


@pytest.mark.usefixtures("_papers")
@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_reader_gets_the_papers(client: Client, path: str) -> None:
    answer = client.get(f"{path}.atom", QUERY)
    feed = feedparser.parse(BytesIO(answer.content), sanitize_html=False)

    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert not feed.bozo
    assert {entry.title.replace("&amp;", "&") for entry in feed.entries} >= {"Speech two"}
    assert all(entry.link.startswith("http://localhost:8000/paper/") for entry in feed.entries)
    assert feed.feed.id
    assert feed.feed.updated_parsed


@pytest.mark.usefixtures("_papers")
@pytest.mark.parametrize("path", FEEDS)
def test_a_json_feed_has_what_version_1_1_asks_for(client: Client, path: str) -> None:
    answer = client.get(f"{path}.json", QUERY)
    feed = json.loads(answer.content)

    assert answer["Content-Type"] == "application/feed+json; charset=utf-8"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"].startswith(f"http://localhost:8000{path}.json")
    assert len(feed["items"]) == 2
    assert all(item["id"] and item["url"] for item in feed["items"])


@pytest.mark.usefixtures("_papers")
@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize("form", ["atom", "json"])
def test_an_unchanged_feed_is_not_sent_again(client: Client, path: str, form: str) -> None:
    first = client.get(f"{path}.{form}", QUERY)

    assert "public, max-age=900" in first["Cache-Control"]
    by_tag = client.get(f"{path}.{form}", QUERY, headers={"if-none-match": first["ETag"]})
    by_date = client.get(f"{path}.{form}", QUERY, headers={"if-modified-since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert by_tag.content == b""


@pytest.mark.usefixtures("_papers")
def test_s11_a_feeds_texts_stay_texts(client: Client) -> None:
    text = client.get("/feed.atom").content.decode()

    assert "<noise>" not in text
    assert "<b>" not in text


@pytest.mark.parametrize("path", ["/feed", "/topic/speech/feed", "/search/feed"])
def test_an_empty_archive_has_an_empty_feed_of_today(client: Client, path: str) -> None:
    make.topic("speech")
    answer = client.get(f"{path}.atom", QUERY)
    feed = feedparser.parse(BytesIO(answer.content))

    assert client.get(f"{path}.json", QUERY).json()["items"] == []
    assert date(*feed.feed.updated_parsed[:3]) == timezone.now().date()
    assert "1970" not in answer["Last-Modified"]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_says_when_the_edition_brought_a_paper_and_what_the_curator_made_of_it(
    client: Client, path: str
) -> None:
    make.topic("speech")
    own = date(2026, 5, 20)
    papers = [make.paper("Speech & more", abstract="If a<b then c.", published_on=own), make.paper("Speech", doi="")]
    make.edition(papers=papers).entries.filter(paper=papers[0]).update(is_pinned=True, note="Mind <4>.")
    search.refresh()
    atom = client.get(f"{path}.atom", QUERY).content.decode()
    entry = next(one for one in feedparser.parse(atom, sanitize_html=False).entries if "more" in one.title)
    items = {one["title"]: one for one in client.get(f"{path}.json", QUERY).json()["items"]}
    item = items["Speech & more"]

    assert entry.published == "2026-06-03T06:00:00+00:00"
    assert entry.prism_publicationdate == item["_paper"]["published_on"] == "2026-05-20"
    assert entry.summary == "<p>The curator’s note: Mind &lt;4&gt;.</p><p>If a&lt;b then c.</p>"
    assert [tag.term for tag in entry.tags] == item["tags"] == ["pinned", "cs.CL"]
    assert item["date_published"] == "2026-06-03T06:00:00+00:00"
    assert item["content_text"] == "The curator’s note: Mind <4>.\n\nIf a<b then c."
    assert (item["_paper"]["is_pinned"], items["Speech"]["_paper"]["is_pinned"]) == (True, False)


@pytest.mark.usefixtures("_papers")
def test_each_author_has_an_element_of_their_own_up_to_twenty(client: Client) -> None:
    many = [f"Author {n}" for n in range(300)]
    make.edition(date(2026, 6, 4), [make.paper("Speech", authors=many)])
    entry = feedparser.parse(client.get("/feed.atom").content).entries[0]

    assert [author.name for author in entry.authors] == many[:20]
    assert [author["name"] for author in client.get("/feed.json").json()["items"][0]["authors"]] == many[:20]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/day/2026-06-03/feed.atom", 404),
        ("/topic/none/feed.json", 404),
        ("/search/feed.atom", 404),
        ("/search/feed.atom?q=%22", 400),
        ("/feed.rss", 404),
    ],
)
def test_a_feed_of_nothing_is_refused(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


WORLDS, LATER = "EnvHarness, awakening static worlds", "Later: EnvHarness awakening static worlds"


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("EnvHarness: Awakening Static Worlds", [LATER, WORLDS]),
        ("2608.19880", [WORLDS]),
        ("https://arxiv.org/abs/2608.19880v2", [WORLDS]),
        ("10.48550/arXiv.2608.19880", [WORLDS]),
        ("https://nowhere.example/x", []),
        ("Chen, Wei-Lin", ["By her"]),
    ],
)
def test_a_search_has_a_feed_of_the_papers_its_page_finds(client: Client, q: str, found: list[str]) -> None:
    papers = [
        make.paper(WORLDS, arxiv_id="2608.19880", published_on="2026-05-01"),
        make.paper(LATER, published_on="2026-06-01"),
        make.paper("By her", authors=["Wei-Lin Chen"]),
    ]
    search.refresh()
    feed, page = client.get("/search/feed.json", {"q": q}), client.get("/search/", {"q": q}).content.decode()

    assert [item["title"] for item in feed.json()["items"]] == found
    assert {paper.title for paper in papers if f'href="/paper/{paper.pk}/"' in page} == set(found)


def test_a_feed_waits_for_rare_words_and_holds_nothing_that_is_only_near(client: Client) -> None:
    make.paper("Insects plan")
    search.refresh()
    q = {"q": "do insects ever plan?"}

    assert "Insects plan" in client.get("/search/", q).content.decode()
    assert client.get("/search/feed.json", q).json()["items"] == []


@pytest.mark.parametrize("q", ["titel: speech", "https://[", "-survey"])
def test_a_feed_refuses_what_the_page_refuses_in_the_same_words(client: Client, q: str) -> None:
    answer = client.get("/search/feed.atom", {"q": q})

    assert answer.status_code == 400
    assert escape(answer.content.decode().strip()) in client.get("/search/", {"q": q}).content.decode()


@pytest.mark.parametrize(("form", "start"), [("bib", b"@misc{example2026study,"), ("ris", b"TY  - UNPB")])
def test_a_paper_is_cited_as_a_file(client: Client, form: str, start: bytes) -> None:
    one = make.paper("A study", authors=["Ada Example"], published_on=date(2026, 6, 3))
    answer = client.get(f"/paper/{one.pk}/cite.{form}")

    assert answer["Content-Disposition"] == f'attachment; filename="paper-{one.pk}.{form}"'
    assert answer.content.startswith(start)


def test_crawlers_are_kept_from_what_is_not_for_them(client: Client) -> None:
    text = client.get("/robots.txt").content.decode()
    signed = {path.lstrip("^")[:2] for path, _ in patterns() if re.match(r"\^?[a-z]/.*token", path)}

    assert signed
    assert [start for start in signed if f"Disallow: /{start}" not in text] == []
    assert "Disallow: /search/" in text
