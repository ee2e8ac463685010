"""The parts of a letter, each rendered from its template and encoded once in a process, in HTML and in text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _
from markupsafe import escape

from digest.letters import cards, mime
from digest.letters import reasons as card_reasons
from digest.letters import text as letter_text
from digest.letters.cards import Card, Level
from digest.letters.mime import Encoded
from digest.letters.placeholders import PlaceholderText, cut, placeholder
from digest.letters.reasons import Reason

CARRIED_SHOWN = 20
# How many are kept in a process: a card holds some 9 KB, a line 3, a card's reasons 1, a block carried over 4.
KEPT_CARDS, KEPT_LINES, KEPT_REASONS, KEPT_CARRIED = 4_000, 4_000, 20_000, 1_000
KEPT_NUMBERS = 200
IN_CARD = ("label", "number", "why", "act")  # the placeholders of a card


@dataclass(frozen=True, slots=True)
class HtmlAndText:
    """A value in HTML and in text, encoded. `size` counts the UTF-8 bytes of the HTML."""

    html: bytes = b""
    text: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True)
class EncodedParts:
    """A rendered template in HTML and in text, encoded.

    `size` counts the UTF-8 bytes of the HTML, `acts` the places in it for the reader's action address.
    """

    html: Encoded
    text: Encoded
    size: int
    acts: int


@dataclass(frozen=True, slots=True)
class EncodedReasons:
    """The label over a card and the line under it; `size` counts the bytes of the HTML of both."""

    label: HtmlAndText
    line: HtmlAndText
    size: int
    is_outside: bool


NOTHING = HtmlAndText()


def sentence(text: str) -> HtmlAndText:
    """One line of plain text."""
    return value(str(escape(text)), text)


def value(html: str, text: str) -> HtmlAndText:
    return HtmlAndText(mime.encode(html), mime.encode(text), len(html.encode()))


def template_parts(html: PlaceholderText, text: PlaceholderText, *names: str) -> EncodedParts:
    return EncodedParts(mime.encoded(html, *names), mime.encoded(text, *names), html.size, html.names.count("act"))


@lru_cache(maxsize=KEPT_NUMBERS)
def numbers(count: int) -> tuple[HtmlAndText, ...]:
    """The numbers before the titles, from 1; in text each stands in a margin of four columns."""
    return tuple(value(f"{number}.", f"{number:2}. ") for number in range(1, count + 1))


@lru_cache(maxsize=KEPT_CARDS)
def card(paper: Card, level: Level, with_actions: bool) -> EncodedParts:
    made = cards.rendered(paper, level, with_actions)
    return template_parts(made.html, made.text, *IN_CARD)


@lru_cache(maxsize=KEPT_LINES)
def line(paper: Card) -> EncodedParts:
    """A paper's line in the table of contents."""
    made = cards.contents_line(paper)
    return template_parts(made.html, made.text, "number")


@lru_cache(maxsize=KEPT_REASONS)
def reasons(given: tuple[Reason, ...], upvotes: int) -> EncodedReasons:
    made = card_reasons.rendered(given, upvotes)
    label = value(made.label_html, made.label_text)
    line = value(made.why_html, made.why_text)
    return EncodedReasons(label, line, label.size + line.size, card_reasons.is_outside(given))


@lru_cache(maxsize=1)
def contents() -> EncodedParts:
    """The table of contents, with a placeholder for its lines."""
    lines = placeholder("lines")
    html = cards.html_fragment("contents", {"lines": lines})
    text = cards.text_fragment("contents", {"lines": lines})
    return template_parts(cut(html), cut(text.replace(f"{lines}\n", lines)))


@lru_cache(maxsize=KEPT_CARRIED)
def carried(owed: tuple[tuple[Card, str], ...]) -> HtmlAndText:
    """The papers of earlier letters that may not have arrived: titles and links, in one block."""
    days = list(dict.fromkeys(day for _card, day in owed))
    context = {
        "heading": _("Also from %(days)s") % {"days": letter_text.listed(days)},
        "explanation": _("It is not sure that an earlier letter reached you. These papers were on it."),
        "papers": [card for card, _day in owed[:CARRIED_SHOWN]],
    }
    return value(cards.html_fragment("carried", context), cards.text_fragment("carried", context))
