"""What publishers' systems leave around an abstract is taken away where its form is certain, and only there."""

from __future__ import annotations

import json
from datetime import date

import pytest

from digest.sources.parsers import biorxiv, huggingface, leftovers
from digest.sources.parsers.feed import read

DAY = date(2026, 6, 3)
TITLE = "Moths & lamps"


@pytest.mark.parametrize(
    "written",
    [
        "<h2>Abstract</h2><p>Moths love lamps.</p>",
        "<jats:title>Abstract</jats:title><jats:p>Moths love lamps.</jats:p>",
        "<div class='boxTitle'><b>ABSTRACT</b></div>Moths love lamps.",
        "Abstract: Moths love lamps.",
        "<p><strong>Summary:</strong> Moths love lamps.</p>",
        "ABSTRACT Moths love lamps.",
        "<p>Zusammenfassung</p><p>Moths love lamps.</p>",
        "摘要：Moths love lamps.",
        "arXiv:2606.00001v2 Announce Type: replace-cross \nAbstract: Moths love lamps.",
    ],
)
def test_the_head_of_an_abstract_goes(written: str) -> None:
    assert leftovers.abstract(written) == "Moths love lamps."


@pytest.mark.parametrize(
    "written",
    [
        "Abstract algebra is hard.",
        "Abstract Algebra Is Hard.",
        "Summary statistics improve.",
        "Background: Moths. Methods: Lamps.",
        "<i>Abstract</i> art moves moths.",
        "<p>Summary <b>statistics</b> improve.</p>",
        "The post office reads more letters [1].",
        "We read more.",
        "The interval is [a, b]",
    ],
)
def test_words_of_the_abstract_itself_stay(written: str) -> None:
    plain = written.replace("<p>", "").replace("</p>", "").replace("<b>", "").replace("</b>", "")
    assert leftovers.abstract(written, TITLE) == plain.replace("<i>", "").replace("</i>", "")


@pytest.mark.parametrize(
    "end",
    [
        '<p>The post <a href="https://e.example/1">Moths &#038; lamps</a> appeared first on <a href="/">Blog</a>.</p>',
        '<p>Der Beitrag <a rel="x" href="/1">Moths &amp; lamps</a> erschien zuerst auf <a href="/">Blog</a>.</p>',
        "<p>The post Moths &amp; lamps appeared first on Blog.</p>",
        '<p><a class="more-link" href="/1">Continue reading <span class="screen-reader-text">"Moths"</span></a></p>',
        ' <a href="/1">Read more…</a>',
        '<p><a href="/1">[Read more &raquo;]</a></p></div>',
        '<a href="/1">Weiterlesen →</a>',
        '<img src="https://t.example/i.gif" width="1" height="1" alt="">',
        "<!-- wp:paragraph --><!-- /wp:paragraph -->",
    ],
)
def test_the_line_that_a_blog_puts_at_the_end_goes(end: str) -> None:
    assert leftovers.abstract(f"<p>Moths love lamps.</p>{end}", TITLE) == "Moths love lamps."


@pytest.mark.parametrize("mark", [" [&#8230;]", "… [&hellip;]", "... [...]", " [ … ]", " […]"])
def test_what_was_cut_short_ends_with_one_mark(mark: str) -> None:
    assert leftovers.abstract(f"Moths love{mark}", TITLE) == "Moths love…"


def test_a_foot_about_another_post_stays() -> None:
    foot = '<p>The post <a href="/2">Owls</a> appeared first on <a href="/">Blog</a>.</p>'
    assert leftovers.abstract(f"Moths.{foot}", TITLE) == "Moths. The post Owls appeared first on Blog."


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("O_ST_ABSBackgroundC_ST_ABSMoths love lamps.", "Background Moths love lamps."),
        ("AbstractO_ST_ABSAimsC_ST_ABSLamps.", "Aims Lamps."),
        ("O_LIMothsC_LIO_LILampsC_LI", "Moths Lamps"),
        ("O_SCPLOWNFC_SCPLOW-{kappa}B at 5 {micro}m {Delta}x", "NF-κB at 5 µm Δx"),
        ("Moths. O_FIG O_LINKSMALLFIG SRC='x.gif' View larger version (9K): M_FIG C_FIG Lamps.", "Moths. Lamps."),
        ("<b>Abstract</b> Moths {unknown} lamps.", "Moths {unknown} lamps."),
    ],
)
def test_biorxivs_typesetting_goes(written: str, words: str) -> None:
    row = {"doi": "10.1101/1", "title": "T", "abstract": written, "version": "1", "date": "2026-06-03"}
    body = json.dumps({"messages": [{"status": "ok"}], "collection": [row]}).encode()
    assert biorxiv.read(body, DAY).entries[0].abstract == words


def test_entities_and_heads_go_in_texts_that_are_no_html() -> None:
    people = [{"name": "J&uuml;rgen Example"}]
    paper = {"id": "2606.00001", "title": "Q&amp;A", "summary": "Abstract: A&nbsp;<think> &#8211; B", "authors": people}
    entry = huggingface.read(json.dumps([{"paper": paper}]).encode(), DAY).entries[0]
    assert (entry.title, entry.abstract, entry.authors) == ("Q&A", "A <think> – B", ("Jürgen Example",))
    item = {"id": "https://e.example/1", "title": "T", "content_text": "Summary: A&nbsp;<think>"}
    assert read(json.dumps({"items": [item]}).encode(), DAY).entries[0].abstract == "A <think>"
