"""A site's own letter templates are proved before they are used (fault 68)."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from digest.letters import brand, golden, proof

OURS = Path(settings.BASE_DIR) / "templates" / "email"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ours"
    made.mkdir()
    return made


def change(folder: Path, name: str, old: str = "", new: str = "") -> None:
    text = (OURS / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new) if old else new)


def test_our_own_templates_pass_their_own_proof():
    assert list(proof.problems()) == []


def test_golden_letters_show_every_paper():
    shown = {paper for letter in golden.letters() for paper in letter.papers}
    assert shown == set(range(1, golden.COUNT + 1))


def test_a_sound_change_is_taken_into_use(folder: Path):
    change(folder, "card.html", '<h2 class="title">', '<h2 class="title" title="ours">')
    assert brand.activate(folder) == []
    assert 'title="ours"' in (brand.active() / "email" / "card.html").read_text()
    brand.reset()
    assert not brand.active().exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (
            "card.html",
            "",
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "too much time",
        ),
        ("card.html", "card.title", "card.tilte", "has no attribute 'tilte'"),
        ("card.html", "{{ card.title }}", "{{ card.title", "TemplateSyntaxError"),
        ("foot.html", "{{ unsubscribe_url }}", "#", "unsubscribe link is missing"),
        ("foot.txt", "{{ preferences_url }}", "", "preferences link is missing"),
        ("digest.html", "{{ cards }}", "<script>alert(1)</script>{{ cards }}", "<script> has no place"),
        ("confirm.html", "{{ button(", "{# ", "TemplateSyntaxError"),
        ("base.html", "{{ language }}", "{{ ''.__class__.__mro__ }}", "SecurityError"),
    ],
)
def test_f68_a_broken_template_is_refused_and_the_last_good_one_stays(
    folder: Path, name: str, old: str, new: str, says: str
):
    good = folder.parent / "good"
    good.mkdir()
    change(good, "contents.html", "contents-title", "contents-title")
    assert brand.activate(good) == []
    change(folder, name, old, new)
    problems = brand.activate(folder)
    assert any(says in one for one in problems), problems
    assert [path.name for path in (brand.active() / "email").iterdir()] == ["contents.html"]


def test_f68_only_the_letters_own_files_are_taken(folder: Path):
    assert brand.check(folder / "nowhere") == [f"{folder / 'nowhere'} is not a folder."]
    assert "holds no template" in brand.check(folder)[0]
    (folder / "other.html").write_text("x")
    assert "not a template of the letters" in brand.check(folder)[0]


def test_the_command_says_what_is_wrong(folder: Path):
    (folder / "other.html").write_text("x")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("brand", "check", folder, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert "other.html" in answer["problems"][0]
    with pytest.raises(CommandError, match="which folder"):
        call_command("brand", "check")
