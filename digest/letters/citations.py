"""Papers as BibTeX and RIS, for whatever keeps a reader's references. Pure."""

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
    return "".join(_record(reference) for reference in references)


def _entry(reference: Reference, key: str) -> str:
    fields = {
        "title": f"{{{_tex(_plain(reference.title))}}}",
        "author": " and ".join(f"{_tex(_inverted(name))}" for name in _names(reference)),
        "year": str(reference.published_on.year) if reference.published_on else "",
        "month": reference.published_on.strftime("%b").lower() if reference.published_on else "",
        "journal": _tex(_plain(reference.journal)),
        "doi": _bare(reference.doi),
        "eprint": _bare(reference.arxiv_id),
        "archiveprefix": "arXiv" if reference.arxiv_id else "",
        "primaryclass": _bare(reference.primary_category) if reference.arxiv_id else "",
        "url": safe_urls.safe(reference.url),
    }
    lines = [f"  {name} = {_value(name, value)}," for name, value in fields.items() if value.strip("{}")]
    return "\n".join([f"@{'article' if reference.journal else 'misc'}{{{key},", *lines, "}", ""])


def _value(name: str, value: str) -> str:
    return value if name == "month" else f"{{{value}}}"


def _record(reference: Reference) -> str:
    lines = [("TY", "JOUR" if reference.journal else "UNPB"), ("TI", _plain(reference.title))]
    lines += [("AU", _inverted(name)) for name in _names(reference)]
    if reference.published_on:
        lines += [("PY", f"{reference.published_on.year}"), ("DA", f"{reference.published_on:%Y/%m/%d}")]
    lines += [
        ("JO", _plain(reference.journal)),
        ("DO", _bare(reference.doi)),
        ("AN", f"arXiv:{_bare(reference.arxiv_id)}" if reference.arxiv_id else ""),
        ("UR", safe_urls.safe(reference.url)),
        ("AB", letter_text.plain(reference.abstract, letter_text.ABSTRACT_CHARS)),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n\r\n"


def _plain(text: str) -> str:
    return letter_text.plain(text, LONG)


def _names(reference: Reference) -> list[str]:
    return [
        name for name in (letter_text.plain(author, letter_text.NAME_CHARS) for author in reference.authors) if name
    ]


def _inverted(name: str) -> str:
    """`Last, First`; what has a comma, or one word only, stays."""
    first, _, last = name.rpartition(" ")
    return name if "," in name or not first else f"{last}, {first}"


def _bare(value: str) -> str:
    """An identifier: no braces, quotes or spaces can be part of one."""
    return re.sub(r"[^\w./:;()<>\-]", "", letter_text.one_line(value, 200))


_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text)


def _key(reference: Reference, taken: set[str]) -> str:
    """`surname2026word`, with a letter behind it where two papers would share it."""
    names = _names(reference)
    surname = _inverted(names[0]).partition(",")[0] if names else "anonymous"
    year = str(reference.published_on.year) if reference.published_on else ""
    first = next((word for word in re.findall(r"\w{4,}", _plain(reference.title))), "")
    base = _ascii(f"{surname}{year}{first}").lower() or "paper"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}{number}"
    taken.add(key)
    return key


def _ascii(text: str) -> str:
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", flat)
