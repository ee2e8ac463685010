"""Every word of a letter goes through gettext: with a catalogue in place, it is in that language."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from digest.letters.letters import letters
from tests import make
from tests.digest.letters.posts import delivery, forget

WORDS = {
    "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",
    "Why:": "Warum:",
    "your topic": "dein Thema",
    "View in browser": "Im Browser ansehen",
    "Unsubscribe": "Abbestellen",
    "Unsubscribe:": "Abbestellen:",
    "%(count)s paper for you today.\0%(count)s papers for you today.": (
        "%(count)s Arbeit heute.\0%(count)s Arbeiten heute."
    ),
}


def catalogue(words: dict[str, str]) -> bytes:
    """A GNU .mo file: a head, two tables of length and place, and the texts."""
    pairs = sorted((one.encode(), other.encode()) for one, other in words.items())
    start, tables, texts = 28 + 16 * len(pairs), [b"", b""], b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += struct.pack("<II", len(pair[side]), start + len(texts))
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables[0] + tables[1] + texts


@pytest.fixture
def german(tmp_path: Path, settings: Any) -> Iterator[None]:
    folder = tmp_path / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(catalogue(WORDS))
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    forget()
    with translation.override("de"):
        yield
    forget()


@pytest.mark.django_db
def test_a_letter_speaks_the_language_of_its_catalogue(german: None):
    [letter] = letters([delivery([make.paper(), make.paper()])], make.NOW)
    for part in (letter.html, letter.text):
        assert "Warum: dein Thema" in part
        assert "2 Arbeiten heute." in part
        assert "Abbestellen" in part
    assert "Im Browser ansehen" in letter.html
    assert letter.subject.startswith("3 Juni: ")
