"""BibTeX and BibLaTeX, cut into blocks by `bibtexparser` and read leniently: a broken entry is named, the next is read.

A file is given to the library entry by entry, so that neither many nor huge entries take long
(docs/decisions/024-bibtex-by-bibtexparser.md).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

from bibtexparser.exceptions import BlockAbortedException, ParserStateException
from bibtexparser.model import Block, Entry, ImplicitComment, ParsingFailedBlock, String
from bibtexparser.splitter import Splitter

from subscriptions.bibliography.entries import BadEntry, Reference, Unparsed, identifier
from subscriptions.bibliography.texts import plain, squeezed, titled

Found = Reference | BadEntry | Unparsed

# The library logs what it cannot read, which is a reader's own text.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL + 1)

# Abbreviations that name one another twice double with every line: a value must not outgrow memory.
LONGEST_VALUE = 100_000
LONGEST_ENTRY = 400_000
MOST_SIGNS = 1_000  # @ in one entry: the library looks behind each for an entry that was never closed
MOST_LINES = 300
MOST_BLOCKS = 20_000
_start = re.compile(r"^[ \t]*@\s*([A-Za-z]+)\s*([{(])", re.MULTILINE)
_anywhere = re.compile(r"@\s*[A-Za-z]+\s*[{(]")
_key = re.compile(r"@\w+\s*\{([^,{}=]*),")
_braces = re.compile(r"[{}]")
_marks = re.compile(r'[{}"]')
_bare = re.compile(r"[^#{}\"]+")
_commas = re.compile(r",(?:\s*,)+")
_space = re.compile(r"\s*")
# What a BibTeX file holds beside papers: bibtexparser knows the first three, the others belong to BibLaTeX and REVTeX.
_NO_PAPERS = {"comment", "string", "preamble", "xdata", "set", "control"}
_ID_FIELDS = ("eprint", "arxivid", "doi", "url", "link", "howpublished", "note", "addendum", "journal", "journaltitle")


class _BrokenError(ValueError):
    pass


def read(text: str, first: int = 1) -> Iterator[Found]:
    """Every entry of a text whose first line has the number `first`, taken or named, and what stands between them.

    `@string` abbreviations are spelled out.
    """
    words: dict[str, str] = {}
    for number, (line, chunk) in enumerate(_chunks(text, first)):
        if number == MOST_BLOCKS:
            yield BadEntry(line, "the rest of the file", f"It has more than {MOST_BLOCKS:,} entries. Bring it apart.")
            return
        if not _anywhere.search(chunk):
            yield Unparsed(line, chunk)
        elif len(chunk) > LONGEST_ENTRY or chunk.count("@") > MOST_SIGNS:
            yield BadEntry(line, _named(chunk), f"It is longer than {LONGEST_ENTRY:,} characters, or never closed.")
        else:
            yield from _read(line, chunk, words)


def _chunks(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Each entry that starts a line, with everything up to the next, and its line; what comes before them all."""
    found = _start.search(text)
    yield first, text[: found.start() if found else len(text)]
    line, counted = first, 0
    while found:
        following = _start.search(text, found.end())
        end = following.start() if following else len(text)
        at = text.index("@", found.start())
        line, counted = line + text.count("\n", counted, at), at
        body = text[found.end() : end]
        yield line, f"@{found[1]}{{{_closed(body) if found[2] == '(' else body}"
        found = following


def _closed(body: str) -> str:
    """The rest of an entry in parentheses, as one in braces."""
    before, close, after = body.rpartition(")")
    return f"{before}}}{after}" if close else body


def _read(line: int, chunk: str, words: dict[str, str]) -> Iterator[Found]:
    try:
        blocks = Splitter(_prepared(chunk)).split().blocks
    except (ParserStateException, RecursionError):
        yield BadEntry(line, _named(chunk), "The entry cannot be read.")
        return
    for block in blocks:
        at = line + (block.start_line or 0)
        if isinstance(block, ImplicitComment):
            yield Unparsed(at, block.comment)
        elif isinstance(block, String):
            yield from _abbreviation(at, block, words)
        else:
            yield from _entry(at, block, words)


def _prepared(chunk: str) -> str:
    """An entry as the library takes it: no empty field, and not one call deeper for each of very many lines."""
    single = _commas.sub(lambda found: "," + found[0].replace(",", ""), chunk)
    return single if single.count("\n") <= MOST_LINES else single.replace("\n", " ")


def _abbreviation(line: int, block: String, words: dict[str, str]) -> Iterator[BadEntry]:
    try:
        words[block.key.lower()] = _spelled(block.key, block.value, words)
    except _BrokenError as error:
        yield BadEntry(line, "@string", f"The abbreviation cannot be read: {error}.")


