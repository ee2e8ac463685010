"""A file of an old day is followed by the word that releases it; an empty edition says where the papers are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from digest.models import Edition
from tests import make
from tests.digest.sources import feeds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
TODAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
JANUARY = date(2026, 1, 14)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def answer(*words: str) -> dict[str, Any]:
        call_command(*words, "--json")
        return dict(json.loads(capsys.readouterr().out))

    return answer


def pulled(run: Any, folder: Path, body: bytes, kind: str) -> str:
    (folder / "file").write_bytes(body)
    answer = run("pull", "--file", str(folder / "file"), "--kind", kind, "--at", NOW.isoformat())
    return str(answer.get("hint", ""))


def journal(day: date) -> bytes:
    return feeds.rss([(f"On moss {n}", f"https://moss.example/{n}", day - timedelta(days=n)) for n in range(9)])


BODIES = {
    "huggingface": lambda day: feeds.huggingface_day(day, 9),
    "arxiv": lambda day: feeds.atom(feeds.arxiv_day(day, 9), day),
    "feed": journal,
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("day", [JANUARY, TODAY - timedelta(days=7), date(2024, 8, 2)])
def test_an_old_file_says_how_its_papers_are_released_and_that_releases_them(
    run: Any, tmp_path: Path, kind: str, day: date
) -> None:
    hint = pulled(run, tmp_path, BODIES[kind](day), kind)
    assert f"announced on {day}" in hint
    assert hint.endswith(f"release --date {day}")
    empty = run("release", "--now", NOW.isoformat())
    assert empty["status"] == "empty"
    assert empty["reason"].endswith(f"release --date {day}")
    done = run("release", "--now", NOW.isoformat(), "--date", str(day))
    assert (done["status"], done["papers"] > 0) == ("released", True)


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("age", [0, 1, 6])
def test_a_file_that_todays_edition_takes_needs_no_word(run: Any, tmp_path: Path, kind: str, age: int) -> None:
    assert pulled(run, tmp_path, BODIES[kind](TODAY - timedelta(days=age)), kind) == ""
    assert run("release", "--now", NOW.isoformat())["status"] == "released"


def test_a_day_whose_edition_is_out_is_released_with_the_next_one(run: Any, tmp_path: Path) -> None:
    make.edition(JANUARY)
    make.edition(JANUARY + timedelta(days=1))
    hint = pulled(run, tmp_path, feeds.huggingface_day(JANUARY, 9), "huggingface")
    wanted = JANUARY + timedelta(days=2)
    assert hint.endswith(f"release --date {wanted}")
    assert run("release", "--now", NOW.isoformat(), "--date", str(wanted))["papers"] == 9


def test_with_no_papers_anywhere_a_release_says_to_pull(run: Any) -> None:
    assert "Pull first" in run("release", "--now", NOW.isoformat())["reason"]
    assert Edition.objects.get().state == Edition.State.COLLECTING


def test_a_file_known_already_needs_no_word(run: Any, tmp_path: Path) -> None:
    body = feeds.huggingface_day(JANUARY, 9)
    pulled(run, tmp_path, body, "huggingface")
    assert pulled(run, tmp_path, body, "huggingface") == ""
