"""One record a kind of source: the product asks it, and names no kind itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from digest.editions import coverage
from digest.management.commands.pull import Command
from digest.models import Paper, Source
from digest.papers.entry import Batch, Entry, FormatError
from digest.sources import additions, calendar, opml, pull
from digest.sources.parsers import registry
from digest.sources.parsers.registry import KINDS, Kind
from tests.digest.sources.conftest import Publisher
from tests.make import NOW, TODAY

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = ROOT / "digest/sources/parsers/registry.py"
PARSERS = REGISTRY.parent
# Slugs that are words of other meaning, too: there they are looked for only where a kind is meant.
WORDS = {"arxiv", "feed"}


def product() -> Iterator[Path]:
    for room in ("config", "digest", "subscriptions"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts and path != REGISTRY:
                yield path


def slugs_in(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and inner.value in KINDS:
            yield str(inner.value)


def is_of_a_source(node: ast.AST) -> bool:
    """Whether a comparison is of something called `kind`."""
    return isinstance(node, ast.Compare) and bool(re.search(r"\bkind\b", ast.unparse(node)))


def gives_a_kind(node: ast.AST) -> bool:
    return (isinstance(node, ast.keyword) and node.arg in {"kind", "kind__in", "source__kind"}) or (
        isinstance(node, ast.Dict) and any(isinstance(key, ast.Constant) and key.value == "kind" for key in node.keys)
    )


def named_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = [word for word in slugs_in(tree) if word not in WORDS and path.parent != PARSERS]
    for node in ast.walk(tree):
        if is_of_a_source(node) or gives_a_kind(node):
            found += slugs_in(node)
    return found


@pytest.mark.parametrize("path", list(product()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_kind_is_named_in_the_registry_only(path: Path) -> None:
    assert named_in(path) == []


@pytest.mark.parametrize(
    "line",
    [
        'if source.kind == "arxiv": pass',
        'if case.kind in {"biorxiv", "feed"}: pass',
        'Source.objects.filter(kind="feed")',
        'values = {"kind": "arxiv"}',
        'client.request("arxiv-api", url, day)',
        'KINDS = ("huggingface",)',
    ],
)
def test_a_kind_named_elsewhere_is_found(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)
    assert named_in(path)


def test_no_template_names_a_kind() -> None:
    special = "|".join(sorted(set(KINDS) - WORDS))
    wrong = re.compile(rf"['\"]({special})['\"]|\bkind\s*[!=]=\s*['\"]({'|'.join(KINDS)})['\"]")
    pages = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    assert [str(path) for path in pages if wrong.search(path.read_text())] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_record_names_only_what_there_is(kind: Kind) -> None:
    assert (PARSERS / f"{kind.module}.py").exists()
    assert {*kind.fallbacks, *filter(None, [kind.backfill_kind])} <= set(KINDS)
    assert len(kind.slug) <= (Source._meta.get_field("kind").max_length or 0)
    assert all(registry.told_by(f"https://{start}/x") == kind.slug for start in kind.addresses)


def test_an_unknown_kind_counts_as_a_feed_and_cannot_be_read() -> None:
    assert registry.of("of-another-version") is registry.DEFAULT
    with pytest.raises(KeyError):
        registry.parser("of-another-version")


# -- docs/howto-source-kind.md, step by step ---------------------------------------------------------


def read_lines(body: bytes, asked: object, address: str = "") -> Batch:
    """Step 1: the parser. Its publisher writes a line a paper: DOI, a bar, the title."""
    if not body.startswith(b"#papers"):
        raise FormatError("It is not a list of papers: its first line is not #papers.")
    entries = []
    for line in body.decode("utf-8", "replace").splitlines()[1:]:
        doi, _, title = line.partition("|")
        entries.append(Entry(doi, title, f"https://doi.org/{doi}", abstract="We do.", authors=("Ada",), doi=doi))
    return Batch(tuple(entries), TODAY - timedelta(days=1), scope="Lines")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Kind:
    module = ModuleType("digest.sources.parsers.lines")
    monkeypatch.setattr(module, "read", read_lines, raising=False)
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    # Step 2: the record, before the general kind.
    kind = Kind(
        slug="lines",
        label="Lines of papers",
        module="lines",
        addresses=("lines.example/daily",),
        sign=b"#papers",
        is_one_day=True,
    )
    general = KINDS.pop(registry.DEFAULT.slug)
    monkeypatch.setitem(KINDS, kind.slug, kind)
    KINDS[general.slug] = general
    return kind


@pytest.mark.django_db
@pytest.mark.usefixtures("in_process")
def test_a_kind_added_by_the_how_to_is_known_everywhere(lines: Kind, publisher: Publisher) -> None:
    """Step 3: it is recognised, offered, pulled, stored and waited for, and no other file has changed."""
    publisher.says(b"#papers\n10.1000/1|One title of a paper\n10.1000/2|Another title of another")
    assert registry.told_by("https://lines.example/daily?x=1") == "lines"
    found = additions.preview(publisher.url(), NOW)
    assert (found.kind, found.count, found.title) == ("lines", 2, "Lines")
    assert ("lines", "Lines of papers") in registry.choices()
    source = additions.add(found.url, found.kind, "Lines of papers", is_daily=True)
    fetch = pull.pull(source, NOW)
    assert (fetch.outcome, fetch.new, fetch.day) == ("ok", 2, TODAY - timedelta(days=1))
    assert Paper.objects.count() == 2
    assert coverage.coverage(TODAY, NOW).complete
    assert calendar.awaited("lines", TODAY) == TODAY - timedelta(days=1)
    assert opml.read(opml.write([source], "Ours"))[0].kind == "lines"
    parser = Command().create_parser("manage.py", "pull")
    assert parser.parse_args(["--file", "x", "--kind", "lines"]).kind == "lines"


@pytest.mark.django_db
@pytest.mark.usefixtures("in_process")
def test_what_the_new_kinds_parser_refuses_is_a_format_error(lines: Kind, publisher: Publisher) -> None:
    publisher.says(b"<html>Moved</html>")
    source = additions.add(publisher.url(), "lines", "Lines of papers")
    fetch = pull.pull(source, NOW)
    assert fetch.outcome == "format_error"
    assert fetch.warnings == ["It is not a list of papers: its first line is not #papers."]
