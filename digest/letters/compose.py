"""Puts letters together from parts that were rendered before: values in, subject and two encoded bodies out.

No template is run for one reader. Cards, layouts, reasons and sentences are rendered and encoded once; a letter
is their pieces with the reader's own values between them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from markupsafe import escape

from digest.letters import layout, mime, parts, size_limit
from digest.letters.cards import Card, Level
from digest.letters.layout import Issue, Tally
from digest.letters.mime import Pieces
from digest.letters.parts import EncodedParts, EncodedReasons, HtmlAndText
from digest.letters.reasons import Reason
from digest.letters.text import wrapped

CONTENTS_FROM = 8  # a table of titles helps where the papers do not fit one screen
PASSED_ON = "This is one reader’s letter, as it can be passed on: it holds none of their own links."
OWN_SENTENCES = 3_000  # bytes of subject, preheader, greeting and footer, escaped


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
    """The reader's own addresses; `act` is the start of the action links. "" leaves a link out."""

    preferences: str
    pause: str
    unsubscribe: str
    web: str = ""
    more: str = ""
    saved: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class LetterInput:
    """All that one letter depends on; `gap` as in `layout.form`."""

    issues: tuple[Issue, ...]
    picks: tuple[Pick, ...]
    matched: int
    links: ReaderLinks
    weekly: bool = False
    gap: int = 1
    level: Level = "short"
    confirmed_on: date | None = None


@dataclass(frozen=True, slots=True)
class RenderedLetter:
    """One letter, and the ids of the papers that are on it, in order, in both bodies.

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


def compose(letter: LetterInput) -> RenderedLetter:
    """One letter, by a composer of its own."""
    return Composer().write(letter)


class Composer:
    """Writes letters one after the other; what was encoded once is used again for every letter it fits.

    All letters of one composer are about the same papers: a card is known by its paper's id.
    """

    def __init__(self) -> None:
        self._cards: dict[tuple[int, Level, bool], EncodedParts] = {}
        self._lines: dict[int, EncodedParts] = {}
        self._layouts: dict[Hashable, EncodedParts] = {}
        self._sentences: dict[Hashable, HtmlAndText] = {}
        self._subjects: dict[Hashable, tuple[str, HtmlAndText]] = {}

    def write(self, letter: LetterInput) -> RenderedLetter:
        """The letter: subject, HTML under its byte budget, and text with the same papers."""
        fresh = [pick for pick in letter.picks if not pick.carried]
        carried = parts.NOTHING
        if len(fresh) < len(letter.picks):
            carried = parts.carried(tuple((pick.card, pick.carried) for pick in letter.picks if pick.carried))
        form = layout.form(letter.issues, letter.weekly, len(letter.picks), letter.gap)
        longest = self._layout(letter, form, with_overflow=True).size
        room = size_limit.HTML_BYTES - longest - carried.size - own_size(letter.links)
        said = [parts.reasons(pick.reasons, pick.upvotes) for pick in fresh]
        lines = []
        if len(fresh) >= CONTENTS_FROM:
            lines = [self._line(pick.card) for pick in fresh]
        placed = self._place(letter, fresh, said, lines, room)
        count = len(placed)
        tally = _tally(letter, said[:count], len(fresh))
        subject, title = self._subject(letter, form, fresh)
        preheader = ""
        if fresh:
            preheader = layout.preheader(count, [pick.card.title for pick in fresh[1:3]])
        values = self.sentences(letter, form, tally)
        values |= {"subject": title, "preheader": parts.sentence(preheader), "carried": carried}
        addresses = _addresses(letter.links)
        html = addresses | {name: value.html for name, value in values.items()}
        text = addresses | {name: value.text for name, value in values.items()}
        contents_html, contents_text = _contents(lines[:count])
        cards_html, cards_text = _cards(placed, said, letter.links.act)
        whole = self._layout(letter, form, with_overflow=tally.left > 0)
        return RenderedLetter(
            subject,
            preheader,
            whole.html.join(html, {"contents": contents_html, "cards": cards_html}),
            whole.text.join(text, {"contents": contents_text, "cards": cards_text}),
            tuple([pick.card.paper for pick in fresh[:count]]),
        )

    def _place(
        self,
        letter: LetterInput,
        fresh: Sequence[Pick],
        said: Sequence[EncodedReasons],
        lines: Sequence[EncodedParts],
        room: int,
    ) -> list[EncodedParts]:
        """The cards that fit into `room` bytes, each at the largest size that leaves room for the others."""
        reach = len(letter.links.act)
        with_actions = reach > 0
        wanted = [self._card(pick.card, letter.level, with_actions) for pick in fresh]
        numbers = parts.numbers(len(fresh))
        listed = [0] * len(fresh)
        if lines:
            listed = [number.size + line.size for number, line in zip(numbers, lines, strict=True)]
        total = sum(listed)
        for card, why, number in zip(wanted, said, numbers, strict=True):
            total += card.size + card.acts * reach + why.size + number.size
        if total <= room:
            return wanted

        def size(n: int, level: Level) -> int:
            card = self._card(fresh[n].card, level, with_actions)
            filled = {"label": said[n].label.size, "why": said[n].line.size, "number": numbers[n].size, "act": reach}
            return card.size + listed[n] + sum([filled[name] for name in card.html.names])

        placed = []
        levels = size_limit.fit(len(fresh), letter.level, room, size)
        for pick, level in zip(fresh, levels, strict=True):
            if level:
                placed.append(self._card(pick.card, level, with_actions))
        return placed

    def _card(self, card: Card, level: Level, with_actions: bool) -> EncodedParts:
        key = card.paper, level, with_actions
        if key not in self._cards:
            self._cards[key] = parts.card(card, level, with_actions)
        return self._cards[key]

    def _line(self, card: Card) -> EncodedParts:
        """A paper's line in the table of contents."""
        if card.paper not in self._lines:
            self._lines[card.paper] = parts.line(card)
        return self._lines[card.paper]

    def _layout(self, letter: LetterInput, form: layout.Form, with_overflow: bool) -> EncodedParts:
        """The layout in HTML and in text, without the places that this letter has nothing for."""
        links = letter.links
        given = bool(links.web), bool(links.saved), bool(links.preferences), bool(links.unsubscribe)
        key = letter.issues, form, with_overflow and bool(links.more), given
        if key not in self._layouts:
            values = {
                "web_url": links.web,
                "saved_url": links.saved,
                "preferences_url": links.preferences,
                "unsubscribe_url": links.unsubscribe,
                "overflow": with_overflow and links.more,
                "preheader": form != "empty",
            }
            omitted = frozenset(name for name, value in values.items() if not value)
            html, text = layout.rendered(layout.build(form, letter.issues, omitted))
            self._layouts[key] = parts.template_parts(html, text)
        return self._layouts[key]

    def _subject(self, letter: LetterInput, form: layout.Form, fresh: Sequence[Pick]) -> tuple[str, HtmlAndText]:
        """The subject as it is, and as the title of the page."""
        title = ""
        if fresh:
            title = fresh[0].card.title
        key = letter.issues, form, title
        if key not in self._subjects:
            subject = layout.subject(form, letter.issues, title)
            self._subjects[key] = subject, parts.sentence(subject)
        return self._subjects[key]

    def sentences(self, letter: LetterInput, form: layout.Form, tally: Tally) -> dict[str, HtmlAndText]:
        """The sentences about this letter, by placeholder."""
        confirmed_on, left = letter.confirmed_on, tally.left
        if letter.links.unsubscribe:
            why_sent = self.wrapped(("why", confirmed_on), lambda: _why_sent(confirmed_on))
        else:
            why_sent = self.wrapped("passed on", lambda: _(PASSED_ON))
        counts = letter.issues, form, tally.matching, tally.outside, tally.matched
        return {
            "greeting": self.wrapped(counts, lambda: layout.greeting(form, tally, letter.issues)),
            "overflow": self.wrapped(left, lambda: layout.overflow(left)),
            "why_sent": why_sent,
        }

    def wrapped(self, key: Hashable, make: Callable[[], str]) -> HtmlAndText:
        """A sentence in HTML and, in lines of 72 columns, in text; made on first use."""
        if key not in self._sentences:
            sentence = make()
            self._sentences[key] = parts.value(str(escape(sentence)), wrapped(sentence))
        return self._sentences[key]


