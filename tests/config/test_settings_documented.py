"""Every setting that is read is in `.env.example`, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.names import OTHERS

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(
    r"env\.(?:text|flag|number|choice|words|database|base_url|domain|mailbox|proxies|secret_key|colour|picture_url)"
    r'\(\s*"([A-Z_]+)"'
)
WRITTEN = re.compile(r"^#?([A-Z][A-Z_]+)=", re.MULTILINE)


def read_settings():
    return {name for path in (ROOT / "config").glob("*.py") for name in READ.findall(path.read_text())}


def example():
    return (ROOT / ".env.example").read_text()


def test_every_setting_is_in_the_example():
    assert read_settings() - set(WRITTEN.findall(example())) == set()


def test_the_example_names_no_setting_that_nobody_reads():
    unknown = set(WRITTEN.findall(example())) - read_settings()
    assert {name for name in unknown if not name.startswith(OTHERS)} == set()


def test_every_setting_in_the_example_is_explained():
    lines = example().splitlines()
    bare = [
        line for number, line in enumerate(lines)
        if WRITTEN.match(line) and not lines[number - 1].startswith("#")
    ]  # fmt: skip
    assert bare == []


def test_the_operators_guide_names_the_example():
    assert ".env.example" in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile"])
def test_the_containers_use_no_setting_unknown_to_the_site(name):
    used = set(re.findall(r"\b([A-Z]+_[A-Z_]+)[:=]", (ROOT / name).read_text()))
    assert {one for one in used - read_settings() if not one.startswith((*OTHERS, "PIP_", "REDISCLI_AUTH"))} == set()