def _entry(line: int, block: Block, words: Mapping[str, str]) -> Iterator[Reference | BadEntry]:
    """An entry, also one that the library only blames for a key or a field that stands there twice."""
    entry = block.ignore_error_block if isinstance(block, ParsingFailedBlock) else block
    raw = block.raw or ""
    if isinstance(entry, Entry):
        if entry.entry_type.lower() not in _NO_PAPERS:
            yield _paper(line, entry, words)
    elif isinstance(block, ParsingFailedBlock):
        yield BadEntry(line, _named(raw), f"The entry cannot be read: {_trouble(block.error)}.")


def _named(raw: str) -> str:
    found = _key.match(raw)
    return (found[1].strip() if found else raw.strip().partition("\n")[0])[:60]


def _trouble(error: Exception) -> str:
    reason = error.abort_reason if isinstance(error, BlockAbortedException) else str(error)
    said = " ".join(reason.split())
    return "it is never closed" if "end of file" in said or "block start" in said else said.rstrip(".")[-120:]


def _paper(line: int, entry: Entry, words: Mapping[str, str]) -> Reference | BadEntry:
    # A remark behind % is no part of the next line's field name; of a field that comes twice the first counts.
    raw = {field.key.rpartition("\n")[2].strip().lower(): str(field.value) for field in reversed(entry.fields)}
    wanted = ("title", "subtitle", "author", "abstract", "primaryclass", "eprintclass", *_ID_FIELDS)
    try:
        fields = {name: _spelled(name, raw[name], words) for name in wanted if name in raw}
    except _BrokenError as error:
        return BadEntry(line, entry.key[:60], f"The entry cannot be read: {error}.")
    title = ": ".join(filter(None, [plain(fields.get("title", "")), plain(fields.get("subtitle", ""))]))
    named = (identifier(_with_archive(field, fields)) for field in _ID_FIELDS if fields.get(field))
    found = next(filter(None, named), "")
    if not found and not titled(title):
        return BadEntry(line, entry.key[:60], "It has neither a title nor an arXiv id nor a DOI.")
    return Reference(found or titled(title), title, squeezed(fields.get("abstract", "")), _authors(fields))


def _authors(fields: Mapping[str, str]) -> tuple[str, ...]:
    names = map(squeezed, re.split(r"\s+and\s+", fields.get("author", "")))
    return tuple(name for name in names if name not in {"", "others"})


def _with_archive(field: str, fields: Mapping[str, str]) -> str:
    """Old arXiv ids stand in `eprint` without their archive, which is then in `primaryclass` or `eprintclass`."""
    value = fields[field]
    archive = (fields.get("primaryclass") or fields.get("eprintclass", "")).partition(".")[0]
    return f"{archive}/{value}" if field == "eprint" and archive and re.fullmatch(r"\d{7}", value) else value


def _spelled(name: str, value: str, words: Mapping[str, str]) -> str:
    """A value out of its braces or quotes, abbreviations spelled out, and those that `#` joins. Raises _BrokenError."""
    whole, at = "", 0
    while True:
        part, at = _part(value, _skip(value, at), words)
        if len(whole) + len(part) > LONGEST_VALUE:
            raise _BrokenError(f"{name} is longer than {LONGEST_VALUE:,} characters")
        whole += part
        at = _skip(value, at)
        if value[at : at + 1] != "#":
            break
        at += 1
    if value[at : at + 1] not in {"", "%"}:
        raise _BrokenError(f"a comma is missing after {name}")
    return whole


def _skip(value: str, at: int) -> int:
    """The place of the next character that is no white space."""
    found = _space.match(value, at)
    return found.end() if found else at


def _part(value: str, at: int, words: Mapping[str, str]) -> tuple[str, int]:
    sign = value[at : at + 1]
    if sign in {"{", '"'}:
        return _enclosed(value, at, _braces if sign == "{" else _marks)
    bare = _bare.match(value, at)
    if not bare:
        return "", at
    return words.get(bare[0].strip().lower(), bare[0].strip()), bare.end()


def _enclosed(value: str, at: int, signs: re.Pattern[str]) -> tuple[str, int]:
    """What stands in braces, or in quotation marks (a mark inside braces is a letter)."""
    depth = 1 if value[at] == "{" else 0
    for found in signs.finditer(value, at + 1):
        place = found.start()
        if value[place - 1] == "\\" and place - 1 > at:
            continue
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        if depth <= 0 and (found[0] == '"' or value[at] == "{"):
            return value[at + 1 : place], place + 1
    return value[at + 1 :], len(value)
