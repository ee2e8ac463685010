"""The fast way from ledger rows to mail: letters as finished bytes, joined from parts encoded once.

Says the same as `letters.letters` through Django's mail API, once decoded; a test holds them together.
Quoted-printable (RFC 2045, 6.7) lets parts be encoded apart: every hole lies between two soft line breaks,
so what is filled in needs no look at what stands around it.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from markupsafe import escape

from digest.letters import cards, compose, headers, layout, letters, links, load, reasons, size_limit
from digest.letters.cards import Level
from digest.letters.compose import ReaderLinks
from digest.letters.layout import Issue, Tally
from digest.letters.load import Facts
from digest.letters.placeholders import PlaceholderText
from digest.letters.text import wrapped
from digest.models import Delivery
from subscriptions.addresses import ascii_form
from subscriptions.mail import header_text
from subscriptions.mail.outgoing import Letter
from subscriptions.models import Frequency, Subscriber

EOL = b"\r\n"
SOFT = b"=\r\n"  # a soft line break: decodes to nothing
# In quoted-printable text `=` is always followed by two hex digits or a line's end, so this never occurs in it.
BOUNDARY = b"=_offprint_letter"
_PART = b'--%s\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
TEXT, HTML = _PART % (BOUNDARY, b"plain"), _PART % (BOUNDARY, b"html")
END = b"--%s--\r\n" % BOUNDARY
MULTIPART = b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="%s"\r\n\r\n' % BOUNDARY
ALONE = b"MIME-Version: 1.0\r\n" + TEXT.split(EOL, 1)[1]
OWN_LINE = 72
MOST_CARDS = 100
HOLES = ("label", "number", "why")
HTML_NUMBERS = [f"{number}.".encode() for number in range(1, MOST_CARDS)]
TEXT_NUMBERS = [compose.numbered(number).encode() for number in range(1, MOST_CARDS)]
Two = tuple[bytes, bytes]
Pieces = list[bytes]
Body = tuple[bytes, Pieces, Pieces]  # the subject as a header, text and HTML


class LayoutError(ValueError):
    """The templates do not allow letters to be put together from parts; the message says which order they need."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One letter ready to be handed over: to whom, and every byte of it (SMTP's dots are not yet doubled)."""

    delivery: int
    to: str
    message: bytes


@dataclass(frozen=True, slots=True)
class _Voice:
    """A card in one voice: the parts before label, number and reasons, then what lies between the action links."""

    label: bytes
    number: bytes
    why: bytes
    tail: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Card:
    """A card at one size, encoded. `holes` are the places for the reader's action address."""

    html: _Voice
    text: _Voice
    size: int
    holes: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of contents in both voices, cut where its number belongs."""

    html: tuple[bytes, ...]
    text: tuple[bytes, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Why:
    """The label over a card and the reasons under it, encoded, in HTML and in text."""

    html: Two
    text: Two
    size: int
    outside: bool
    is_carried: bool


def posted(deliveries: Sequence[Delivery], now: datetime) -> Iterator[Posted]:
    """The letters as bytes, in the same order."""
    if deliveries:
        press = MimeWriter(load.facts(deliveries), now)
        yield from map(press.letter, deliveries)


def ready(deliveries: Sequence[Delivery], now: datetime) -> list[Letter]:
    """The letters for a mail server, in the same order; the plain way where a site's templates do not come apart."""
    try:
        done = list(posted(deliveries, now))
    except LayoutError:
        return letters.letters(deliveries, now)
    return [
        Letter(
            to=one.to,
            subject="",
            text="",
            message_id=headers.message_id(delivery.uuid),
            metadata={"delivery": str(delivery.uuid)},
            raw=one.message,
        )
        for delivery, one in zip(deliveries, done, strict=True)
    ]


def escape_text(text: str) -> str:
    return str(escape(text))


def encode(text: str) -> bytes:
    """Quoted-printable, lines ending in CRLF."""
    return binascii.b2a_qp(text.encode()).replace(b"\n", EOL)


def opened(parts: Sequence[str]) -> tuple[bytes, ...]:
    """Parts encoded so that anything may come between them."""
    last = len(parts) - 1
    return tuple((SOFT if at else b"") + encode(part) + (SOFT if at < last else b"") for at, part in enumerate(parts))


