"""Hostile feeds: no text of a paper, source, curator or reader breaks a letter or a header (S9, S11, S12, S13)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from digest.letters import compose, headers, load
from digest.letters.compose import LetterInput, Pick, ReaderLinks
from digest.letters.layout import Issue
from digest.letters.reasons import Reason
from digest.models import Paper
from subscriptions.mail.outgoing import Letter
from tests import make
from tests.digest.letters import checks, hostile

DOORS = ReaderLinks(
    preferences="https://papers.example/p/t/",
    pause="https://papers.example/p/t/#pause",
    unsubscribe="https://papers.example/u/t/",
    web="https://papers.example/l/t/",
    more="https://papers.example/l/t/more/",
    saved="https://papers.example/s/t/",
    act="https://papers.example/k/t",
)
A_LETTER = 25


def poisoned(number: int, text: str) -> Paper:
    """A paper with the same bad text in every field."""
    return Paper(
        pk=number,
        identifier=str(number),
        url=text,
        pdf_url=f"https://x.example/{text}",
        code_url=f"javascript:{text}",
        project_url=f"https://{text}",
        title=text,
        abstract=f"{text} See https://evil.example/unsubscribe now. {text}",
        authors=[text, f"{text} Two", text, text],
        primary_category=text,
        published_on=date(2026, 6, 3),
        version=2,
    )


def order(papers: list[Paper], text: str) -> LetterInput:
    issue = Issue(1, date(2026, 6, 3), text[:3000], text, 5, (text, "arXiv"), (text,), "08:00")
    said = (Reason("topic", text, (text, "b")), Reason("filter", text, ()), Reason(text[:20], text))
    picks = [Pick(load.card(paper, [text], text), said, 3) for paper in papers]
    carried = Pick(picks[0].card, said, 0, "1 June")
    return LetterInput((issue,), (*picks, carried), 99, DOORS, level="short", confirmed_on=date(2026, 1, 2))


def letter(composed: compose.RenderedLetter) -> Letter:
    return Letter(
        to="reader@example.org",
        subject=headers.subject(composed.subject),
        text=composed.text,
        html=composed.html,
        headers=headers.digest("daily", DOORS.unsubscribe, "https://papers.example", make.NOW),
        message_id="<d.1@papers.example>",
    )


@pytest.mark.slow
def test_s9_s11_s12_s13_five_thousand_hostile_texts_break_no_letter(settings: Any):
    texts = hostile.texts(5_000)
    for start in range(0, len(texts), A_LETTER):
        chunk = texts[start : start + A_LETTER]
        papers = [poisoned(number, text) for number, text in enumerate(chunk, 1)]
        composed = compose.compose(order(papers, chunk[0]))
        found = checks.assert_clean(composed.html)
        assert len(composed.html.encode()) < 90_000
        assert DOORS.unsubscribe in found.links
        assert not any("evil.example" in link and "unsubscribe" in link for link in found.links)
        assert not any(mark in composed.html + composed.text for mark in ("\u202e", "\u2066", "\ue000", "\ue001"))
        message = checks.parsed(letter(composed))
        assert "Bcc" not in message
        assert str(message["Subject"]).strip() == headers.subject(composed.subject)


def test_s9_no_name_of_the_site_breaks_a_header(settings: Any):
    for text in hostile.PARTS:
        settings.SITE_NAME = text
        made = headers.digest("daily", DOORS.unsubscribe, "https://papers.example", make.NOW)
        assert all("\n" not in value and "\r" not in value for value in made.values()), text


@pytest.mark.parametrize("sender", ["", "papers", "papers at example.org", "Offprint <>"])
def test_s9_a_sender_that_is_no_address_is_refused(settings: Any, sender: str):
    settings.MAIL_FROM = sender
    with pytest.raises(headers.SenderError, match="Example:"):
        headers.sender()


def test_s12_a_homograph_host_is_shown_as_the_network_knows_it():
    card = load.card(Paper(pk=1, title="A", url="https://аrxiv.example/abs/1"))
    assert card.links[0].label == "Abstract on xn--rxiv-43d.example"


def test_s12_an_abstract_gets_no_links():
    composed = compose.compose(order([poisoned(1, "see www.evil.example")], "x"))
    assert not [link for link in checks.assert_clean(composed.html).links if "evil" in link and "x.example" not in link]


@pytest.mark.parametrize("field", ["authors", "title", "abstract", "published_on", "primary_category", "version"])
@pytest.mark.parametrize("value", [None, 7, [None, {}], "\ud800", {"a": 1}])
def test_f67_a_paper_with_odd_values_still_has_a_card(field: str, value: Any, settings: Any):
    card = load.card(Paper(pk=1, title="A title", url="https://a.example/1"))
    assert card.title == "A title"
    paper = poisoned(2, "fine")
    setattr(paper, field, value)
    composed = compose.compose(order([paper], "x"))
    checks.assert_clean(composed.html)
    assert composed.papers == (2,)
