"""A paper as a BibTeX entry. Pure but for the row it reads."""

from __future__ import annotations

import re
import unicodedata

from digest.models import Paper
from subscriptions import words

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_MATH = re.compile(r"(\$[^${}]*(?:\{[^${}]*\}[^${}]*)*\$)")
_SMALL = frozenset({"a", "an", "the", "on", "of", "in", "for", "to", "is", "are", "and", "with"})


def entry(paper: Paper) -> str:
    """The entry with a key like `example2606study`: family name, year, first word that means something."""
    kind = "article" if paper.journal_ref else "misc"
    fields = {
        "title": "{" + escaped(paper.title) + "}",
        "author": " and ".join(escaped(name) for name in paper.authors),
        "year": str(paper.published_on.year) if paper.published_on else "",
        "journal": escaped(paper.journal_ref),
        "eprint": escaped(paper.arxiv_id),
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "primaryclass": escaped(paper.primary_category) if paper.arxiv_id else "",
        "doi": escaped(paper.doi),
        "url": _address(paper.url),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{key(paper)},\n" + ",\n".join(lines) + "\n}\n"


def key(paper: Paper) -> str:
    """Letters and digits only, whatever the names are written in."""
    family = _ascii(paper.authors[0].split(",")[0].split()[-1]) if _first_author(paper) else "anonymous"
    year = str(paper.published_on.year) if paper.published_on else ""
    telling = [word for word in words.tokens(paper.title) if word not in _SMALL]
    return (family or "anonymous") + year + (_ascii(telling[0]) if telling else "")


def _first_author(paper: Paper) -> bool:
    return bool(paper.authors and paper.authors[0].split(",")[0].split())


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain).lower()


def escaped(text: str) -> str:
    """Text as BibTeX reads it back: formulas between dollar signs stay, a lone dollar and the rest is escaped."""
    parts = _MATH.split(" ".join(text.split()))
    return "".join(part if at % 2 else _plain(part) for at, part in enumerate(parts))


def _plain(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text).replace("$", r"\$")


def _address(url: str) -> str:
    return url.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C").replace(" ", "%20")
