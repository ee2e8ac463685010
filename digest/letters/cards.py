"""One paper on a letter: its facts as plain words, and its card at four sizes, rendered once for all readers.

A card has holes for what differs from letter to letter: `number`, `label` (pin, community pick), `why`
and `act` (the start of the reader's own action links).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

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
KEPT_CARDS = 4_000
# What one odd paper may raise on its way onto a card; it must not take the letter with it.
SPOILS = (TemplateError, ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """A paper in words fit to print. `facts` is category, date, sources and version; `signals` what readers said."""

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
class Printed:
    """A card at one size, in both voices."""

    html: PlaceholderText
    text: PlaceholderText


def author_line(names: list[Any]) -> str:
    """`A, B, C and 4 more`."""
    shown = [letter_text.plain(name, letter_text.NAME_CHARS) for name in names[:SHOWN_AUTHORS]]
    shown = [name for name in shown if name]
    more = len(names) - SHOWN_AUTHORS
    if more > 0 and shown:
        return _("%(names)s and %(count)s more") % {"names": ", ".join(shown), "count": f"{more:,}"}
    return letter_text.listed(shown)


def signal_line(upvotes: int | None, comments: int | None) -> str:
    """What the community said, where somebody counted: nothing is shown for what nobody counts."""
    parts = []
    if upvotes:
        parts.append(letter_text.counted(upvotes, _("upvote"), _("upvotes")))
    if comments:
        parts.append(letter_text.counted(comments, _("comment"), _("comments")))
    return " · ".join(parts)


def links(url: str, pdf: object, code: object, project: object) -> tuple[Link, ...]:
    """The publisher's links that may be followed, each saying where it leads."""
    wanted: list[tuple[str, object]] = [
        (_("Abstract on %(host)s"), url),
        (_("PDF"), pdf),
        (_("Code on %(host)s"), code),
        (_("Project page on %(host)s"), project),
    ]
    found = [(label, safe_urls.safe(address)) for label, address in wanted]
    return tuple(Link(label % {"host": safe_urls.host(url)}, url) for label, url in found if url)


@lru_cache(maxsize=KEPT_CARDS)
def printed(card: Card, level: Level, with_actions: bool = True) -> Printed:
    """The card at one size; one that its template cannot print becomes its title and link (see `bare`)."""
    try:
        return _print(card, level, with_actions)
    except SPOILS as error:
        kind = type(error).__name__
        logger.warning("email/card.* cannot print paper %s (%s): the letter shows its title only", card.paper, kind)
        return _print(bare(card), "title", with_actions)


def bare(card: Card) -> Card:
    """What is left of a paper that would spoil the letter."""
    return Card(
        card.paper,
        safe_urls.safe(card.url),
        letter_text.one_line(card.title, letter_text.TITLE_CHARS) or _("(untitled)"),
    )


def _print(card: Card, level: Level, with_actions: bool) -> Printed:
    context = {
        "card": card,
        "level": level,
        "abstract": letter_text.opening(card.abstract, ABSTRACT[level]) if ABSTRACT[level] else "",
        "number": placeholder("number"),
        "label": placeholder("label"),
        "why": placeholder("why"),
        "act": placeholder("act") if with_actions else "",
    }
    return Printed(cut(html_fragment("card", context)), cut(text_fragment("card", context) + "\n"))


@lru_cache(maxsize=KEPT_CARDS)
def contents_line(card: Card) -> Printed:
    """The card's line in the table of contents."""
    context = {"card": card, "number": placeholder("number")}
    html, text = html_fragment("line", context), text_fragment("line", context)
    return Printed(cut(html), cut(text.rstrip("\n") + "\n"))


def html_fragment(name: str, context: dict[str, Any]) -> str:
    """A template of whole tables or paragraphs, escaped, with the letters' styles inlined."""
    rendered = engines["letter_html"].get_template(f"email/{name}.html").render(context)
    return letter_stylesheet.inline_fragment(rendered, stylesheet()).strip() + "\n" if rendered.strip() else ""


def text_fragment(name: str, context: dict[str, Any]) -> str:
    """A template of plain lines, ending in one empty line."""
    rendered = str(engines["letter_text"].get_template(f"email/{name}.txt").render(context)).rstrip("\n")
    return rendered + "\n\n" if rendered else ""


@lru_cache(maxsize=1)
def stylesheet() -> str:
    return str(engines["letter_text"].get_template("email/letter.css").render({}))
