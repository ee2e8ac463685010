"""The arrows between the rooms: config -> digest -> subscriptions, and inside a room only downwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("config", "subscriptions", "digest")
FORBIDDEN = {
    "subscriptions": ("digest", "config", "tests"),
    "digest": ("config", "tests"),
    "config": ("tests",),
}
# Values in, values out: no clock, no ORM, no network, no files.
PURE = (
    "subscriptions/query/tokenizer.py",
    "subscriptions/query",
    "subscriptions/when/schedule.py",
    "digest/matching/select.py",
    "digest/papers/entry.py",
    "digest/matching/index.py",
    "digest/letters/latex.py",
)
IMPURE = ("django.db", "requests", "socket", "digest.models", "subscriptions.models", "time")


def modules(room: str) -> Iterator[Path]:
    yield from (path for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def leads_to(imported: str, room: str) -> bool:
    return imported == room or imported.startswith(room + ".")


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_look_inward(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name in imports(path)
        if any(leads_to(name, other) for other in FORBIDDEN[room])
    ]
    assert wrong == []


@pytest.mark.parametrize("name", PURE)
def test_the_middle_is_pure(name: str) -> None:
    path = ROOT / name
    found = {one for file in (path.rglob("*.py") if path.is_dir() else [path]) for one in imports(file)}
    assert [one for one in found if any(leads_to(one, impure) for impure in IMPURE)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_relative_imports_are_not_used(room: str) -> None:
    relative = [
        str(path.relative_to(ROOT))
        for path in modules(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_a_box_of_odds_and_ends(room: str) -> None:
    vague = {"utils", "helpers", "manager", "misc", "common"}
    assert [str(path) for path in modules(room) if path.stem in vague] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_cache_grows_without_a_bound(room: str) -> None:
    """What is kept by what it was asked for (a reader's words, a paper's) must be forgotten in time."""
    wrong = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in modules(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.args) and any(map(is_endless, node.decorator_list))
    ]
    assert wrong == []


def is_endless(decorator: ast.expr) -> bool:
    written = ast.unparse(decorator).removeprefix("functools.")
    return written in {"cache", "lru_cache(None)", "lru_cache(maxsize=None)"}