def address(url: str) -> bytes:
    """One of our own addresses (ASCII, no `=`) as a hole's filling, in lines that quoted-printable allows."""
    raw = url.encode("ascii")
    if len(raw) <= OWN_LINE:
        return raw
    return SOFT.join([raw[at : at + OWN_LINE] for at in range(0, len(raw), OWN_LINE)])


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's parts in both voices, encoded and open towards their holes."""

    html: tuple[bytes, ...]
    html_holes: tuple[str, ...]
    text: tuple[bytes, ...]
    text_holes: tuple[str, ...]
    size: int


class MimeWriter:
    """Prints one chunk of letters; what was set once is used again for every reader it fits."""

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts, self.now = facts, now
        self.doorman = links.LinkMaker()
        self._cards: dict[tuple[int, Level], _Card | None] = {}
        self._whys: dict[Any, _Why] = {}
        self._lines: dict[int, _Line] = {}
        self._leads: dict[int, str] = {}
        self._frames: dict[Any, _Frame] = {}
        self._said: dict[Any, Two] = {}
        self._subjects: dict[Any, tuple[bytes, Two]] = {}
        self._commons: dict[str, Two] = {}
        self._leave = headers.leave_by_mail()
        self._contents = [opened(pattern.parts) for pattern in compose.contents_frame()]

    def warm(self, level: Level) -> int:
        """Encode every card of the day before the first letter; answers how many."""
        return sum(self._card(paper, level) is not None for paper in self.facts.cards)

    def letter(self, delivery: Delivery) -> Posted:
        """One letter. What is out of the common is composed the plain way, and encoded then."""
        reader = self.facts.readers[delivery.subscriber_id]
        own = self.doorman.own(delivery, reader)
        subject, text, html = self._quick(delivery, reader, own) or self._plain(delivery, reader, own)
        head = self._head(delivery, reader, own, subject)
        if reader.text_only:
            return Posted(delivery.pk, reader.email, b"".join([*head, ALONE, *text]))
        whole = [*head, MULTIPART, TEXT, *text, EOL, HTML, *html, EOL, END]
        return Posted(delivery.pk, reader.email, b"".join(whole))

    def _plain(self, delivery: Delivery, reader: Subscriber, own: ReaderLinks) -> Body:
        composed = compose.compose(letters.order(delivery, reader, self.facts, own))
        return _subject(composed.subject), [encode(composed.text)], [encode(composed.html)]

    def _quick(self, delivery: Delivery, reader: Subscriber, own: ReaderLinks) -> Body | None:
        """Subject, text and HTML from parts; None where a paper is carried over or gone, or all is too long."""
        level = letters.level(reader)
        placed, whys = [], []
        for row in delivery.papers:
            card = self._card(row["paper"], level)
            if card is None or (why := self._why(row)).is_carried:
                return None
            placed.append(card)
            whys.append(why)
        return self._joined(delivery, reader, own, placed, whys) if placed else None

    def _joined(
        self, delivery: Delivery, reader: Subscriber, own: ReaderLinks, placed: list[_Card], whys: list[_Why]
    ) -> Body | None:
        issues = self.facts.window(delivery.since, delivery.edition_id)
        form = layout.form(issues, reader.frequency == Frequency.WEEKLY, len(placed), letters.gap(reader))
        tally = _tally(delivery.matched, whys)
        frame = self._frame((delivery.since, delivery.edition_id, form, tally.left > 0), issues, own)
        contents = self._table(delivery)
        size = frame.size + compose.own_size(own) + contents[2] + sum([one.size for one in placed])
        size += sum([one.size for one in whys]) + sum([one.holes for one in placed]) * len(own.act)
        if size > size_limit.HTML_BYTES:
            return None
        subject, values = self._values(delivery, reader, form, issues, tally)
        values |= _urls(own)
        act = address(own.act)
        html = _cards([(card.html, why.html) for card, why in zip(placed, whys, strict=True)], act, HTML_NUMBERS)
        text = _cards([(card.text, why.text) for card, why in zip(placed, whys, strict=True)], act, TEXT_NUMBERS)
        return (
            subject,
            _fill(frame.text, frame.text_holes, values, 1, {"contents": contents[1], "cards": text}),
            _fill(frame.html, frame.html_holes, values, 0, {"contents": contents[0], "cards": html}),
        )

    def _card(self, paper: int, level: Level) -> _Card | None:
        """The card, encoded on first use; None for a paper that is gone."""
        key = (paper, level)
        if key not in self._cards:
            found = self.facts.cards.get(paper)
            self._cards[key] = card(cards.printed(found, level, True)) if found else None
        return self._cards[key]

    def _why(self, row: dict[str, Any]) -> _Why:
        """The words for this row's reasons, encoded on first use."""
        paper = row["paper"]
        key: tuple[Any, ...] = tuple([(one["kind"], one["label"], *one["words"]) for one in row["reasons"]])
        if paper in self.facts.late:
            key = ("late", *key)
        if key and key[0][0] == "community":
            key = (self.facts.upvotes.get(paper, 0), *key)
        if key not in self._whys:
            self._whys[key] = _why(self.facts.picks([row])[0])
        return self._whys[key]

    def _frame(self, key: Any, issues: tuple[Issue, ...], own: ReaderLinks) -> _Frame:
        if key not in self._frames:
            *_, form, has_more = key
            html, text = compose.frame_for(own, issues, form, has_more)
            self._frames[key] = _Frame(opened(html.parts), html.holes, opened(text.parts), text.holes, html.size)
        return self._frames[key]

    def _values(
        self, delivery: Delivery, reader: Subscriber, form: layout.Form, issues: tuple[Issue, ...], tally: Tally
    ) -> tuple[bytes, dict[str, Two]]:
        """The encoded subject header, and what the frame says about this letter, in HTML and in text."""
        ids = [row["paper"] for row in delivery.papers[:3]]
        subject, title = self._subject((delivery.edition_id, form, ids[0]), issues)
        numbers = (form, tally.matching, tally.outside, tally.matched)
        return subject, {
            "subject": title,
            "preheader": self._preheader(len(delivery.papers), ids[1:]),
            "greeting": self._say(numbers, lambda: layout.greeting(form, tally, issues)),
            "overflow": self._say(tally.left, lambda: layout.overflow(tally.left)),
            "why_sent": self._say(reader.confirmed_at, lambda: compose.why_sent(letters.confirmed_on(reader))),
            "carried": (b"", b""),
        }

    def _preheader(self, count: int, ids: list[int]) -> Two:
        """Of no use to the text part; nearly every reader has another, so it is not kept."""
        titles = [self.facts.cards[pk].title for pk in ids]
        if count not in self._leads:
            self._leads[count] = layout.preheader(count, ())
        return encode(escape_text(layout.continued(self._leads[count], titles))), b""

    def _subject(self, key: tuple[int, layout.Form, int], issues: tuple[Issue, ...]) -> tuple[bytes, Two]:
        """The subject as a header, and as the title of the page."""
        if key not in self._subjects:
            subject = layout.subject(key[1], issues, self.facts.cards[key[2]].title)
            self._subjects[key] = _subject(subject), (encode(escape_text(subject)), b"")
        return self._subjects[key]

    def _say(self, key: Any, make: Callable[[], str]) -> Two:
        """A sentence in HTML and in text, encoded on first use."""
        if key not in self._said:
            sentence = make()
            self._said[key] = encode(escape_text(sentence)), encode(wrapped(sentence))
        return self._said[key]

    def _table(self, delivery: Delivery) -> tuple[Pieces, Pieces, int]:
        """The table of contents in HTML and text with its size, for letters long enough to want one."""
        if len(delivery.papers) < compose.CONTENTS_FROM:
            return [], [], 0
        html, text, size = [self._contents[0][0]], [self._contents[1][0]], 0
        numbers = zip(delivery.papers, HTML_NUMBERS, TEXT_NUMBERS, strict=False)
        for row, html_number, text_number in numbers:
            line = self._line(row["paper"])
            html += (line.html[0], html_number, line.html[1])
            text += (line.text[0], text_number, line.text[1])
            size += line.size
        html.append(self._contents[0][1])
        text.append(self._contents[1][1])
        return html, text, size

    def _line(self, paper: int) -> _Line:
        """A paper's line of contents, but for its number."""
        if paper not in self._lines:
            line = cards.contents_line(self.facts.cards[paper])
            self._lines[paper] = _Line(opened(line.html.parts), opened(line.text.parts), line.html.size + 4)
        return self._lines[paper]

    def _head(self, delivery: Delivery, reader: Subscriber, own: ReaderLinks, subject: bytes) -> Pieces:
        """All headers. Those that are the same for every reader of a frequency are written once."""
        if reader.frequency not in self._commons:
            self._commons[reader.frequency] = _common(reader.frequency, self.now)
        before, after = self._commons[reader.frequency]
        token = own.unsubscribe[:-1].rpartition("/")[2]
        leave = f"List-Unsubscribe: <{own.unsubscribe}>,\r\n <{self._leave}{token}>\r\n"
        mine = f"To: {ascii_form(reader.email)}\r\nMessage-ID: {headers.message_id(delivery.uuid)}\r\n{leave}"
        return [before, subject, mine.encode(), after]


