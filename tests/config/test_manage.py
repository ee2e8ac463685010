"""`manage.py` as it is typed: whatever is wrong outside, it is a sentence and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.thorough
NOWHERE = "postgresql://offprint:mT4x@127.0.0.1:1/offprint"


def manage(tmp_path: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with these settings alone, and nobody at the keyboard."""
    base = {"PATH": os.environ["PATH"], "OFFPRINT_DOTENV": "no", "VAR_DIR": str(tmp_path / "var")}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=base | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (["migrate"], {"DATABASE_URL": NOWHERE}, "Start it, or mend DATABASE_URL"),
        (["createsuperuser"], {"DATABASE_URL": NOWHERE}, "Start it, or mend DATABASE_URL"),
        (["audit"], {}, "is not up to date"),
        (["migrate"], {"VAR_DIR": "/dev/null/var"}, "set VAR_DIR to one"),
        (["send_due"], {"EMAIL_HOST": "mx"}, "Write EMAIL_URL="),
    ],
)
def test_what_is_wrong_outside_is_a_sentence(words, given, says, tmp_path):
    done = manage(tmp_path, *words, **given)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "mT4x" not in done.stderr


def test_doctor_tells_wrong_settings_as_one_object(tmp_path):
    done = manage(tmp_path, "doctor", "--json", DEBUG="maybe")
    answer = json.loads(done.stdout)
    assert (done.returncode, [one["id"] for one in answer["findings"]]) == (1, ["E040"])


def test_the_version_is_that_of_the_project(tmp_path):
    answer = json.loads(manage(tmp_path, "version", "--json").stdout)
    written = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (answer["offprint"], answer["database"]) == (written, "sqlite")
