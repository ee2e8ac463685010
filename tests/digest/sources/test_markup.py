"""Tags taken off texts: what stands between words parts them, what stands inside a word leaves no gap."""

from __future__ import annotations

import json
from datetime import date
from xml.sax.saxutils import escape

import pytest

from digest.sources.parsers import markup, text
from digest.sources.parsers.feed import read

DAY = date(2026, 6, 3)


def _words(names: str) -> list[str]:
    return names.split()


PARTING = _words(
    "article blockquote br caption center dd div dl dt embed figure h1 h6 hr iframe img input li link nav object ol "
    "option p pre section select table td th tr ul video jats:p jats:title jats:list-item jats:sec sec list-item"
)
INSIDE = _words(
    "a abbr b bdi cite code del dfn em font i ins kbd mark mi mn mo q s samp small span strong sub sup tt u var wbr "
    "italic bold sc styled-content jats:italic jats:sub jats:sc jats:xref mml:mi mml:msub m:mn"
)


@pytest.mark.parametrize("name", PARTING)
def test_a_tag_between_words_parts_them(name: str) -> None:
    assert text.unmarked(f"moths<{name}>lamps</{name}>nights") == "moths lamps nights"
    assert text.unmarked(f"moths<{name.upper()} class='x'/>lamps") == "moths lamps"
    assert text.unmarked(f"moths<{name} hidden>lamps") == "moths lamps"


@pytest.mark.parametrize("name", INSIDE)
def test_a_tag_inside_a_word_leaves_no_gap(name: str) -> None:
    assert text.unmarked(f"H<{name}>2</{name}>O, and <{name} title='a > b'>more</{name}>") == "H2O, and more"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<ul><li>moths</li><li>lamps</li></ul>nights", "moths lamps nights"),
        ("<table><tr><td nowrap>moths</td><td>lamps</td></tr></table>", "moths lamps"),
        ("moths<br clear='all'>lamps<br/><br >nights", "moths lamps nights"),
        ("moths<img src='https://e.example/p.gif' width=1 height=1>lamps", "moths lamps"),
        ("moths<img alt='p > 0.05' src=x>lamps<img title=don't>nights", "moths lamps nights"),
        ("moths<iframe src='https://e.example/' allowfullscreen></iframe>lamps", "moths lamps"),
        ("moths<!-- a <b>note</b> -->lamps <!--more--> nights", "mothslamps nights"),
        ("moths <!-- never closed", "moths <!-- never closed"),
        ("<![CDATA[moths]]> and <?xml:namespace prefix = o /><!DOCTYPE html>lamps<![endif]>", "moths and lamps"),
        ("moths<picture><source srcset='a.webp'></picture>lamps", "moths lamps"),
        ("our <source>, <image>, <think> and i<j", "our <source>, <image>, <think> and i<j"),
        ("<script>if (a<b) moths()</script>lamps<style>p>a{}</style>", "lamps"),
        ('lamps<img class="wp-smiley" alt="\U0001faa9" src="x">', "lamps\U0001faa9"),
        ('a root <img class="latex" alt="\\sqrt{2}" src="x">', "a root $\\sqrt{2}$"),
    ],
)  # fmt: skip
def test_whole_markup_becomes_its_words(written: str, words: str) -> None:
    assert text.unmarked(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("moths&nbsp;and&#8201;lamps", "moths and lamps"),
        ("moths &amp;amp; lamps", "moths & lamps"),
        ("moths&amp;nbsp;and &amp;#8211; lamps", "moths and – lamps"),
        ("&lt;p&gt;moths&lt;/p&gt;&lt;p&gt;lamps &amp;amp; nights&lt;/p&gt;", "moths lamps & nights"),
        ("moths&lt;br /&gt;lamps", "moths lamps"),
        ("a tag is written &lt;b&gt; or &lt;think&gt;", "a tag is written <b> or <think>"),
        ("AT&T, Q&A; x &lt; y", "AT&T, Q&A; x < y"),
    ],
)
def test_what_was_escaped_twice_is_read_twice(written: str, words: str) -> None:
    assert text.unmarked(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (
            "<alternatives><tex-math>\\documentclass[12pt]{minimal}\\begin{document}$$n^2$$\\end{document}"
            "</tex-math><mml:math><mml:msup><mml:mi>n</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:math></alternatives>!",
            "$$n^2$$!",
        ),
        ("<jats:alternatives><jats:tex-math>$n$</jats:tex-math><mml:math>n</mml:math></jats:alternatives>s", "$n$s"),
        (
            '<math><semantics><mi>n</mi><annotation encoding="application/x-tex">n^2</annotation></semantics></math>',
            "$n^2$",
        ),
        ("<math><mi>n</mi><mo>=</mo><mn>2</mn></math> moths", "n=2 moths"),
        ("\\documentclass{minimal}\\begin{document}$n$\\end{document} moths", "$n$ moths"),
        ("<alternatives>never closed <tex-math>$n$", "never closed $n$"),
    ],
)
def test_one_formula_is_said_once(written: str, words: str) -> None:
    assert text.unmarked(written) == words


@pytest.mark.parametrize(
    "opened",
    ['<a x="', "<!--", "<alternatives>", "<math>", "<img class='emoji' ", "<math><annotation x-tex>", "<p hidden "],
)
def test_markup_that_never_ends_is_read_in_one_go(opened: str) -> None:
    assert isinstance(markup.taken_off(opened * 2_000), str)


WRITTEN = "Moths<br>love lamps<ul><li>often</li></ul>at night"
PEOPLE = "Ada Example<br>Ben Sample"
LINK = "https://e.example/1"
JSON = {"id": LINK, "title": WRITTEN, "authors": [{"name": PEOPLE}], "content_html": WRITTEN}


def item(written: str, people: str) -> str:
    """An RSS feed of one item."""
    words = f"<title>{written}</title><author>{people}</author><description>{written}</description>"
    return f"<rss version='2.0'><channel><item><link>{LINK}</link>{words}</item></channel></rss>"


def atom_entry(written: str, people: str) -> str:
    words = f"<title type='html'>{written}</title><summary type='html'>{written}</summary>"
    author = f"<author><name>{people}</name></author>"
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><entry>{words}{author}<link href='{LINK}'/></entry></feed>"


@pytest.mark.parametrize(
    "body",
    [
        item(escape(WRITTEN), escape(PEOPLE)),
        item(f"<![CDATA[{WRITTEN}]]>", f"<![CDATA[{PEOPLE}]]>"),
        item(escape(escape(WRITTEN)), escape(escape(PEOPLE))),
        atom_entry(escape(WRITTEN), escape(PEOPLE)),
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [JSON]}),
    ],
)
def test_a_feeds_words_are_apart_in_every_form(body: str) -> None:
    entry = read(body.encode(), DAY).entries[0]
    assert (entry.title, entry.abstract) == ("Moths love lamps often at night",) * 2
    assert entry.authors == ("Ada Example", "Ben Sample")