def card(printed: cards.Printed) -> _Card:
    return _Card(_voice(printed.html), _voice(printed.text), printed.html.size, printed.html.holes.count("act"))


def _voice(pattern: PlaceholderText) -> _Voice:
    """A card's parts, encoded: those before the reader's own words, then those between the action links."""
    own = tuple(name for name in pattern.holes if name != "act")
    if pattern.holes[: len(own)] != own or own not in {HOLES, HOLES[:2]}:
        raise LayoutError(f"email/card.*: the places must come in this order: {', '.join(HOLES)}, then act")
    parts = opened(pattern.parts)
    return _Voice(parts[0], parts[1], parts[2] if own == HOLES else b"", parts[len(own) :])


def _why(pick: compose.Pick) -> _Why:
    said = reasons.printed(pick.reasons, pick.upvotes)
    html = (encode(said.label_html), encode(said.why_html))
    text = (encode(said.label_text), encode(said.why_text))
    size = len(said.label_html.encode()) + len(said.why_html.encode())
    return _Why(html, text, size, compose.is_outside(pick.reasons), bool(pick.carried))


def _cards(placed: Sequence[tuple[_Voice, Two]], act: bytes, numbers: Sequence[bytes]) -> Pieces:
    """The cards one after the other, each with its number, its reasons and the reader's action links."""
    done: Pieces = []
    for (voice, (label, why)), number in zip(placed, numbers, strict=False):
        end = act.join(voice.tail)
        if voice.why:
            done += (voice.label, label, voice.number, number, voice.why, why, end)
        else:
            done += (voice.label, label, voice.number, number, end)
    return done


