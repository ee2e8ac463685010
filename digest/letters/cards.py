"""One paper on a letter: its facts as plain text, and its card at four sizes, rendered once for all readers.

A card has placeholders for what differs from letter to letter: `number`, `label` (pin, community pick), `why`
and `act` (the start of the reader's own action links).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from django.template import engines
from django.utils.translation import gettext as _
from jinja2 import TemplateError

from digest.letters import safe_urls
from digest.letters import stylesheet as letter_stylesheet
from digest.letters import text as letter_text
from digest.letters.placeholders import PlaceholderText, cut, placeholder

logger = logging.getLogger(__name__)

Level = Literal["full", "short", "compact", "title"]
LEVELS: tuple[Level, ...] = ("full", "short", "compact", "title")
ABSTRACT = {"full": 2400, "short": 480, "compact": 0, "title": 0}
SHOWN_AUTHORS = 3
# What one odd paper may raise on its way onto a card; the letter is sent all the same.
RENDER_ERRORS = (TemplateError, ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """A paper as plain text. `facts` is category, date, sources and version; `signals` what readers said."""

    paper: int
    url: str
    title: str
    authors: str = ""
    facts: str = ""
    signals: str = ""
    abstract: str = ""
    note: str = ""
    note_label: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedCard:
    """A card at one size, in HTML and in text."""

    html: PlaceholderText
    text: PlaceholderText


def author_line(names: Sequence[object]) -> str:
    """`A, B, C and 4 more`."""
    shown = letter_text.plain_list(names[:SHOWN_AUTHORS], letter_text.NAME_CHARS)
    more = len(names) - SHOWN_AUTHORS
    if more > 0 and shown:
        return _("%(names)s and %(count)s more") % {"names": ", ".join(shown), "count": f"{more:,}"}
    return letter_text.listed(shown)


def signal_line(upvotes: int | None, comments: int | None) -> str:
    """What the community said: nothing is shown for what nobody counts."""
    parts = []
    if upvotes:
        parts.append(letter_text.counted(upvotes, _("upvote"), _("upvotes")))
    if comments:
        parts.append(letter_text.counted(comments, _("comment"), _("comments")))
    return " · ".join(parts)


def links(url: str, pdf: object, code: object, project: object) -> tuple[Link, ...]:
    """The publisher's links that may be followed, each with where it leads."""
    wanted: list[tuple[str, object]] = [
        (_("Abstract on %(host)s"), url),
        (_("PDF"), pdf),
        (_("Code on %(host)s"), code),
        (_("Project page on %(host)s"), project),
    ]
    found = []
    for label, address in wanted:
        if safe := safe_urls.safe(address):
            found.append(Link(label % {"host": safe_urls.host(safe)}, safe))
    return tuple(found)


def rendered(card: Card, level: Level, with_actions: bool = True) -> RenderedCard:
    """The card at one size; one that its template cannot render becomes its title and link (see `title_only`)."""
    try:
        return _rendered(card, level, with_actions)
    except RENDER_ERRORS as error:
        kind = type(error).__name__
        logger.warning("email/card.* cannot print paper %s (%s): the letter shows its title only", card.paper, kind)
        return _rendered(title_only(card), "title", with_actions)


def title_only(card: Card) -> Card:
    """What is left of a paper whose card cannot be made."""
    title = letter_text.one_line(card.title, letter_text.TITLE_CHARS) or _("(untitled)")
    return Card(card.paper, safe_urls.safe(card.url), title)


def _rendered(card: Card, level: Level, with_actions: bool) -> RenderedCard:
    context = {
        "card": card,
        "level": level,
        "abstract": "",
        "number": placeholder("number"),
        "label": placeholder("label"),
        "why": placeholder("why"),
        "act": "",
    }
    if ABSTRACT[level]:
        context["abstract"] = letter_text.opening(card.abstract, ABSTRACT[level])
    if with_actions:
        context["act"] = placeholder("act")
    return RenderedCard(cut(html_fragment("card", context)), cut(text_fragment("card", context) + "\n"))


def contents_line(card: Card) -> RenderedCard:
    """The card's line in the table of contents."""
    context = {"card": card, "number": placeholder("number")}
    text = text_fragment("line", context).rstrip("\n") + "\n"
    return RenderedCard(cut(html_fragment("line", context)), cut(text))


def html_fragment(name: str, context: Mapping[str, object]) -> str:
    """A template of whole tables or paragraphs, escaped, with the letters' styles inlined."""
    rendered = engines["letter_html"].get_template(f"email/{name}.html").render(dict(context))
    if not rendered.strip():
        return ""
    return letter_stylesheet.inline_fragment(rendered, stylesheet()).strip() + "\n"


def text_fragment(name: str, context: Mapping[str, object]) -> str:
    """A template of plain lines, ending in one empty line."""
    rendered = str(engines["letter_text"].get_template(f"email/{name}.txt").render(dict(context))).rstrip("\n")
    if not rendered:
        return ""
    return rendered + "\n\n"


@lru_cache(maxsize=1)
def stylesheet() -> str:
    return str(engines["letter_text"].get_template("email/letter.css").render({}))
