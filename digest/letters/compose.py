"""Puts one letter together from parts that were rendered before: values in, subject and two bodies out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.translation import gettext as _
from markupsafe import escape

from digest.letters import cards, layout, reasons, size_limit
from digest.letters import text as letter_text
from digest.letters.cards import Card, Level
from digest.letters.layout import Issue, Tally
from digest.letters.placeholders import PlaceholderText, cut, placeholder
from digest.letters.reasons import Reason
from digest.letters.text import wrapped

CONTENTS_FROM = 8  # a table of titles helps where the papers do not fit one screen
CARRIED_SHOWN = 20
# How many are kept in a process: a placed card holds some 8 KB, a line 3, a block of what is carried over 4.
KEPT_PLACED, KEPT_LINES, KEPT_CARRIED = 2_000, 4_000, 1_000
PASSED_ON = "This is one reader’s letter, as it can be passed on: it holds none of their own links."
OUTSIDE = frozenset({"pin", "community", "late", "explore"})
OWN_WORDS = 3_000  # subject, preheader, greeting and footer, escaped


@dataclass(frozen=True, slots=True)
class Pick:
    """One chosen paper with its reasons; `carried` is the day of the letter before, which may not have arrived."""

    card: Card
    reasons: tuple[Reason, ...] = ()
    upvotes: int = 0
    carried: str = ""


@dataclass(frozen=True, slots=True)
class ReaderLinks:
    """The reader's own addresses; `act` is the start of the action links. "" leaves a door out."""

    preferences: str
    pause: str
    unsubscribe: str
    web: str = ""
    more: str = ""
    saved: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class LetterInput:
    """All that one letter depends on; `gap` as in `frames.form`."""

    issues: tuple[Issue, ...]
    picks: tuple[Pick, ...]
    matched: int
    doors: ReaderLinks
    weekly: bool = False
    gap: int = 1
    level: Level = "short"
    confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class RenderedLetter:
    """One letter's words, and the papers that are on it, in order, in both bodies."""

    subject: str
    preheader: str
    html: str
    text: str
    papers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HtmlAndText:
    """The same words in both voices, each cut where the reader's own action address belongs."""

    html: tuple[str, ...] = ("",)
    text: tuple[str, ...] = ("",)

    @property
    def size(self) -> int:
        return sum(len(part.encode()) for part in self.html)


NOTHING = HtmlAndText()


def compose(order: LetterInput) -> RenderedLetter:
    """The letter for `order`: subject, HTML under its byte budget, and text with the same papers."""
    fresh = tuple(pick for pick in order.picks if not pick.carried)
    is_long = len(fresh) >= CONTENTS_FROM
    carried = _carried(tuple((pick.card, pick.carried) for pick in order.picks if pick.carried))
    form = layout.form(order.issues, order.weekly, len(order.picks), order.gap)
    room = (
        size_limit.HTML_BYTES
        - frame_for(order.doors, order.issues, form, True)[0].size
        - carried.size
        - own_size(order.doors)
    )
    placed = _place(fresh, order, room, is_long)
    shown = fresh[: len(placed)]
    contents = [contents_line(pick.card, n) for n, pick in enumerate(shown, 1)] if is_long else []
    tally = counted(order, fresh, len(placed))
    values = own_values(form, order, [pick.card.title for pick in fresh], tally)
    blocks = (_contents(contents), _joined(placed, order.doors.act), carried)
    html, text = frame_for(order.doors, order.issues, form, tally.left > 0)
    return RenderedLetter(
        subject=values["subject"],
        preheader=values["preheader"],
        html=html.fill(in_html(values) | _blocks([block.html for block in blocks])),
        text=text.fill(in_text(values) | _blocks([block.text for block in blocks])),
        papers=tuple(pick.card.paper for pick in shown),
    )


def counted(order: LetterInput, fresh: Sequence[Pick], count: int) -> Tally:
    """What of the reader's matches is on the letter, what came beside them, and what is left for the web."""
    outside = sum(is_outside(pick.reasons) for pick in fresh[:count])
    matching = count - outside
    matched = max(order.matched, matching)
    return Tally(matching, outside, matched, max(matched - matching, len(fresh) - count))


def is_outside(said: Sequence[Reason]) -> bool:
    """A pin, a late riser or a community pick that the reader did not ask for."""
    return bool(said) and all(reason.kind in OUTSIDE for reason in said)


def frame_for(
    own: ReaderLinks, issues: tuple[Issue, ...], form: layout.Form, with_overflow: bool
) -> tuple[PlaceholderText, PlaceholderText]:
    """The frame's HTML and text, without the places that this letter has nothing for."""
    doors = {"web_url": own.web, "saved_url": own.saved, "preferences_url": own.preferences}
    doors |= {"unsubscribe_url": own.unsubscribe, "overflow": own.more if with_overflow else ""}
    doors["preheader"] = "" if form == "empty" else "some"
    omitted = frozenset(name for name, door in doors.items() if not door)
    return layout.printed(layout.frame(form, issues, omitted))


def _blocks(parts: Sequence[tuple[str, ...]]) -> dict[str, str]:
    return dict(zip(("contents", "cards", "carried"), ("".join(part) for part in parts), strict=True))


