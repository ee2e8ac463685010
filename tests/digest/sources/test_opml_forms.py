"""OPML as feed readers and people really write it: each outline is read alone, and none is lost without a word."""

from __future__ import annotations

import pytest

from digest.models import Source
from digest.sources import opml

pytestmark = pytest.mark.django_db


def opml_of(*outlines: str) -> str:
    lines = "\n".join(outlines)
    return f'<?xml version="1.0"?>\n<opml version="2.0"><head/><body>\n{lines}\n</body></opml>'


def feeds(text: str) -> list[tuple[str, str]]:
    return [(one.name, one.url) for one in opml.read(text.encode())]


@pytest.mark.parametrize(
    ("outline", "name", "url"),
    [
        ('<outline text="A&nbsp;B" xmlUrl="https://e.example/f"/>', "A B", "https://e.example/f"),
        ('<outline text="A & B" xmlUrl="https://e.example/?a=1&b=2&copy=3"/>', "A & B", "https://e.example/?a=1&b=2&copy=3"),
        ('<outline text="A &amp; &eacute;" xmlUrl="https://e.example/?a=1&amp;b=2"/>', "A & é", "https://e.example/?a=1&b=2"),
        ("<outline text='1 < 2 &#8211; \"x\"' xmlURL='https://e.example/f' ></outline>", '1 < 2 – "x"', "https://e.example/f"),
        ('<OUTLINE TEXT="Caps" XMLURL="https://e.example/f"/>', "Caps", "https://e.example/f"),
        ('<outline text="" title="" xmlUrl="https://e.example/f"/>', "https://e.example/f", "https://e.example/f"),
        ('<outline title="Only" xmlUrl=" https://e.example/f\n"/>', "Only", "https://e.example/f"),
        ('<outline text="a" xmlUrl="feed://e.example/f"/>', "a", "http://e.example/f"),
        ('<outline text="a" xmlUrl="feed:https://e.example/f"/>', "a", "https://e.example/f"),
        ('<outline text="a" xmlUrl="FEED:http://e.example/f"/>', "a", "http://e.example/f"),
        ('<outline text="a" xmlUrl="//e.example/f"/>', "a", "https://e.example/f"),
        ('<outline type="rss" text="a" title="A" xmlUrl="https://e.example/f" htmlUrl="https://e.example/"/>', "A", "https://e.example/f"),
        ('<outline text="a" version="RSS" isComment="false" xmlUrl="https://e.example/f" created="x"/>', "a", "https://e.example/f"),
        ('<outline text="a" frss:priority="main" frss:css="p > a" xmlUrl="https://e.example/f"/>', "a", "https://e.example/f"),
    ],
)  # fmt: skip
def test_an_outline_is_read_as_feed_readers_write_it(outline: str, name: str, url: str) -> None:
    assert feeds(opml_of(outline)) == [(name, url)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_is_read_in_every_encoding_with_its_mark(encoding: str) -> None:
    body = opml_of('<outline text="Ä ü" xmlUrl="https://e.example/f"/>').encode(encoding)
    assert [one.name for one in opml.read(body)] == ["Ä ü"]


def test_a_declared_encoding_is_taken() -> None:
    body = opml_of('<outline text="Ä" xmlUrl="https://e.example/f"/>').replace(
        '"1.0"', '"1.0" encoding="ISO-8859-1"', 1
    )
    assert [one.name for one in opml.read(body.encode("latin-1"))] == ["Ä"]


def test_folders_in_folders_and_comments_are_no_feeds() -> None:
    inner = '<outline text="B"><outline text="C"><outline text="D" xmlUrl="https://d.example/f"/></outline></outline>'
    text = opml_of(f'<outline text="A">{inner}</outline>', '<!-- <outline text="Z" xmlUrl="https://z.example/f"/> -->')
    assert feeds(text) == [("D", "https://d.example/f")]
    assert [one.problem for one in opml.look(text.encode())] == [""]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('<outline text="An "odd" one" xmlUrl="https://x.example/f"/>', "The outline in line 4 cannot be read"),
        ('<outline text="Never closed xmlUrl=https://x.example/f/>', "The outline in line 4 cannot be read"),
        ('<outline type="rss" text="No address"/>', "The outline in line 4 has no address"),
        ('<outline text="Page" htmlUrl="https://x.example/"/>', "The outline in line 4 has no address"),
        ('<outline text="File" xmlUrl="file:///etc/passwd"/>', "line 4 has 'file:///etc/passwd'"),
        ('<outline text="Page" type="HTML+XPath" xmlUrl="https://x.example/"/>', "not a feed"),
        ('<outline text="Named" xmlUrl="https://ada:secret@x.example/f"/>', "name or password"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place_and_the_rest_is_kept(broken: str, said: str) -> None:
    good = '<outline text="{0}" xmlUrl="https://{0}.example/f"/>'
    found = opml.add(opml_of(good.format("a"), broken, good.format("b")).encode())
    assert found.added == ("a", "b")
    assert len(found.left_out) == 1
    assert said in found.left_out[0]
    assert "secret" not in found.left_out[0]


def test_a_list_that_breaks_off_keeps_what_came() -> None:
    text = opml_of('<outline text="a" xmlUrl="https://a.example/f"/>', '<outline text="b" xmlUrl="https://b.exa')
    found = opml.add(text.partition("</body>")[0].encode().rstrip())
    assert (found.added, len(found.left_out)) == (("a",), 1)
    assert "line 4 cannot be read" in found.left_out[0]


@pytest.mark.parametrize(
    "twin",
    [
        "http://e.example/f",
        "https://e.example/f/",
        "https://www.e.example/f",
        "feed://e.example/f",
        "https://e.example/f?utm_source=reader",
    ],
)
def test_twins_of_one_address_are_one_feed(twin: str) -> None:
    text = opml_of('<outline text="a" xmlUrl="https://e.example/f"/>', f'<outline text="b" xmlUrl="{twin}"/>')
    found = opml.add(text.encode())
    assert found.added == ("a",)
    assert found.left_out == ("b: This address is a source already: a, in this list before.",)


def test_a_category_of_arxiv_is_one_feed_at_all_its_addresses() -> None:
    starts = (
        "http://export.arxiv.org/rss/",
        "http://arxiv.org/rss/",
        "https://rss.arxiv.org/rss/",
        "https://rss.arxiv.org/atom/",
    )
    rows = [f'<outline text="{n}" xmlUrl="{start}cs.NE"/>' for n, start in enumerate(starts)]
    assert opml.add(opml_of(*rows, '<outline text="o" xmlUrl="https://rss.arxiv.org/rss/cs.RO"/>').encode()).added == (
        "0",
        "o",
    )


def test_what_is_written_is_read_again() -> None:
    names = ["A & B <c>", '"quoted" \u05e9\u05dc\u05d5\u05dd', "line\nbreak", "&nbsp; \U0001fae8", "a" * 120]
    sources = [Source(name=name, url=f"https://e.example/{n}?a=1&b={n}", kind="feed") for n, name in enumerate(names)]
    read = opml.read(opml.write(sources, "T & co"))
    assert [(one.name, one.url, one.kind) for one in read] == [
        (" ".join(one.name.split()), one.url, one.kind) for one in sources
    ]
