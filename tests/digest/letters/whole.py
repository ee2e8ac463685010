"""A letter as its templates say it, each run whole with the reader's own values. An oracle for tests."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.template import engines
from django.utils.translation import gettext as _
from markupsafe import Markup

from digest.letters import cards, compose, layout, parts, reasons
from digest.letters import text as letter_text
from digest.letters.cards import ABSTRACT, LEVELS, Level
from digest.letters.compose import LetterInput, Pick, RenderedLetter
from digest.letters.text import wrapped

SAFE = Markup  # what a template rendered before is not escaped again


class Events(HTMLParser):
    """Tags with their attributes, comments and words in order; how a character is escaped makes no difference."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Any] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, sorted(attrs, key=str)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}")

    def handle_data(self, data: str) -> None:
        self.found += data.split()


def events(html: str) -> list[Any]:
    return Events(html).found


def letter(order: LetterInput, composed: RenderedLetter) -> tuple[str, str]:
    """HTML and text for `order` with the papers of `composed`, each at the size it has there."""
    fresh = [pick for pick in order.picks if not pick.carried]
    shown = fresh[: len(composed.papers)]
    assert [pick.card.paper for pick in shown] == list(composed.papers)
    placed = [_card(pick, number, order, composed.text) for number, pick in enumerate(shown, 1)]
    form = layout.form(order.issues, order.weekly, len(order.picks), order.gap)
    values = _values(order, form, fresh, shown, composed)
    contents = _contents(shown) if len(fresh) >= compose.CONTENTS_FROM else ("", "")
    carried = _carried([pick for pick in order.picks if pick.carried])
    html = {"contents": contents[0], "cards": "".join(card for card, _text in placed), "carried": carried[0]}
    text = {"contents": contents[1], "cards": "".join(card for _html, card in placed), "carried": carried[1]}
    wrapped_values = {name: wrapped(values[name]) for name in ("greeting", "why_sent", "overflow")}
    return (
        str(_template("letter_html", "digest.html", values | {name: SAFE(block) for name, block in html.items()})),
        str(_template("letter_text", "digest.txt", values | wrapped_values | text)).strip("\n") + "\n",
    )


def _template(engine: str, name: str, context: dict[str, Any]) -> str:
    return str(engines[engine].get_template(f"email/{name}").render(context))


def _values(
    order: LetterInput, form: layout.Form, fresh: list[Pick], shown: list[Pick], composed: RenderedLetter
) -> dict[str, Any]:
    outside = sum(reasons.is_outside(pick.reasons) for pick in shown)
    matching = len(shown) - outside
    matched = max(order.matched, matching)
    tally = layout.Tally(matching, outside, matched, max(matched - matching, len(fresh) - len(shown)))
    own = order.links
    around = layout.build(form, order.issues, frozenset())
    signed = order.confirmed_on
    why_sent = _(compose.PASSED_ON)
    if own.unsubscribe and signed is None:
        why_sent = _("This is a preview: nobody subscribed to it.")
    elif own.unsubscribe and signed:
        day = f"{layout.short_day(signed)} {signed.year}"
        why_sent = f"You get this letter because you asked for it and confirmed your address on {day}."
    titles = [pick.card.title for pick in fresh]
    return {
        "heading": around.heading,
        "notes": around.notes,
        "receipt": around.receipt,
        "subject": layout.subject(form, order.issues, titles[0] if titles else ""),
        "preheader": layout.preheader(len(shown), titles[1:3]) if titles else "",
        "greeting": layout.greeting(form, tally, order.issues),
        "overflow": layout.overflow(tally.left) if tally.left and own.more else "",
        "why_sent": why_sent,
        "more_url": own.more,
        "web_url": own.web,
        "preferences_url": own.preferences,
        "pause_url": own.pause,
        "unsubscribe_url": own.unsubscribe,
        "saved_url": own.saved,
    }


def _card(pick: Pick, number: int, order: LetterInput, text: str) -> tuple[str, str]:
    """The card at the largest size whose words are in `text`."""
    steps = LEVELS[LEVELS.index(order.level) :]
    for level in steps:
        made = _card_at(pick, number, level, order.links.act)
        if made[1] in text:
            return made
    raise AssertionError(f"paper {pick.card.paper} is in the text at no size")


def _card_at(pick: Pick, number: int, level: Level, act: str) -> tuple[str, str]:
    said = reasons.rendered(pick.reasons, pick.upvotes)
    context = {"card": pick.card, "level": level, "act": act, "abstract": ""}
    if ABSTRACT[level]:
        context["abstract"] = letter_text.opening(pick.card.abstract, ABSTRACT[level])
    html = context | {"number": f"{number}.", "label": SAFE(said.label_html), "why": SAFE(said.why_html)}
    text = context | {"number": f"{number:2}. ", "label": said.label_text, "why": said.why_text}
    return cards.html_fragment("card", html), cards.text_fragment("card", text) + "\n"


def _contents(shown: list[Pick]) -> tuple[str, str]:
    html = [cards.html_fragment("line", {"card": pick.card, "number": f"{n}."}) for n, pick in enumerate(shown, 1)]
    text = [cards.text_fragment("line", {"card": pick.card, "number": f"{n:2}. "}) for n, pick in enumerate(shown, 1)]
    lines = "\n".join(line.rstrip("\n") for line in text)
    return (
        cards.html_fragment("contents", {"lines": SAFE("".join(html))}),
        cards.text_fragment("contents", {"lines": lines}),
    )


def _carried(owed: list[Pick]) -> tuple[str, str]:
    if not owed:
        return "", ""
    named = letter_text.listed(list(dict.fromkeys(pick.carried for pick in owed)))
    context = {
        "heading": f"Also from {named}",
        "explanation": _("It is not sure that an earlier letter reached you. These papers were on it."),
        "papers": [pick.card for pick in owed[: parts.CARRIED_SHOWN]],
    }
    return cards.html_fragment("carried", context), cards.text_fragment("carried", context)
