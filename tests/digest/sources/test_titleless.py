"""Entries without a title: their first words stand for it; without words they are left out, and that is said."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.models import Paper
from digest.papers.entry import FormatError
from digest.sources import pull
from digest.sources.parsers.feed import read

DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
LONG = "We counted moths at the lamp of the old mill every night of the summer and found that they come "


def rss(*items: str) -> bytes:
    links = (f"<item><link>https://posts.example/{n}</link>{item}</item>" for n, item in enumerate(items))
    return f"<rss version='2.0'><channel><title>Posts</title>{''.join(links)}</channel></rss>".encode()


def posts(*items: dict[str, Any]) -> bytes:
    rows = [{"id": f"https://posts.example/{n}"} | item for n, item in enumerate(items)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": rows}).encode()


@pytest.mark.parametrize(
    "title", ["", "<title/>", "<title>  </title>", "<title>&lt;br&gt;</title>", "<title>\u200b</title>"]
)
def test_the_first_sentence_stands_for_the_title(title: str) -> None:
    text = "<description>&lt;p&gt;Moths love lamps. We asked why.&lt;/p&gt;</description>"
    entry = read(rss(title + text), DAY).entries[0]
    assert (entry.title, entry.abstract) == ("Moths love lamps.", "Moths love lamps. We asked why.")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Moths love lamps", "Moths love lamps"),
        ("Is it 3.5 lamps? Or two", "Is it 3.5 lamps?"),
        ("飞蛾爱灯。我们问为什么。", "飞蛾爱灯。"),
        ("https://posts.example/moths", "https://posts.example/moths"),
        (LONG * 3, f"{LONG}We counted moths at the…"),
        ("moth" * 60, "moth" * 29 + "mot…"),
    ],
)  # fmt: skip
def test_a_title_of_first_words_is_a_sentence_or_ends_between_words(text: str, title: str) -> None:
    found = read(rss(f"<description>{text}</description>"), DAY).entries[0]
    assert (found.title, len(found.title) <= 120) == (title, True)
    assert found.abstract in {"", " ".join(text.split())}


@pytest.mark.parametrize("field", ["content_text", "content_html", "summary"])
def test_json_feeds_need_no_titles_either(field: str) -> None:
    assert [one.title for one in read(posts({field: "Moths love lamps."}, {"title": "T"}), DAY).entries] == [
        "Moths love lamps.", "T",
    ]  # fmt: skip


def test_atom_entries_with_an_empty_title_are_read() -> None:
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>P</title><entry><id>https://posts.example/1</id><title/>"
        "<content type='html'>&lt;p&gt;Moths love lamps.&lt;/p&gt;</content></entry></feed>"
    )
    assert read(atom.encode(), DAY).entries[0].title == "Moths love lamps."


@pytest.mark.parametrize("body", [rss("", "<title> </title>"), posts({}, {"content_text": " "}, {"title": ""})])
def test_a_feed_without_any_words_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(FormatError, match="a title or a text"):
        read(body, DAY)


@pytest.mark.django_db
@pytest.mark.usefixtures("in_process")
def test_entries_without_words_are_left_out_and_said(tmp_path: Path) -> None:
    said = [f"<description>Moths, part {n}</description>" for n in range(3)]
    (tmp_path / "posts.xml").write_bytes(rss(*said, "<enclosure url='https://posts.example/a.jpg'/>"))
    fetch = pull.pull_file(tmp_path / "posts.xml", "feed", None, NOW)
    assert (fetch.outcome, fetch.new, fetch.rejected) == ("ok", 3, 1)
    assert any("1 entries were left out: no title or text" in one for one in fetch.warnings)
    assert Paper.objects.count() == 3