def own_size(links: ReaderLinks) -> int:
    """Bytes that the reader's own sentences and addresses may take in the layout."""
    addresses = (links.preferences, links.pause, links.unsubscribe, links.web, links.more, links.saved)
    return OWN_SENTENCES + len("".join(addresses))


def _addresses(links: ReaderLinks) -> dict[str, bytes]:
    """The reader's own addresses, by placeholder."""
    return {
        "more_url": mime.address(links.more),
        "web_url": mime.address(links.web),
        "preferences_url": mime.address(links.preferences),
        "pause_url": mime.address(links.pause),
        "unsubscribe_url": mime.address(links.unsubscribe),
        "saved_url": mime.address(links.saved),
    }


def _tally(letter: LetterInput, shown: Sequence[EncodedReasons], fresh: int) -> Tally:
    """What of the reader's matches is on the letter, what came beside them, and what is left for the web."""
    outside = sum([one.is_outside for one in shown])
    matching = len(shown) - outside
    matched = max(letter.matched, matching)
    return Tally(matching, outside, matched, max(matched - matching, fresh - len(shown)))


def _why_sent(confirmed_on: date | None) -> str:
    if confirmed_on is None:
        return _("This is a preview: nobody subscribed to it.")
    day = {"day": f"{layout.short_day(confirmed_on)} {confirmed_on.year}"}
    return _("You get this letter because you asked for it and confirmed your address on %(day)s.") % day


def _cards(placed: Sequence[EncodedParts], said: Sequence[EncodedReasons], act: str) -> tuple[Pieces, Pieces]:
    """The cards one after the other, each with its number, its reasons and the reader's own action address."""
    html: Pieces = []
    text: Pieces = []
    action = mime.address(act)
    for card, why, number in zip(placed, said, parts.numbers(len(placed)), strict=False):
        html += card.html.fill(why.label.html, number.html, why.line.html, action)
        text += card.text.fill(why.label.text, number.text, why.line.text, action)
    return html, text


def _contents(lines: Sequence[EncodedParts]) -> tuple[Pieces, Pieces]:
    """The table of contents in HTML and in text; nothing where there are no lines."""
    html: Pieces = []
    text: Pieces = []
    if not lines:
        return html, text
    for line, number in zip(lines, parts.numbers(len(lines)), strict=True):
        html += line.html.fill(number.html)
        text += line.text.fill(number.text)
    table = parts.contents()
    return table.html.join({}, {"lines": html}), table.text.join({}, {"lines": text})
