"""Telling the kinds of reading list apart, and reading them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from subscriptions.bibliography import bibtex, csl, lines, ris
from subscriptions.bibliography.entries import BadEntry, ParseResult, Reference, Unparsed
from subscriptions.query import tokenizer

MOST_ENTRIES = 5000
MOST_BYTES = 5_000_000
MARKLESS = 4  # letters from which UTF-16 without its mark is told from stray NULs
_bibtex = re.compile(r"@\s*[A-Za-z]+\s*[{(]")
_json = re.compile(r"\s*(\[\s*\{|\{\s*\")")
_ris = re.compile(r"^\ufeff?TY\s{0,2}-", re.MULTILINE)


class ListError(ValueError):
    """Nothing of the list can be taken; the message says what to bring instead."""


def read(content: str | bytes) -> ParseResult:
    """A reading list: BibTeX, RIS, CSL JSON, or ids and links one a line (commas do too).

    What stands between the entries of a file is read as the next simpler kind, so that nothing is lost without a word.
    Raises ListError.
    """
    if len(content) > MOST_BYTES:
        raise ListError(f"This is more than {MOST_BYTES // 1_000_000} MB. Bring a part of it.")
    text = content if isinstance(content, str) else decoded(content)
    if not text.strip():
        raise ListError("There is nothing in it. Bring arXiv ids or links one a line, a BibTeX file or a RIS file.")
    if not tokenizer.is_storable(text):
        raise ListError("This is not a text. Bring what your reference manager exports as BibTeX, RIS or CSL JSON.")
    origin, found = _kind(text)
    collected = _Collected()
    for one in islice(found, MOST_ENTRIES):
        collected.add(one)
    if next(found, None) is not None or len(collected.references) > MOST_ENTRIES:
        why = f"{MOST_ENTRIES} entries are read at a time. Bring the rest apart."
        collected.bad.append(BadEntry(0, "the rest of the list", why))
    return ParseResult(origin, tuple(islice(collected.references.values(), MOST_ENTRIES)), collected.named())


class _Collected:
    """What was read so far, each paper once.

    Where no id stands between the entries of a file, what stands there are an exporter's remarks, as BibTeX means
    them, and not named as unread.
    """

    def __init__(self) -> None:
        self.references: dict[str, Reference] = {}
        self.bad: list[BadEntry] = []
        self.between: list[BadEntry] = []
        self.has_ids_between = False

    def add(self, one: Reference | BadEntry | Unparsed) -> None:
        if isinstance(one, Unparsed):
            self._add_between(one)
        elif isinstance(one, BadEntry):
            self.bad.append(one)
        else:
            self.references.setdefault(one.identifier, one)

    def _add_between(self, one: Unparsed) -> None:
        for line in islice(lines.read(one.text, one.line), MOST_ENTRIES):
            if isinstance(line, BadEntry):
                self.between.append(line)
            else:
                self.references.setdefault(line.identifier, line)
                self.has_ids_between = True

    def named(self) -> tuple[BadEntry, ...]:
        """What could not be read, by line; what has none comes last."""
        bad = self.bad + self.between if self.has_ids_between else self.bad
        return tuple(sorted(bad, key=lambda one: one.line or MOST_BYTES))


def _kind(text: str) -> tuple[str, Iterator[Reference | BadEntry | Unparsed]]:
    if _json.match(text):
        try:
            return "list", csl.read(text)
        except csl.NotJsonError as error:
            raise ListError(f"This begins as JSON does, and cannot be read: {error}. Export it anew.") from error
    if _ris.search(text):
        return "ris", _ris_and_bibtex(text)
    return ("bibtex", bibtex.read(text)) if _bibtex.search(text) else ("list", lines.read(text))


def _ris_and_bibtex(text: str) -> Iterator[Reference | BadEntry | Unparsed]:
    for one in ris.read(text):
        if isinstance(one, Unparsed):
            yield from bibtex.read(one.text, one.line)
        else:
            yield one


def decoded(content: bytes) -> str:
    """A file's text, in whichever of the usual encodings it is: UTF-8, UTF-16 or Windows' own."""
    if wide := _utf16(content[:200]):
        return content.decode(wide, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "".join(_decoded_line(one) for one in content.splitlines(keepends=True))


def _utf16(start: bytes) -> str:
    """The codec of a file that is UTF-16, by its mark or by the NUL beside each Latin letter; "" for any other."""
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    pairs = len(start) // 2
    high, low = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    if pairs < MARKLESS or max(high, low) < 0.8 * pairs or min(high, low):
        return ""
    return "utf-16-be" if high > low else "utf-16-le"


def _decoded_line(content: bytes) -> str:
    """One line of a file that is not all UTF-8: old reference managers mix in lines of Windows' own encoding."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
