"""What may go wrong between a chosen paper and a letter: faults 67 to 72 of the failure model."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import TemplateError

from digest.letters import cards
from digest.letters.letters import letters
from subscriptions import query
from tests import make
from tests.digest.letters import checks
from tests.digest.letters.posts import delivery

pytestmark = pytest.mark.django_db


def test_f67_one_bad_paper_becomes_title_and_link_and_the_letter_goes(monkeypatch: pytest.MonkeyPatch):
    fragment = cards.html_fragment

    def breaking(name: str, context: dict[str, Any]) -> str:
        if name == "card" and context["card"].abstract.startswith("Poison"):
            raise TemplateError("bad paper")
        return fragment(name, context)

    monkeypatch.setattr(cards, "html_fragment", breaking)
    papers = [make.paper("A good one"), make.paper("A bad one", abstract="Poison.")]
    [letter] = letters([delivery(papers)], make.NOW)
    found = checks.assert_clean(letter.html)
    assert papers[1].url in found.links
    assert "A bad one" in found.text
    assert "Poison" not in found.text
    assert "We study a thing." in found.text


def test_f69_a_title_with_breaks_makes_one_subject_line():
    [letter] = letters([delivery([make.paper("One\r\nBcc: x@example.org\x01 \u202etwo")])], make.NOW)
    message = checks.parsed(letter)
    assert message["Subject"] == "3 June: One Bcc: x@example.org two"
    assert message["Bcc"] is None


def test_f70_a_pathological_filter_is_refused_before_it_is_ever_matched():
    for text in (" OR ".join(f"term{n}" for n in range(10_000)), "(" * 5_000, "(a+)+$ " * 400):
        with pytest.raises(query.QueryError):
            query.canonical(text)


@pytest.mark.thorough
def test_f71_a_letter_too_long_is_trimmed_with_the_rest_on_the_web():
    papers = [
        make.paper(f"Paper {n} " + "long title " * 20, abstract="A long sentence follows. " * 200) for n in range(50)
    ]
    reader = make.subscriber(papers_per_day=50, abstracts="full")
    [letter] = letters([delivery(papers, reader, matched=400)], make.NOW)
    found = checks.assert_clean(letter.html)
    assert len(letter.html.encode()) < 90_000
    assert any("/u/" in link for link in found.links)
    assert "more on the web" in found.text
    listed = [paper.pk for paper in papers if paper.url in letter.text]
    assert listed == [paper.pk for paper in papers if paper.url in found.links]
    assert f"And {400 - len(listed)} more on the web" in found.text


def test_f71_header_sizes_are_bounded():
    [letter] = letters([delivery([make.paper("x" * 1000)])], make.NOW)
    assert sum(len(f"{name}: {value}") for name, value in checks.parsed(letter).items()) < 4_000


def test_f72_a_letter_without_papers_says_why():
    row = delivery([], matched=0, edition=make.edition(papers=[make.paper()], coverage={"looked_at": 1, "sources": []}))
    [letter] = letters([row], make.NOW)
    assert letter.subject == "3 June: nothing new for you"
    assert "the one paper announced does not match what you follow" in " ".join(letter.text.split())
    checks.assert_clean(letter.html)
