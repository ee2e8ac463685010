"""Puts letters together from parts that were rendered before: values in, subject and two encoded bodies out.

A template is never run for one reader. Cards, frames, reasons and sentences are rendered and encoded once, and
a letter is their pieces with the reader's own values between them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.translation import gettext as _
from markupsafe import escape

from digest.letters import cards, layout, mime, reasons, size_limit
from digest.letters import text as letter_text
from digest.letters.cards import Card, Level
from digest.letters.layout import Issue, Tally
from digest.letters.mime import Encoded, Pieces
from digest.letters.placeholders import PlaceholderText, cut, placeholder
from digest.letters.reasons import Reason
from digest.letters.text import wrapped

CONTENTS_FROM = 8  # a table of titles helps where the papers do not fit one screen
CARRIED_SHOWN = 20
# How many are kept in a process: a card holds some 9 KB, a line 3, words about reasons 1, a block carried over 4.
KEPT_CARDS, KEPT_LINES, KEPT_WHYS, KEPT_CARRIED = 2_000, 4_000, 10_000, 1_000
KEPT_NUMBERS = 200
PASSED_ON = "This is one reader’s letter, as it can be passed on: it holds none of their own links."
OUTSIDE = frozenset({"pin", "community", "late", "explore"})
CARD = ("label", "number", "why", "act")  # a card's placeholders
OWN_WORDS = 3_000  # subject, preheader, greeting and footer, escaped


@dataclass(slots=True)
class Pick:
    """One chosen paper with its reasons; `carried` is the day of the letter before, which may not have arrived.

    `upvotes` are told with a community pick.
    """

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
    """One letter's words, and the papers that are on it, in order, in both bodies.

    The bodies are quoted-printable pieces, to be joined once.
    """

    subject: str
    preheader: str
    html_pieces: Pieces
    text_pieces: Pieces
    papers: tuple[int, ...] = ()

    @property
    def html(self) -> str:
        return mime.decode(self.html_pieces)

    @property
    def text(self) -> str:
        return mime.decode(self.text_pieces)


@dataclass(frozen=True, slots=True)
class HtmlAndText:
    """A value in HTML and in text, encoded. `size` counts the UTF-8 bytes of the HTML."""

    html: bytes = b""
    text: bytes = b""
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Parts:
    """A rendered template in both voices, encoded.

    `size` counts the UTF-8 bytes of the HTML, `acts` the places in it for the reader's action address.
    """

    html: Encoded
    text: Encoded
    size: int
    acts: int = 0


@dataclass(frozen=True, slots=True)
class _Why:
    """The label over a card and the line under it; `size` counts the bytes of the HTML."""

    label: HtmlAndText
    line: HtmlAndText
    size: int
    is_outside: bool


NOTHING = HtmlAndText()


def compose(order: LetterInput) -> RenderedLetter:
    """The one letter for `order`."""
    return Composer().write(order)


class Composer:
    """Writes letters one after the other; what was encoded once is used again for every letter it fits.

    All letters of one composer are about the same papers: a card is known by its paper's id.
    """

    def __init__(self) -> None:
        self._cards: dict[tuple[Level, bool], dict[int, _Parts]] = {}
        self._whys: dict[tuple[int, int], tuple[tuple[Reason, ...], _Why]] = {}
        self._lines: dict[int, _Parts] = {}
        self._frames: dict[Hashable, _Parts] = {}
        self._sentences: dict[Hashable, HtmlAndText] = {}
        self._subjects: dict[Hashable, tuple[str, HtmlAndText]] = {}
        self._leads: dict[int, str] = {}

    def write(self, order: LetterInput) -> RenderedLetter:
        """The letter for `order`: subject, HTML under its byte budget, and text with the same papers."""
        fresh = [pick for pick in order.picks if not pick.carried]
        carried = NOTHING
        if len(fresh) < len(order.picks):
            carried = _carried(tuple((pick.card, pick.carried) for pick in order.picks if pick.carried))
        form = layout.form(order.issues, order.weekly, len(order.picks), order.gap)
        room = size_limit.HTML_BYTES - self._frame(order, form, True).size - carried.size - own_size(order.doors)
        whys = [self._why(pick) for pick in fresh]
        lines = [self._line(pick.card) for pick in fresh] if len(fresh) >= CONTENTS_FROM else []
        placed = self._place(fresh, order, whys, lines, room)
        tally = _counted(order, whys[: len(placed)], len(fresh))
        html, text = self._own_words(order, form, tally)
        subject, title = self._subject(order, form, fresh)
        preheader = self._preheader(len(placed), fresh)
        html |= {"subject": title.html, "preheader": _in_html(preheader), "carried": carried.html}
        text |= {"subject": title.text, "preheader": mime.encode(preheader), "carried": carried.text}
        contents = _contents(lines[: len(placed)])
        listed = _cards(placed, whys, order.doors.act)
        frame = self._frame(order, form, tally.left > 0)
        return RenderedLetter(
            subject,
            preheader,
            frame.html.join(html, {"contents": contents[0], "cards": listed[0]}),
            frame.text.join(text, {"contents": contents[1], "cards": listed[1]}),
            tuple([pick.card.paper for pick in fresh[: len(placed)]]),
        )

    def _place(
        self, fresh: Sequence[Pick], order: LetterInput, whys: Sequence[_Why], lines: Sequence[_Parts], room: int
    ) -> list[_Parts]:
        """The cards that fit, each at the largest size that leaves room for the others."""
        act, reach = bool(order.doors.act), len(order.doors.act)
        known = self._cards.setdefault((order.level, act), {})
        wanted = [known.get(pick.card.paper) or self._card(pick.card, order.level, act) for pick in fresh]
        numbers = [number.size for number in _numbers(len(fresh))]
        listed = [0] * len(fresh)
        if lines:
            listed = [number + line.size for number, line in zip(numbers, lines, strict=True)]
        total = sum([one.size for one in wanted]) + reach * sum([one.acts for one in wanted])
        total += sum([why.size for why in whys]) + sum(numbers) + sum(listed)
        if total <= room:
            return wanted

        def size(n: int, level: Level) -> int:
            card = self._card(fresh[n].card, level, act).html
            why = whys[n]
            filled = {"label": why.label.size, "why": why.line.size, "number": numbers[n], "act": reach}
            return card.size + sum([filled[name] for name in card.holes]) + listed[n]

        levels = size_limit.fit(len(fresh), order.level, room, size)
        return [self._card(pick.card, level, act) for pick, level in zip(fresh, levels, strict=True) if level]

    def _card(self, card: Card, level: Level, act: bool) -> _Parts:
        """A card at one size, encoded on first use."""
        known = self._cards.setdefault((level, act), {})
        if card.paper not in known:
            known[card.paper] = _card(card, level, act)
        return known[card.paper]

    def _line(self, card: Card) -> _Parts:
        """A paper's line in the table of contents."""
        if card.paper not in self._lines:
            self._lines[card.paper] = _line(card)
        return self._lines[card.paper]

    def _why(self, pick: Pick) -> _Why:
        """The words about a paper's reasons. They are known by identity, and what is known keeps them alive."""
        key = id(pick.reasons), pick.upvotes
        if key not in self._whys:
            self._whys[key] = pick.reasons, _why(pick.reasons, pick.upvotes)
        return self._whys[key][1]

    def _frame(self, order: LetterInput, form: layout.Form, with_overflow: bool) -> _Parts:
        """The frame in both voices, without the places that this letter has nothing for."""
        doors = order.doors
        given = bool(doors.web), bool(doors.saved), bool(doors.preferences), bool(doors.unsubscribe)
        key = order.issues, form, with_overflow and bool(doors.more), given
        if key not in self._frames:
            html, text = frame_for(doors, order.issues, form, with_overflow)
            self._frames[key] = _Parts(mime.encoded(html), mime.encoded(text), html.size)
        return self._frames[key]

    def _subject(self, order: LetterInput, form: layout.Form, fresh: Sequence[Pick]) -> tuple[str, HtmlAndText]:
        """The subject as it is, and as the title of the page."""
        title = fresh[0].card.title if fresh else ""
        key = order.issues, form, title
        if key not in self._subjects:
            subject = layout.subject(form, order.issues, title)
            self._subjects[key] = subject, HtmlAndText(_in_html(subject), mime.encode(subject))
        return self._subjects[key]

    def _preheader(self, count: int, fresh: Sequence[Pick]) -> str:
        if not fresh:
            return ""
        if count not in self._leads:
            self._leads[count] = layout.preheader(count, ())
        return layout.continued(self._leads[count], [pick.card.title for pick in fresh[1:3]])

    def _own_words(
        self, order: LetterInput, form: layout.Form, tally: Tally
    ) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The sentences about this letter and the reader's own addresses, by placeholder, in HTML and in text."""
        doors, confirmed_on, left = order.doors, order.confirmed_on, tally.left
        if doors.unsubscribe:
            why_sent = self._say(("why", confirmed_on), lambda: _why_sent(confirmed_on))
        else:
            why_sent = self._say("passed on", lambda: _(PASSED_ON))
        counts = order.issues, form, tally.matching, tally.outside, tally.matched
        greeting = self._say(counts, lambda: layout.greeting(form, tally, order.issues))
        overflow = self._say(left, lambda: layout.overflow(left))
        addresses = {
            "more_url": mime.address(doors.more),
            "web_url": mime.address(doors.web),
            "preferences_url": mime.address(doors.preferences),
            "pause_url": mime.address(doors.pause),
            "unsubscribe_url": mime.address(doors.unsubscribe),
            "saved_url": mime.address(doors.saved),
        }
        html = addresses | {"greeting": greeting.html, "overflow": overflow.html, "why_sent": why_sent.html}
        text = addresses | {"greeting": greeting.text, "overflow": overflow.text, "why_sent": why_sent.text}
        return html, text

    def _say(self, key: Hashable, make: Callable[[], str]) -> HtmlAndText:
        """A sentence in HTML and in text, encoded on first use."""
        if key not in self._sentences:
            sentence = make()
            self._sentences[key] = HtmlAndText(_in_html(sentence), mime.encode(wrapped(sentence)))
        return self._sentences[key]


