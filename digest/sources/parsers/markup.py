"""HTML, JATS and MathML taken off texts: inline tags leave no gap, all others part words.

A tag is known by its name, so that an author's own word between angle brackets (`<think>`, `a<b`) stays.
"""

from __future__ import annotations

import html
import re

# HTML's phrasing elements that stand inside of words, MathML, and JATS (jats.nlm.nih.gov) for the same.
_INSIDE = (
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark q rb ruby s samp small span strike "
    "strong sub sup time tt u var wbr math mfrac mi mn mo mover mrow ms msqrt mstyle msub msubsup msup mtext munder "
    "munderover semantics bold email ext-link inline-formula italic monospace named-content overline roman "
    "sans-serif sc styled-content underline uri xref"
)
INLINE = frozenset(_INSIDE.split())
_PARTING = (
    "address article aside audio base blockquote body br button canvas caption center col colgroup dd details dialog "
    "dir div dl dt embed fieldset figcaption figure footer form frame h1 h2 h3 h4 h5 h6 head header hgroup hr html "
    "iframe img input legend li link main menu meta mspace mtable mtd mtr nav noscript object ol optgroup option p "
    "picture pre progress rp rt script search section select style summary svg table tbody td textarea tfoot th thead "
    "title tr ul video alternatives annotation disp-formula inline-graphic list-item sec tex-math o:p"
)
# Names that may be an author's own word: tags only where they have attributes.
_ATTRIBUTED = (
    "area circle data ellipse g graphic image line list map object output param path polygon rect source track use"
)
_BARE = (
    "allowfullscreen async autoplay checked class compact controls default defer disabled hidden id itemscope loop "
    "multiple muted noshade nowrap open readonly required reversed selected style"
)


def _any(names: str) -> str:
    return "|".join(sorted(names.split(), key=len, reverse=True))


_NAME = rf"(?:{_any(_INSIDE)}|{_any(_PARTING)}|(?:jats|mml|m):[a-z-]+)"
# A quoted value may hold `>`; one with a quotation mark too few ends at the next bracket.
_VALUES = r"""\s+[\w:.-]+\s*=(?:(?:[^<>"']|"[^"]{0,1000}"|'[^']{0,1000}')*+(?=>)|[^<>]*)"""
_TAG = re.compile(
    rf"</?({_NAME})(?:\s+(?:{_any(_BARE)})(?=[\s>/]))*(?:{_VALUES}|\s*/?\s*)>|<(?:{_any(_ATTRIBUTED)}){_VALUES}>",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>[^<]*(?:<(?!/\1\s*>)[^<]*)*(?:</\1\s*>|$)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DECLARED = re.compile(
    r"<!doctype\b[^<>]*>|<\?(?:xml|php)\b[^<>]*>|<!\[CDATA\[|\]\]>|<!\[(?:end)?if\b[^<>]*>", re.IGNORECASE
)
# A picture that stands for a character or a formula says so by its class (WordPress).
_PICTURE = re.compile(
    r"<img\s(?=[^<>]*class=[\"'][^\"'<>]*\b(emoji|wp-smiley|latex)\b)[^<>]*\balt=[\"']([^\"'<>]*)[^<>]*>", re.I
)
# One formula said twice: JATS <alternatives>, and MathML's <annotation> of its TeX.
_ALTERNATIVES = re.compile(
    r"<(?:jats:)?alternatives>(?:(?!<(?:jats:)?alternatives).){0,4000}?<(?:jats:)?tex-math\b[^<>]*>([^<]*)</(?:jats:)?tex-math>"
    r"(?:(?!<(?:jats:)?alternatives).){0,4000}?</(?:jats:)?alternatives>",
    re.IGNORECASE | re.DOTALL,
)
_ANNOTATED = re.compile(
    r"<(mml:|m:|)math\b[^<>]*>[^<]*(?:<(?!/?\1math\b|\1annotation\s)[^<]*)*"
    r"<\1annotation\s[^<>]*x-tex[^<>]*>([^<]*)</\1annotation>\s*(?:</\1semantics>)?\s*</\1math>",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\\documentclass\b(?:(?!\\documentclass).){0,2000}?\\begin\{document\}\s*(.{0,4000}?)\s*\\end\{document\}",
    re.DOTALL,
)
_MARKUP = re.compile(r"^\s*<(?:p|div)\b[^<>]*>|</(?:p|div)>|<br\s*/?>|<a\s+href=", re.IGNORECASE)


def as_meant(written: str) -> str:
    """HTML as its publisher meant it: what was escaped once too often, and so holds no tag, is unescaped once."""
    if "<" in written or "&lt;" not in written:
        return written
    words = html.unescape(written)
    return words if _MARKUP.search(words) else written


def taken_off(words: str) -> str:
    """The words without tags, comments, scripts and second forms of one formula; entities stay."""
    if "<" in words:
        words = _without_comments(words)
        words = _DECLARED.sub("", _PICTURE.sub(_said, words))
        words = _HIDDEN.sub(" ", _ANNOTATED.sub(r"$\2$", _ALTERNATIVES.sub(r"\1", words)))
        words = _TAG.sub(_gap, words)
    return _PREAMBLE.sub(r"\1", words) if "\\documentclass" in words else words


def _without_comments(words: str) -> str:
    """A comment that is never closed is none, and no text is searched twice for its end."""
    end = words.rfind("-->") + 3
    return _COMMENT.sub("", words[:end]) + words[end:] if end > 2 else words


def _said(picture: re.Match[str]) -> str:
    return f"${picture[2]}$" if picture[1].lower() == "latex" else picture[2]


def _gap(tag: re.Match[str]) -> str:
    name = (tag[1] or "").lower().removeprefix("jats:").removeprefix("mml:").removeprefix("m:")
    return "" if name in INLINE else " "
