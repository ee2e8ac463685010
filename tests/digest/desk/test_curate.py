"""A curator's acts from a command: they take who acts, not a request."""

from __future__ import annotations

import ast
import getpass
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from digest.desk import actor, acts
from digest.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db
DAY = str(make.TODAY)
PAPER = "https://arxiv.org/abs/2601.31415"


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "clerk")


@pytest.fixture
def edition():
    paper = make.paper("Speech from silence")
    paper.identifiers.create(value="arxiv:2601.31415")
    return make.edition(papers=[paper], state="collecting")


@pytest.mark.parametrize(
    ("verb", "words", "field", "value"),
    [
        ("pin", [], "is_pinned", True),
        ("hide", [], "is_hidden", True),
        ("note", ["--text", "Read it twice"], "note", "Read it twice"),
    ],
)
def test_a_command_acts_on_a_paper_as_the_system_user(verb, words, field, value, edition):
    call_command("curate", verb, DAY, PAPER, *words)
    assert getattr(edition.entries.get(), field) == value
    act = AuditEntry.objects.get()
    assert (act.actor, act.network, act.verb) == ("clerk", "", verb)


@pytest.mark.parametrize(("verb", "state"), [("freeze", "frozen"), ("hold", "held")])
def test_a_command_acts_on_an_edition(verb, state, edition):
    call_command("curate", verb, DAY)
    edition.refresh_from_db()
    assert edition.state == state


def test_undo_takes_back_the_users_own_last_act_and_no_other(edition, monkeypatch):
    call_command("curate", "pin", DAY, PAPER)
    monkeypatch.setattr(getpass, "getuser", lambda: "another")
    with pytest.raises(CommandError, match="nothing of yours"):
        call_command("curate", "undo", DAY)
    monkeypatch.setattr(getpass, "getuser", lambda: "clerk")
    call_command("curate", "undo", DAY)
    assert not edition.entries.get().is_pinned


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pin", DAY], "Name a paper"),
        (["hold", DAY, PAPER], "Name a paper"),
        (["hold", "2001-01-01"], "no edition of 2001-01-01"),
        (["pin", DAY, "https://example.org/other"], "No paper is known"),
        (["let-go", DAY], "cannot let go now"),
        (["add", DAY, PAPER], "already"),
        (["pin", DAY, "nonsense"], "neither an arXiv id nor a DOI nor a link"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(words, says, edition):
    with pytest.raises(CommandError, match=says):
        call_command("curate", *words)
    assert not AuditEntry.objects.exists()


def test_a_user_without_a_name_is_a_number(monkeypatch):
    def fail():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", fail)
    assert actor.of_command().name == f"uid {os.getuid()}"


def test_no_act_knows_of_requests():
    for path in Path(acts.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert "django.http" not in imported, path.name
