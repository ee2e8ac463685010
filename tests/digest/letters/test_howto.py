"""The steps of docs/howto-letter-piece.md, with a made-up piece: the minutes that a letter takes to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digest.letters import layout
from digest.letters.compose import Composer, LetterInput
from digest.letters.layout import Tally
from digest.letters.letters import finished, letters
from digest.letters.parts import HtmlAndText
from tests import make
from tests.digest.letters.checks import assert_same_papers, read_back
from tests.digest.letters.posts import delivery, forget
from tests.digest.letters.test_look import own  # noqa: F401 - the folder of a site's own templates


@pytest.fixture
def piece(own: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """The three steps: placeholder, template parts, value."""
    monkeypatch.setattr(layout, "PLACEHOLDERS", (*layout.PLACEHOLDERS, "reading_time"))

    ours = settings.BASE_DIR / "templates" / "email"
    html = (ours / "digest.html").read_text()
    greeting = '<p class="greeting">{{ greeting }}</p>\n'
    assert greeting in html
    (own / "digest.html").write_text(html.replace(greeting, f'{greeting}<p class="small">{{{{ reading_time }}}}</p>\n'))
    text = (ours / "digest.txt").read_text()
    assert "{{ greeting }}\n" in text
    (own / "digest.txt").write_text(text.replace("{{ greeting }}\n", "{{ greeting }}\n\n{{ reading_time }}\n"))

    sentences = Composer.sentences

    def with_reading_time(
        composer: Composer, letter: LetterInput, form: layout.Form, tally: Tally
    ) -> dict[str, HtmlAndText]:
        minutes = len(letter.picks) * 2
        sentence = composer.wrapped(("reading", minutes), lambda: f"About {minutes} minutes <to read>.")
        return sentences(composer, letter, form, tally) | {"reading_time": sentence}

    monkeypatch.setattr(Composer, "sentences", with_reading_time)
    forget()
    yield
    forget()


@pytest.mark.django_db
def test_a_new_piece_is_in_both_bodies_with_each_letters_own_value(piece: None):
    papers = [make.paper("On speech"), make.paper("On stones")]
    edition = make.edition(papers=papers)
    long, short = letters([delivery(papers, edition=edition), delivery(papers[:1], edition=edition)], make.NOW)
    assert ">About 4 minutes &lt;to read&gt;.</p>" in long.html
    assert "\n\nAbout 4 minutes <to read>.\n" in long.text
    assert "About 2 minutes" in short.html
    assert "About 2 minutes" in short.text


@pytest.mark.django_db
def test_a_letter_with_a_new_piece_is_still_a_proper_letter(piece: None):
    paper = make.paper("On speech")
    [letter] = finished([delivery([paper])], make.NOW)
    message = read_back(letter.raw)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "About 2 minutes <to read>." in text.get_content()
    assert_same_papers(html.get_content(), text.get_content())


@pytest.mark.django_db
def test_without_the_value_no_letter_is_written(piece: None, monkeypatch: pytest.MonkeyPatch):
    with_piece = Composer.sentences

    def forgetful(*given: Any) -> dict[str, HtmlAndText]:
        values = with_piece(*given)
        del values["reading_time"]
        return values

    monkeypatch.setattr(Composer, "sentences", forgetful)
    with pytest.raises(KeyError, match="reading_time"):
        letters([delivery([make.paper()])], make.NOW)