def _tally(matched: int, whys: Sequence[_Why]) -> Tally:
    outside = sum([one.outside for one in whys])
    matching = len(whys) - outside
    matched = max(matched, matching)
    return Tally(matching, outside, matched, matched - matching)


def _fill(
    parts: tuple[bytes, ...], holes: tuple[str, ...], values: dict[str, Two], voice: int, blocks: dict[str, Pieces]
) -> Pieces:
    """A frame with its values (`voice` 0: HTML, 1: text) and its blocks, as pieces to be joined once."""
    done = [parts[0]]
    for name, part in zip(holes, parts[1:], strict=True):
        if name in blocks:
            done += blocks[name]
        else:
            done.append(values[name][voice])
        done.append(part)
    return done


def _urls(own: ReaderLinks) -> dict[str, Two]:
    urls = {
        "more_url": own.more,
        "web_url": own.web,
        "preferences_url": own.preferences,
        "pause_url": own.pause,
        "unsubscribe_url": own.unsubscribe,
        "saved_url": own.saved,
    }
    return {name: (raw := address(url), raw) for name, url in urls.items()}


def _subject(subject: str) -> bytes:
    return _lines({"Subject": header_text.text(headers.subject(subject))})


def _common(frequency: str, now: datetime) -> Two:
    """The headers that do not name a reader, before and after those that do."""
    shared = headers.digest(frequency, "", settings.PUBLIC_BASE_URL, now)
    before = {name: shared[name] for name in ("From", "Reply-To", "Date")}
    after = {name: value for name, value in shared.items() if name not in before and name != "List-Unsubscribe"}
    return _lines(before), _lines(after)


def _lines(values: dict[str, str]) -> bytes:
    return "".join(f"{name}: {header_text.folded(name, value)}\r\n" for name, value in values.items()).encode()
