"""What all commands share: one JSON object, plain sentences for trouble, exit codes 0, 1, 2."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from subscriptions.commands import Command, UsageError, held_back

ROOT = Path(__file__).resolve().parent.parent.parent


class Fixed(Command):
    answer: dict = {"good": True}

    def run(self, **options):
        return self.answer


class Failing(Fixed):
    def run(self, **options):
        self.failed = True
        return self.answer


class Misused(Command):
    def run(self, **options):
        raise UsageError("There is no such thing. Use another.")


def said(command: Command, *arguments: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command(command, *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    paths = {"VAR_DIR": str(tmp_path), "STATE_DIR": f"{tmp_path}/state", "PATH": os.environ["PATH"]}
    settings = paths | {"OFFPRINT_DOTENV": "no"} | environment
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60)


def test_json_is_one_object():
    out, code = said(Fixed(), "--json")
    assert (json.loads(out), code) == ({"good": True}, 0)


def test_words_for_people_without_it():
    assert said(Fixed()) == ("good: True\n", 0)


def test_a_failure_still_answers_and_ends_with_one():
    out, code = said(Failing(), "--json")
    assert (json.loads(out), code) == ({"good": True}, 1)


def test_a_mistake_in_the_call_ends_with_two_and_says_what_to_do():
    out, code = said(Misused(), "--json")
    assert (json.loads(out), code) == ({"error": "There is no such thing. Use another."}, 2)
    with pytest.raises(CommandError, match="Use another"):
        call_command(Misused())


@pytest.mark.slow
def test_an_empty_database_is_said_in_one_sentence(tmp_path):
    done = manage(tmp_path, "send_due", "--json")
    assert done.returncode == 1
    assert "python manage.py migrate" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_said_in_one_sentence(tmp_path):
    done = manage(tmp_path, "audit", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def test_lines_held_back_come_after_the_block(monkeypatch):
    seen = Lines()
    monkeypatch.setattr(logging.getLogger(), "handlers", [seen])
    with held_back():
        logging.getLogger("digest").warning("one")
        seen.lines.append("the report")
    assert seen.lines == ["the report", "one"]
    assert logging.getLogger().handlers == [seen]


def test_lines_held_back_are_written_where_the_block_breaks(monkeypatch):
    seen = Lines()
    monkeypatch.setattr(logging.getLogger(), "handlers", [seen])
    with suppress(ZeroDivisionError), held_back():
        logging.getLogger("digest").error("the reason")
        raise ZeroDivisionError
    assert seen.lines == ["the reason"]
