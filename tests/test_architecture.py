"""The arrows between the rooms: config -> digest -> subscriptions, and inside digest only down its floors."""

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
# The floors of digest from the ground up: a room imports only rooms that stand before it.
FLOORS = (
    "models",
    "matching",
    "search",
    "papers",
    "letters",
    "sources",
    "editions",
    "delivery",
    "readers",
    "operate",
    "site",
    "desk",
)
DOORS = {"__init__", "admin", "apps", "tasks"}
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


@pytest.mark.parametrize("room", FLOORS)
def test_digest_imports_only_lower_floors(room: str) -> None:
    upper = [f"digest.{other}" for other in FLOORS[FLOORS.index(room) + 1 :]] + ["digest.admin", "digest.tasks"]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"digest/{room}")
        for name in imports(path)
        if any(leads_to(name, other) for other in upper)
    ]
    assert wrong == []


def test_every_room_of_digest_has_a_floor() -> None:
    rooms = {path.name for path in (ROOT / "digest").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms - {"migrations", "management"} == set(FLOORS)
    assert {path.stem for path in (ROOT / "digest").glob("*.py")} == DOORS


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_hands_on_only_what_is_its_own(room: str) -> None:
    """A name imported from another room and listed for others would hide an arrow."""
    wrong = [
        f"{path.relative_to(ROOT)} hands on {alias.name} of {node.module}"
        for path in modules(f"digest/{room}")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and leads_to(node.module, "digest")
        if not leads_to(node.module, f"digest.{room}")
        for alias in node.names
        if alias.asname == alias.name or alias.name in listed(path)
    ]
    assert wrong == []


def listed(path: Path) -> set[str]:
    """The names in a module's `__all__`."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


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
