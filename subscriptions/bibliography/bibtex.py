"""BibTeX, read leniently: a broken entry is named and the next `@` starts afresh."""

from __future__ import annotations

import re
from collections.abc import Iterator

from subscriptions.bibliography.entries import BadEntry, Reference, Unparsed, identifier
from subscriptions.bibliography.texts import plain, squeezed, titled

_start = re.compile(r"@\s*([A-Za-z]+)\s*([{(])")
_next = re.compile(r"^[ \t]*@\s*[A-Za-z]+\s*[{(]", re.MULTILINE)
_name = re.compile(r"\s*([A-Za-z][\w-]*)\s*=\s*")
_space = re.compile(r"\s*")
_joint = re.compile(r"\s*#\s*")
_braces = re.compile(r"[{}]")
_marks = re.compile(r'[{}"]')
_bare = re.compile(r"[^\s,#{}\"]+")
# Abbreviations that name one another twice double with every line: a value must not outgrow memory.
LONGEST_VALUE = 100_000
_NO_PAPERS = {"comment", "string", "preamble"}
_ID_FIELDS = ("eprint", "arxivid", "doi", "url", "link", "howpublished", "note", "journal")


class _BrokenError(ValueError):
    pass


def read(text: str, first: int = 1) -> Iterator[Reference | BadEntry | Unparsed]:
    """Every entry of a text whose first line has the number `first`, taken or named, and what stands between them.

    `@string` abbreviations are spelled out.
    """
    words: dict[str, str] = {}
    for line, kind, body in _entries(text, first):
        found, end = _read(line, kind, body, words)
        if found:
            yield found
        if body[end:].strip():
            yield Unparsed(line + body.count("\n", 0, end), body[end:])


def _entries(text: str, first: int) -> Iterator[tuple[int, str, str]]:
    """Each entry's line, kind and everything up to the next entry's start; what comes before them all has no kind."""
    found = _start.search(text)
    at = found.start() if found else len(text)
    yield first, "", text[:at]
    line, counted = first, 0
    while found := _start.search(text, at):
        following = _next.search(text, found.end())
        end = following.start() if following else len(text)
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        yield line, found[1].lower(), text[found.end() : end]
        at = end


def _read(line: int, kind: str, body: str, words: dict[str, str]) -> tuple[Reference | BadEntry | None, int]:
    """The paper of an entry, if it is one, and where the entry ends in its body."""
    if not kind:
        return None, 0
    if kind == "string":
        return _strings(line, body, words)
    return (None, _end(body)) if kind in _NO_PAPERS else _entry(line, body, words)


def _strings(line: int, body: str, words: dict[str, str]) -> tuple[BadEntry | None, int]:
    try:
        found, end = _fields(body, 0, words)
    except _BrokenError as error:
        return BadEntry(line, "@string", f"The abbreviation cannot be read: {error}."), len(body)
    words.update(found)
    return None, end


def _end(body: str) -> int:
    """Where a body that is not read ends: at the brace that closes it, else with it."""
    try:
        return _braced("{" + body, 0)[1] - 1
    except _BrokenError:
        return len(body)


def _entry(line: int, body: str, words: dict[str, str]) -> tuple[Reference | BadEntry, int]:
    key, comma, _ = body.partition(",")
    name = key.strip()[:60] if comma else "(no key)"
    try:
        if not comma or "=" in key:
            raise _BrokenError("it has no key before its first comma")
        fields, end = _fields(body, len(key) + 1, words)
    except _BrokenError as error:
        return BadEntry(line, name, f"The entry cannot be read: {error}."), len(body)
    return _reference(line, name, fields), end


def _reference(line: int, name: str, fields: dict[str, str]) -> Reference | BadEntry:
    title = plain(fields.get("title", ""))
    named = (identifier(_with_archive(field, fields)) for field in _ID_FIELDS if fields.get(field))
    found = next(filter(None, named), "")
    authors = tuple(squeezed(one) for one in re.split(r"\s+and\s+", fields.get("author", "")) if one.strip())
    if not found and not titled(title):
        return BadEntry(line, name, "It has neither a title nor an arXiv id nor a DOI.")
    return Reference(found or titled(title), title, squeezed(fields.get("abstract", "")), authors)


def _with_archive(field: str, fields: dict[str, str]) -> str:
    """Old arXiv ids stand in `eprint` without their archive, which is then in `primaryclass`."""
    value = fields[field]
    archive = fields.get("primaryclass", "").partition(".")[0]
    return f"{archive}/{value}" if field == "eprint" and archive and re.fullmatch(r"\d{7}", value) else value


def _fields(body: str, at: int, words: dict[str, str]) -> tuple[dict[str, str], int]:
    """The fields from `at` on, and where the entry that they are in ends."""
    fields: dict[str, str] = {}
    while found := _name.match(body, at):
        value, at = _value(body, found.end(), words)
        fields[found[1].lower()] = value
        at = _skip(body, at)
        after = body[at : at + 1]
        if not after or after in "})":
            return fields, at + len(after)
        if after != ",":
            raise _BrokenError(f"a comma is missing after {found[1]}")
        at += 1
    at = _skip(body, at)
    rest = body[at : at + 20].strip()
    if rest[:1] not in {"}", ")"}:
        raise _BrokenError(f"near {rest!r}" if rest else "it is never closed")
    return fields, at + 1


def _skip(body: str, at: int) -> int:
    """The place of the next character that is no white space. (No slices: an entry may be a megabyte of fields.)"""
    found = _space.match(body, at)
    return found.end() if found else at


def _value(body: str, at: int, words: dict[str, str]) -> tuple[str, int]:
    """A value in braces, quotes or bare, and those joined by `#`."""
    whole = ""
    while True:
        part, at = _part(body, at, words)
        if len(whole) + len(part) > LONGEST_VALUE:
            raise _BrokenError(f"a field is longer than {LONGEST_VALUE:,} characters")
        whole += part
        joint = _joint.match(body, at)
        if not joint:
            return whole, at
        at = joint.end()


def _part(body: str, at: int, words: dict[str, str]) -> tuple[str, int]:
    if body[at : at + 1] == "{":
        return _braced(body, at)
    if body[at : at + 1] == '"':
        return _quoted(body, at)
    bare = _bare.match(body, at)
    if not bare:
        raise _BrokenError("a field has no value")
    return words.get(bare[0].lower(), bare[0]), bare.end()


def _braced(body: str, at: int) -> tuple[str, int]:
    depth = 0
    for found in _braces.finditer(body, at):
        place = found.start()
        if body[place - 1 : place] != "\\":
            depth += 1 if found[0] == "{" else -1
            if not depth:
                return body[at + 1 : place], place + 1
    raise _BrokenError("a brace is never closed")


def _quoted(body: str, at: int) -> tuple[str, int]:
    depth = 0
    for found in _marks.finditer(body, at + 1):
        place = found.start()
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        elif depth <= 0 and body[place - 1] != "\\":
            return body[at + 1 : place], place + 1
    raise _BrokenError("a quotation mark is never closed")
