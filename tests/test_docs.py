"""The documents tell the truth: what they name is there, and what is there they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.timetable import TIMETABLE

ROOT = Path(__file__).resolve().parent.parent
FIRST = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / name for name in FIRST), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def our_commands() -> set[str]:
    return {
        path.stem
        for room in ("digest", "subscriptions")
        for path in (ROOT / room / "management" / "commands").glob("*.py")
        if path.stem != "__init__"
    }


def all_documents() -> str:
    return "\n".join(path.read_text() for path in DOCUMENTS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    targets = [
        target for target in LINK.findall(path.read_text()) if "://" not in target and not target.startswith("mailto:")
    ]
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_command_is_documented() -> None:
    documents = all_documents()
    assert [
        name for name in sorted(our_commands()) if f"`{name}" not in documents and f"manage.py {name}" not in documents
    ] == []


def test_every_command_the_readme_lists_is_there() -> None:
    table = (ROOT / "README.md").read_text().split("## The commands")[1]
    calls = "\n".join(re.findall(r"^\| (`.*?`.*?) \|", table, re.M))
    listed = set(re.findall(r"(?:^|, )`([a-z_]+)[ `]", calls, re.M))
    assert listed - our_commands() == set()


def test_every_tick_is_documented() -> None:
    documents = all_documents()
    assert [tick.name for tick in TIMETABLE if tick.name not in documents] == []


def test_every_make_target_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):(.*)$", makefile, re.M)
    assert [name for name, rest in targets if "##" not in rest] == []


def test_no_path_of_one_machine_is_written_anywhere() -> None:
    telling = re.compile(r"/(?:work|root|home)/[a-z]")
    documents = [*DOCUMENTS, *ROOT.glob("*/**/*.py"), ROOT / "Makefile", ROOT / ".env.example"]
    ours = [path for path in documents if ".venv" not in path.parts and path.name != "test_docs.py" and path.exists()]
    assert [str(path.relative_to(ROOT)) for path in ours if telling.search(path.read_text())] == []


def test_every_library_we_ask_for_has_its_licence_named() -> None:
    wanted = re.findall(r"^([A-Za-z][\w.-]*)", (ROOT / "requirements.txt").read_text(), re.M)
    listed = (ROOT / "docs" / "licences.md").read_text()
    assert [name for name in wanted if name not in listed] == []


def test_every_number_in_a_tests_name_is_explained() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = re.findall(r"def test_((?:[fs]\d+_)+)", text)
    used = {number.upper() for name in names for number in re.findall(r"[fs]\d+", name)}
    explained = set(re.findall(r"^\| ([FS]\d+) \|", (ROOT / "docs" / "reliability.md").read_text(), re.M))
    assert used - explained == set()