def own_size(doors: ReaderLinks) -> int:
    """Bytes that the reader's own words and addresses may take in the frame."""
    frame = [doors.preferences, doors.pause, doors.unsubscribe, doors.web, doors.more, doors.saved]
    return sum(len(door) for door in frame) + OWN_WORDS


def _place(fresh: Sequence[Pick], order: LetterInput, room: int, is_long: bool) -> list[HtmlAndText]:
    """The cards that fit, each at the largest size that leaves room for the others."""
    act = bool(order.doors.act)

    def size(n: int, level: Level) -> int:
        card = placed(fresh[n], n + 1, level, act)
        line = contents_line(fresh[n].card, n + 1).size if is_long else 0
        return card.size + len(order.doors.act) * (len(card.html) - 1) + line

    levels = size_limit.fit(len(fresh), order.level, room, size)
    return [placed(pick, n, level, act) for n, (pick, level) in enumerate(zip(fresh, levels, strict=True), 1) if level]


@lru_cache(maxsize=KEPT_PLACED)
def placed(pick: Pick, number: int, level: Level, act: bool) -> HtmlAndText:
    """A card at its place on a letter, with its label and reasons."""
    card = cards.printed(pick.card, level, act)
    said = reasons.printed(pick.reasons, pick.upvotes)
    shared = {"act": placeholder("act")}
    html = card.html.fill(shared | {"number": f"{number}.", "label": said.label_html, "why": said.why_html})
    margin = numbered(number)
    text = card.text.fill(shared | {"number": margin, "label": said.label_text, "why": said.why_text})
    return HtmlAndText(cut(html).parts, cut(text).parts)


def numbered(number: int) -> str:
    """A number in the margin of four columns."""
    return f"{number:2}. "


def _joined(placed: Sequence[HtmlAndText], act: str) -> HtmlAndText:
    """The cards one after the other, with the reader's own action address."""
    html = tuple(act.join(one.html) for one in placed)
    return HtmlAndText(html, tuple(act.join(one.text) for one in placed))


@lru_cache(maxsize=KEPT_LINES)
def contents_line(card: Card, number: int) -> HtmlAndText:
    line = cards.contents_line(card)
    html = line.html.fill({"number": f"{number}."})
    return HtmlAndText((html,), (line.text.fill({"number": numbered(number)}),))


@lru_cache(maxsize=1)
def contents_frame() -> tuple[PlaceholderText, PlaceholderText]:
    context = {"lines": placeholder("lines")}
    text = cards.text_fragment("contents", context).replace(f"{context['lines']}\n", context["lines"])
    return cut(cards.html_fragment("contents", context)), cut(text)


def _contents(lines: Sequence[HtmlAndText]) -> HtmlAndText:
    if not lines:
        return NOTHING
    html, text = contents_frame()
    inside = "".join(line.html[0] for line in lines), "".join(line.text[0] for line in lines)
    return HtmlAndText((html.fill({"lines": inside[0]}),), (text.fill({"lines": inside[1]}),))


@lru_cache(maxsize=KEPT_CARRIED)
def _carried(owed: tuple[tuple[Card, str], ...]) -> HtmlAndText:
    """The papers of earlier letters that may not have arrived: titles and links, in one block."""
    if not owed:
        return NOTHING
    named = letter_text.listed(list(dict.fromkeys(day for _card, day in owed)))
    context = {
        "heading": _("Also from %(days)s") % {"days": named},
        "explanation": _("It is not sure that an earlier letter reached you. These papers were on it."),
        "papers": [card for card, _day in owed[:CARRIED_SHOWN]],
    }
    return HtmlAndText((cards.html_fragment("carried", context),), (cards.text_fragment("carried", context),))


def own_values(form: layout.Form, order: LetterInput, titles: Sequence[str], tally: Tally) -> dict[str, str]:
    """The reader's own words and addresses, as plain text."""
    doors = order.doors
    count = tally.matching + tally.outside
    return {
        "subject": layout.subject(form, order.issues, titles[0] if titles else ""),
        "preheader": layout.preheader(count, titles[1:3]) if titles else "",
        "greeting": layout.greeting(form, tally, order.issues),
        "overflow": layout.overflow(tally.left),
        "why_sent": why_sent(order.confirmed_on) if doors.unsubscribe else _(PASSED_ON),
        "more_url": doors.more,
        "web_url": doors.web,
        "preferences_url": doors.preferences,
        "pause_url": doors.pause,
        "unsubscribe_url": doors.unsubscribe,
        "saved_url": doors.saved,
    }


def why_sent(confirmed_on: date | None) -> str:
    if confirmed_on is None:
        return _("This is a preview: nobody subscribed to it.")
    day = {"day": f"{layout.short_day(confirmed_on)} {confirmed_on.year}"}
    return _("You get this letter because you asked for it and confirmed your address on %(day)s.") % day


def in_html(values: dict[str, str]) -> dict[str, str]:
    return {name: str(escape(value)) for name, value in values.items()}


def in_text(values: dict[str, str]) -> dict[str, str]:
    return values | {name: wrapped(values[name]) for name in ("greeting", "why_sent", "overflow")}
