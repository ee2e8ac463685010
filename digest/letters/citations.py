"""Writes papers as BibTeX and RIS, for reference managers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from digest.letters import safe_urls
from digest.letters import text as letter_text

LONG = 2_000


@dataclass(frozen=True, slots=True)
class Reference:
    """What a citation needs of a paper; texts in any shape, cleaned here."""

    title: str
    authors: Sequence[str]
    url: str
    published_on: date | None = None
    doi: str = ""
    arxiv_id: str = ""
    primary_category: str = ""
    abstract: str = ""
    journal: str = ""


def bibtex(references: Iterable[Reference]) -> str:
    """One `@article` (or `@misc` for a preprint) a reference, with keys that are unique within the file."""
    taken: set[str] = set()
    return "\n".join(_entry(reference, _key(reference, taken)) for reference in references)


def ris(references: Iterable[Reference]) -> str:
    """RIS as Zotero, Mendeley and EndNote read it: `TY  - …` lines, CRLF, one record a reference."""
    return "".join(map(_record, references))


def _entry(reference: Reference, key: str) -> str:
    fields = {
        "title": f"{{{_tex(_plain(reference.title))}}}",
        "author": " and ".join(map(_tex, _authors(reference))),
    }
    published_on = reference.published_on
    if published_on:
        fields["year"] = str(published_on.year)
        fields["month"] = published_on.strftime("%b").lower()
    fields["journal"] = _tex(_plain(reference.journal))
    fields["doi"] = _identifier(reference.doi)
    fields["eprint"] = _identifier(reference.arxiv_id)
    if reference.arxiv_id:
        fields["archiveprefix"] = "arXiv"
        fields["primaryclass"] = _identifier(reference.primary_category)
    fields["url"] = safe_urls.safe(reference.url)
    kind = "misc"
    if reference.journal:
        kind = "article"
    lines = [f"@{kind}{{{key},"]
    for name, value in fields.items():
        if name == "month":  # a BibTeX macro, so without braces
            lines.append(f"  month = {value},")
        elif value.strip("{}"):
            lines.append(f"  {name} = {{{value}}},")
    return "\n".join([*lines, "}", ""])


def _record(reference: Reference) -> str:
    kind = "UNPB"
    if reference.journal:
        kind = "JOUR"
    lines = [("TY", kind), ("TI", _plain(reference.title))]
    lines += [("AU", name) for name in _authors(reference)]
    if reference.published_on:
        lines += [("PY", f"{reference.published_on.year}"), ("DA", f"{reference.published_on:%Y/%m/%d}")]
    lines += [("JO", _plain(reference.journal)), ("DO", _identifier(reference.doi))]
    if reference.arxiv_id:
        lines.append(("AN", f"arXiv:{_identifier(reference.arxiv_id)}"))
    lines.append(("UR", safe_urls.safe(reference.url)))
    lines.append(("AB", letter_text.plain(reference.abstract, letter_text.ABSTRACT_CHARS)))
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n\r\n"


def _plain(text: str) -> str:
    return letter_text.plain(text, LONG)


def _authors(reference: Reference) -> list[str]:
    """Each name as `Last, First`; what has a comma, or one word only, stays."""
    names = letter_text.plain_list(reference.authors, letter_text.NAME_CHARS)
    for n, name in enumerate(names):
        first, _, last = name.rpartition(" ")
        if first and "," not in name:
            names[n] = f"{last}, {first}"
    return names


def _identifier(value: str) -> str:
    """No braces, quotes or spaces can be part of one."""
    return re.sub(r"[^\w./:;()<>\-]", "", letter_text.one_line(value, 200))


_TEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
})  # fmt: skip


def _tex(text: str) -> str:
    return text.translate(_TEX)


def _key(reference: Reference, taken: set[str]) -> str:
    """`surname2026word`, with a number behind it where two papers would share it."""
    surname = "anonymous"
    year = first = ""
    if authors := _authors(reference):
        surname = authors[0].partition(",")[0]
    if reference.published_on:
        year = str(reference.published_on.year)
    if word := re.search(r"\w{4,}", _plain(reference.title)):
        first = word.group()
    flat = unicodedata.normalize("NFKD", f"{surname}{year}{first}").encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9]", "", flat).lower() or "paper"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}{number}"
    taken.add(key)
    return key
