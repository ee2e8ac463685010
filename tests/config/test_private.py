"""Only the program's own user reads the database and the letters."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from subscriptions import private
from tests.test_architecture import ROOT

MODES = """
import os, pathlib, django
django.setup()
from django.conf import settings
from django.core.management import call_command
from subscriptions.mail.outgoing import Letter, send
call_command("migrate", verbosity=0)
send(Letter(to="ada@example.org", subject="s", text="t"))
folder = pathlib.Path(settings.VAR_DIR)
outbox = folder / "outbox"
database = (folder / "offprint.sqlite3", *folder.glob("*.sqlite3-*"))
for path in (folder, *database, outbox, *outbox.glob("*.eml")):
    print(oct(path.stat().st_mode & 0o777), path.name)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.slow
@pytest.mark.parametrize("before", [None, 0o755])
def test_a_start_makes_or_closes_database_folder_and_letters(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "var"
    if before:
        (folder / "outbox").mkdir(parents=True)
        for path in (folder, folder / "outbox"):
            path.chmod(before)
        (folder / "offprint.sqlite3").touch(0o644)
    settings = {"VAR_DIR": str(folder), "STATE_DIR": str(tmp_path / "state"), "OFFPRINT_DOTENV": "no"}
    done = subprocess.run(
        [sys.executable, "-c", MODES], cwd=ROOT, check=True, capture_output=True, text=True,
        env=settings | {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    found = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(found) >= 4
    assert set(found) == {"0o700", "0o600"}


def test_a_folder_and_a_file_that_exist_are_closed(tmp_path: Path) -> None:
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    private.folder(open_one)
    written = open_one / "file"
    written.touch(0o644)
    private.file(written)
    assert (mode(open_one), mode(written)) == (0o700, 0o600)


def test_a_shared_folder_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    private.folder(shared)
    assert mode(shared) == 0o1777


def test_what_was_closed_further_stays_so(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    folder.chmod(0o500)
    private.folder(folder)
    assert mode(folder) == 0o500


def test_a_file_that_cannot_be_made_is_left_to_who_opens_it(tmp_path: Path) -> None:
    private.file(tmp_path / "no such folder" / "file")
    assert not (tmp_path / "no such folder").exists()