def frame_for(
    own: ReaderLinks, issues: tuple[Issue, ...], form: layout.Form, with_overflow: bool
) -> tuple[PlaceholderText, PlaceholderText]:
    """The frame's HTML and text, without the places that this letter has nothing for."""
    doors = {"web_url": own.web, "saved_url": own.saved, "preferences_url": own.preferences}
    doors |= {"unsubscribe_url": own.unsubscribe, "overflow": own.more if with_overflow else ""}
    doors["preheader"] = "" if form == "empty" else "some"
    omitted = frozenset(name for name, door in doors.items() if not door)
    return layout.printed(layout.frame(form, issues, omitted))


def own_size(doors: ReaderLinks) -> int:
    """Bytes that the reader's own words and addresses may take in the frame."""
    frame = [doors.preferences, doors.pause, doors.unsubscribe, doors.web, doors.more, doors.saved]
    return sum([len(door) for door in frame]) + OWN_WORDS


def _counted(order: LetterInput, shown: Sequence[_Why], fresh: int) -> Tally:
    """What of the reader's matches is on the letter, what came beside them, and what is left for the web."""
    outside = sum([one.is_outside for one in shown])
    matching = len(shown) - outside
    matched = max(order.matched, matching)
    return Tally(matching, outside, matched, max(matched - matching, fresh - len(shown)))


