"""A site's own look: its logo, its footer and its own templates."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config import checks
from digest.letters import cards
from digest.letters.letters import letters
from digest.letters.policy import letter_policy
from tests import make
from tests.digest.letters import golden
from tests.digest.letters.posts import delivery, forget

LOGO = "https://papers.example.org/logo.png?v=2"


@pytest.fixture
def brand(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets one of the values of BRAND, which the template engines share."""
    forget()
    yield lambda name, value: monkeypatch.setitem(settings.BRAND, name, value)
    forget()


@pytest.fixture
def own(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The folder of a site's own letter templates, in use."""
    (tmp_path / "email").mkdir()
    changed = deepcopy(settings.TEMPLATES)
    for engine in changed:
        if engine["NAME"].startswith("letter_"):
            engine["DIRS"].insert(0, str(tmp_path))
    settings.TEMPLATES, settings.LETTER_TEMPLATES = changed, str(tmp_path)
    forget()
    yield tmp_path / "email"
    forget()


@pytest.mark.django_db
def test_the_logo_and_the_footer_are_on_every_letter(brand: Any):
    brand("logo", LOGO)
    brand("footer", "Made by the <library>.")
    [letter] = letters([delivery([make.paper()])], make.NOW)
    assert f'src="{LOGO}" alt="Offprint"' in letter.html
    assert "Made by the &lt;library&gt;." in letter.html
    assert "Made by the <library>.\n" in letter.text


@pytest.mark.django_db
def test_without_a_logo_a_letter_holds_no_picture():
    [letter] = letters([delivery([make.paper()])], make.NOW)
    assert "<img" not in letter.html


def test_the_letter_in_the_browser_may_load_the_logo_and_nothing_else(brand: Any):
    assert "img-src 'none'" in letter_policy()
    brand("logo", LOGO)
    assert "img-src https://papers.example.org;" in letter_policy()


@pytest.mark.django_db
def test_an_own_template_replaces_ours(own: Path, settings: Any):
    ours = (settings.BASE_DIR / "templates" / "email" / "card.html").read_text()
    (own / "card.html").write_text(ours.replace('<h2 class="title"', '<h2 class="title" title="ours"'))
    [letter] = letters([delivery([make.paper()])], make.NOW)
    assert 'title="ours"' in letter.html
    assert list(checks._own_templates(settings)) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("card.html", "{{ card.title", "unexpected end of template"),
        ("foot.txt", "{% if %}", "Expected an expression"),
        ("card.htm", "x", "not a template of the letters"),
        ("other.html", "x", "not a template of the letters"),
    ],
)
def test_f68_a_broken_template_stops_the_start(own: Path, settings: Any, name: str, text: str, says: str):
    (own / name).write_text(text)
    [found] = checks._own_templates(settings)
    assert says in found.sentence
    assert name in found.sentence
    assert found.id == "E047"


def test_f68_a_card_that_cannot_be_printed_is_named_in_the_log(own: Path, caplog: pytest.LogCaptureFixture):
    (own / "card.html").write_text("{% if level != 'title' %}{{ card.tilte }}{% endif %}")
    cards.rendered(golden.papers()[0], "short", True)
    assert "cannot print paper 1 (UndefinedError)" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["{{ nothing }}", "{{ ''.__class__.__mro__ }}"])
def test_f68_send_test_says_what_a_template_lacks(own: Path, text: str):
    make.edition(papers=[make.paper("On speech")])
    (own / "foot.html").write_text(text)
    with pytest.raises(CommandError, match="templates cannot be printed"):
        call_command("send_test", "me@example.org")
