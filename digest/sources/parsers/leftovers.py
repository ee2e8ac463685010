"""What publishers' systems leave around an abstract. Only what is certain by its form is taken away."""

from __future__ import annotations

import html
import re

from digest.sources.parsers import markup
from digest.sources.parsers.text import ABSTRACT, plain, unmarked, untagged

_NAMES = r"abstract|summary|zusammenfassung|r[ée]sum[ée]|resumen|resumo|riassunto|аннотация|摘要|要旨|抄録|초록"
# A head of its own: the word alone in its element, or with a colon, or in capitals before a sentence.
_MARKED_HEAD = re.compile(
    rf"^(?:\s|&nbsp;|<[^<>]{{1,300}}>){{0,20}}(?:{_NAMES})\s*[:.：]?\s*(?=</(?!a\b|i\b|em\b|sub\b|sup\b))",
    re.IGNORECASE,
)
_HEAD = re.compile(rf"^(?:(?i:{_NAMES})\s*(?:[:：]|\.(?=\s)|[—–-](?=\s))\s*|ABSTRACT\s+(?=[A-Z]))(?=\S)")
# arXiv's own head of an abstract in its feeds since 2024.
_ARXIV = re.compile(r"^arXiv:\S{5,40}\s+Announce Type:\s*\S{1,20}\s+Abstract:\s*")
# The last paragraph of WordPress's feeds, in any language: the post's title as a link, then the blog's name as one.
_FOOT = re.compile(
    r"<p>[^<>]{0,60}<a\s[^<>]*>([^<>]{1,500})</a>[^<>]{0,60}<a\s[^<>]*>[^<>]{1,200}</a>[^<>]{0,20}</p>\s*$"
)
_FOOT_WORDS = r"\s*The post {title} (?:appeared first on|first appeared on) [^<>]{{1,120}}$"
_GO_ON = (
    r"read (?:more|the (?:full|rest))|continue reading|more\s*(?:…|&hellip;|&#8230;|»|&raquo;)|weiterlesen"
    r"|lire la suite|leer más|leia mais|continua a leggere|lees verder|阅读全文|続きを読む"
)
_MORE = re.compile(
    rf"(?:<p[^<>]{{0,100}}>\s*)?<a\s[^<>]*>\s*[\[(]?(?:{_GO_ON})[^<>]{{0,200}}"
    r"(?:<span[^<>]{0,200}>[^<>]{0,300}</span>[^<>]{0,60})?</a>(?:\s|[\])]|&nbsp;|</(?:p|div)>){0,6}$",
    re.IGNORECASE,
)
_CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*\[\s*(?:…|\.\.\.|&hellip;)\s*\]$")
# bioRxiv's API keeps its typesetter's marks: heads, list items, small capitals, Greek letters by name, whole figures.
_FIGURE = re.compile(r"O_(FIG|TBL|INLINEFIG)\b(?:(?!O_\1\b).){0,4000}?C_\1\b", re.DOTALL)
_SMALL_CAPITALS = re.compile(r"[OC]_SCP(?:LOW|CAP)")
_TYPESET = re.compile(r"^Abstract(?=O_ST_ABS)|[OC]_(?:ST_ABS|LI(?!NK)|QD)")
_GREEK = re.compile(
    r"\{(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|micro|nu|xi|pi|rho|sigma|tau|upsilon|phi"
    r"|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega)\}"
)


def abstract(text: object, title: str = "", limit: int = ABSTRACT) -> str:
    """The words of an abstract that its publisher declared to be HTML. `title` is the entry's, plain."""
    if not isinstance(text, str):
        return ""
    written = markup.as_meant(text[: limit * 8]).strip()
    written = _MARKED_HEAD.sub("", _without_end(written, title))
    words = headless(unmarked(written, limit))
    if title and " appeared " in words[-400:]:
        words = re.sub(_FOOT_WORDS.format(title=re.escape(title)), "", words)
    return words


def _without_end(written: str, title: str) -> str:
    """HTML without the blog's line at its end and without the link to the rest of the text."""
    foot = _FOOT.search(written, max(0, len(written) - 3_000))
    if foot and title and untagged(foot[1]) == title:
        written = written[: foot.start()].rstrip()
    more = _MORE.search(written, max(0, len(written) - 1_500))
    return written[: more.start()].rstrip() if more else written


def headless(words: str) -> str:
    """A plain abstract without its head, and with a mere `…` where the publisher cut it short."""
    words = _HEAD.sub("", _ARXIV.sub("", words))
    return _CUT.sub("…", words) if words.endswith("]") else words


def typeset(text: object, limit: int = ABSTRACT) -> str:
    """An abstract of bioRxiv's API: HTML with the marks of its typesetter in it."""
    if not isinstance(text, str):
        return ""
    written = _FIGURE.sub(" ", text[: limit * 8])
    written = _TYPESET.sub(" ", _SMALL_CAPITALS.sub("", written))
    return plain(_GREEK.sub(_greek, abstract(written, limit=limit)), limit)


def _greek(name: re.Match[str]) -> str:
    return html.unescape(f"&{name[1]};")