def is_outside(said: Sequence[Reason]) -> bool:
    """A pin, a late riser or a community pick that the reader did not ask for."""
    return bool(said) and all(reason.kind in OUTSIDE for reason in said)


def _why_sent(confirmed_on: date | None) -> str:
    if confirmed_on is None:
        return _("This is a preview: nobody subscribed to it.")
    day = {"day": f"{layout.short_day(confirmed_on)} {confirmed_on.year}"}
    return _("You get this letter because you asked for it and confirmed your address on %(day)s.") % day


def _in_html(text: str) -> bytes:
    return mime.encode(str(escape(text)))


@lru_cache(maxsize=KEPT_NUMBERS)
def _numbers(count: int) -> tuple[HtmlAndText, ...]:
    """The numbers before the titles, from 1; in text each stands in a margin of four columns."""
    html = [f"{number}." for number in range(1, count + 1)]
    text = [f"{number:2}. " for number in range(1, count + 1)]
    return tuple(HtmlAndText(mime.encode(one), mime.encode(two), len(one)) for one, two in zip(html, text, strict=True))


@lru_cache(maxsize=KEPT_CARDS)
def _card(card: Card, level: Level, act: bool) -> _Parts:
    return _encoded(cards.printed(card, level, act), *CARD)


@lru_cache(maxsize=KEPT_LINES)
def _line(card: Card) -> _Parts:
    return _encoded(cards.contents_line(card), "number")


