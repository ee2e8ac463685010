"""Relative addresses in feeds: completed by xml:base, by the home page, by the feed's own address, in that order."""

from __future__ import annotations

import json
from datetime import date

import pytest

from digest.papers.entry import FormatError
from digest.sources.parsers import feed, huggingface, sandbox

DAY = date(2026, 6, 3)
OWN = "https://feeds.example/rss/all.xml"
SELF = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='https://self.example/f/feed.xml'/>"


def rss(link: str, head: str = "", base: str = "") -> bytes:
    item = f"<item{base}><title>Moths</title><link>{link}</link></item>"
    return f"<rss version='2.0'><channel><title>T</title>{head}{item}</channel></rss>".encode()


@pytest.mark.parametrize(
    ("link", "head", "base", "whole"),
    [
        ("p/1", "<link>https://home.example/x/</link>", " xml:base='https://base.example/y/'", "https://base.example/y/p/1"),
        ("p/1", "<link>https://home.example/x/</link>" + SELF, "", "https://home.example/x/p/1"),
        ("/p/1", "<link>/x/</link>" + SELF, "", "https://self.example/p/1"),
        ("/p/1", SELF, "", "https://self.example/p/1"),
        ("../p/1", "", "", "https://feeds.example/p/1"),
        ("p/1", "<link>/front/</link>", "", "https://feeds.example/front/p/1"),
        ("p/1", "<link>//home.example/</link>", "", "https://home.example/p/1"),
        ("//cdn.example/p/1", "<link>http://home.example/</link>", "", "http://cdn.example/p/1"),
        ("?p=1", "<link>https://home.example/</link>", "", "https://home.example/?p=1"),
        ("\n  /p/a b\n", "<link>\n https://home.example/\n</link>", "", "https://home.example/p/a%20b"),
        ("https://e.example/\n   p/1", "", "", "https://e.example/p/1"),
        ("https://e.example/?a=1&amp;amp;b=2", "", "", "https://e.example/?a=1&b=2"),
        ("www.e.example/p/1", "<link>https://home.example/</link>", "", "https://www.e.example/p/1"),
    ],
)  # fmt: skip
def test_a_relative_address_leads_on_from_the_nearest_base(link: str, head: str, base: str, whole: str) -> None:
    assert feed.read(rss(link, head, base), DAY, OWN).entries[0].url == whole


def test_an_address_without_its_scheme_needs_no_base() -> None:
    assert feed.read(rss("//cdn.example/p/1"), DAY).entries[0].url == "https://cdn.example/p/1"


@pytest.mark.parametrize("link", ["p/1", "javascript:alert(1)", "//", "http://[bad"])
def test_what_leads_nowhere_is_left_out(link: str) -> None:
    with pytest.raises(FormatError, match="address"):
        feed.read(rss(link), DAY)


@pytest.mark.parametrize(
    ("head", "whole"),
    [
        ({"home_page_url": "https://home.example/x/", "feed_url": "https://self.example/f"}, "https://home.example/x/p/1"),
        ({"home_page_url": "/x/", "feed_url": "https://self.example/f"}, "https://self.example/x/p/1"),
        ({"feed_url": "https://self.example/f/"}, "https://self.example/f/p/1"),
        ({"feed_url": "/f/", "home_page_url": None}, "https://feeds.example/rss/p/1"),
        ({}, "https://feeds.example/rss/p/1"),
    ],
)  # fmt: skip
def test_a_json_feeds_addresses_are_completed_too(head: dict[str, str], whole: str) -> None:
    body = json.dumps({"items": [{"id": "1", "url": "p/1", "title": "Moths"}]} | head).encode()
    assert feed.read(body, DAY, OWN).entries[0].url == whole


def test_an_atom_entry_leads_on_from_the_nearest_xml_base() -> None:
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://base.example/'><link href='/front/'/>"
        b"<entry xml:base='in/'><title>Moths</title><id>1</id><link href='p/1'/></entry></feed>"
    )
    assert feed.read(body, DAY, OWN).entries[0].url == "https://base.example/in/p/1"


def test_the_child_is_told_where_the_bytes_came_from() -> None:
    own = "https://feeds.example/b ü\n/all.xml"
    assert sandbox.parse("feed", rss("p/1"), DAY, own).entries[0].url == "https://feeds.example/b%20%C3%BC%0A/p/1"


@pytest.mark.parametrize("both", [True, False])
def test_one_name_in_two_kinds_of_elements_is_one_person(both: bool) -> None:
    second = b"<dc:creator>Wei Example</dc:creator>" if both else b"<author><name>Wei Example</name></author>"
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:dc='http://purl.org/dc/elements/1.1/'><entry>"
        b"<title>Moths</title><id>https://e.example/1</id><link href='https://e.example/1'/>"
        b"<author><name>Wei Example</name></author>" + second + b"</entry></feed>"
    )
    assert feed.read(body, DAY).entries[0].authors == ("Wei Example",) * (1 if both else 2)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("https://github.com/e/x\n", "https://github.com/e/x"),
        ("https://github.com/e/x\nhttps://github.com/e/y", "https://github.com/e/x"),
        ("\n github.com/e/x ", "https://github.com/e/x"),
        ("https://github.com/e/x\n(soon)", "https://github.com/e/x"),
        ("coming soon", ""),
    ],
)
def test_a_code_link_has_no_line_breaks(written: str, code: str) -> None:
    paper = {"id": "2606.00001", "title": "Moths", "githubRepo": written, "projectPage": written}
    entry = huggingface.read(json.dumps([{"paper": paper}]).encode(), DAY).entries[0]
    assert (entry.code_url, entry.project_url) == (code, code)