def _encoded(printed: cards.Printed, *names: str) -> _Parts:
    html, text = printed.html, printed.text
    return _Parts(mime.encoded(html, *names), mime.encoded(text, *names), html.size, html.holes.count("act"))


@lru_cache(maxsize=KEPT_WHYS)
def _why(given: tuple[Reason, ...], upvotes: int) -> _Why:
    said = reasons.printed(given, upvotes)
    label = HtmlAndText(mime.encode(said.label_html), mime.encode(said.label_text), len(said.label_html.encode()))
    line = HtmlAndText(mime.encode(said.why_html), mime.encode(said.why_text), len(said.why_html.encode()))
    return _Why(
        label=label,
        line=line,
        size=label.size + line.size,
        is_outside=is_outside(given),
    )


def _cards(placed: Sequence[_Parts], whys: Sequence[_Why], act: str) -> tuple[Pieces, Pieces]:
    """The cards one after the other, each with its number, its reasons and the reader's own action address."""
    html: Pieces = []
    text: Pieces = []
    action = mime.address(act)
    for card, why, number in zip(placed, whys, _numbers(len(placed)), strict=False):
        html += card.html.fill(why.label.html, number.html, why.line.html, action)
        text += card.text.fill(why.label.text, number.text, why.line.text, action)
    return html, text


def _contents(lines: Sequence[_Parts]) -> tuple[Pieces, Pieces]:
    """The table of contents in HTML and in text; nothing where there are no lines."""
    if not lines:
        return [], []
    html: Pieces = []
    text: Pieces = []
    for line, number in zip(lines, _numbers(len(lines)), strict=True):
        html += line.html.fill(number.html)
        text += line.text.fill(number.text)
    table = _contents_frame()
    return table.html.join({}, {"lines": html}), table.text.join({}, {"lines": text})


@lru_cache(maxsize=1)
def _contents_frame() -> _Parts:
    context = {"lines": placeholder("lines")}
    text = cards.text_fragment("contents", context).replace(f"{context['lines']}\n", context["lines"])
    html = cut(cards.html_fragment("contents", context))
    return _Parts(mime.encoded(html), mime.encoded(cut(text)), html.size)


@lru_cache(maxsize=KEPT_CARRIED)
def _carried(owed: tuple[tuple[Card, str], ...]) -> HtmlAndText:
    """The papers of earlier letters that may not have arrived: titles and links, in one block."""
    named = letter_text.listed(list(dict.fromkeys(day for _card, day in owed)))
    context = {
        "heading": _("Also from %(days)s") % {"days": named},
        "explanation": _("It is not sure that an earlier letter reached you. These papers were on it."),
        "papers": [card for card, _day in owed[:CARRIED_SHOWN]],
    }
    html, text = cards.html_fragment("carried", context), cards.text_fragment("carried", context)
    return HtmlAndText(mime.encode(html), mime.encode(text), len(html.encode()))
