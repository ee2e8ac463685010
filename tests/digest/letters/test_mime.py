"""Finished bytes, parts and previews of a letter say what its templates say rendered whole."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.letters import compose, letters, links, load, mime, previews, size_limit
from digest.letters.placeholders import cut, placeholder
from digest.models import Delivery
from subscriptions.links import tokens
from subscriptions.mail import outgoing
from subscriptions.when import week
from tests import make
from tests.digest.letters import whole
from tests.digest.letters.posts import SPEECH, delivery, forget, rows

pytestmark = pytest.mark.django_db
COMMUNITY = {"kind": "community", "label": "", "words": []}
OWN_FORM = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


def body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return part.get_content().replace("\r\n", "\n").rstrip("\n") if part else None


def assert_whole(rows: list[Delivery]) -> None:
    """Both ways of handing a letter over, and the letter on the web, beside the templates rendered whole."""
    facts = load.facts(rows)
    doorman = links.LinkMaker()
    apart, done = letters.letters(rows, make.NOW), letters.finished(rows, make.NOW)
    for row, parts, finished in zip(rows, apart, done, strict=True):
        reader = row.subscriber
        order = letters.letter_input(row, reader, facts, doorman.own(row, reader))
        html, text = whole.letter(order, compose.compose(order))
        assert parts.text == text
        assert whole.events(parts.html) == ([] if reader.text_only else whole.events(html))
        assert_same(parts, finished)
        on_the_web = letters.letter_input(row, reader, facts, links.shared(row))
        seen = compose.compose(on_the_web)
        html, text = whole.letter(on_the_web, seen)
        assert (seen.text, whole.events(seen.html)) == (text, whole.events(html))


def assert_same(parts: outgoing.Letter, finished: outgoing.Letter) -> None:
    """The bytes say what Django's mail API makes of the parts, in the form that SMTP asks for."""
    assert (finished.to, finished.subject, finished.message_id) == (parts.to, parts.subject, parts.message_id)
    plain = outgoing.as_message(parts).message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    one, two = read(plain), read(finished.raw)
    assert body(one, "plain") == body(two, "plain")
    assert body(one, "html") == body(two, "html")
    assert headers(plain) == headers(finished.raw)
    lines = finished.raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    _, _, encoded = finished.raw.partition(b"\r\n\r\n")
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert all(not part.defects for part in two.walk())


def headers(raw: bytes) -> dict[str, str]:
    """The headers as they go over the line, with their folds."""
    head = raw.partition(b"\r\n\r\n")[0].decode()
    lines = dict(line.split(": ", 1) for line in re.split(r"\r\n(?![ \t])", head))
    return {name: value for name, value in lines.items() if name not in OWN_FORM}


@pytest.fixture
def fresh_pieces() -> Iterator[None]:
    """Pieces of letters keep the site's name: none of before is used, and none stays."""
    forget()
    yield
    forget()


@pytest.mark.parametrize(
    "title", ["大規模言語モデルのための効率的な注意機構に関する包括的な調査と、その応用", "Ein schöner Titel… " * 6]
)
def test_headers_that_are_not_ascii_are_the_same_bytes(fresh_pieces: None, settings: Any, title: str):
    settings.SITE_NAME = "Zürcher Blätter für Förster, Bäcker und Müller: jeden Tag"
    settings.MAIL_FROM = "日刊論文のお知らせ、毎朝の新しい論文を一通の手紙で <papers@example.org>"
    settings.MAIL_REPLY_TO = "Rückfragen <answers@example.org>"
    made = [make.paper(title)]
    assert_whole([delivery(made, edition=make.edition(papers=made))])


@pytest.mark.parametrize("papers", [1, 7, 8, 15])
def test_daily_letters_of_any_length(papers: int):
    made = [make.paper(f"Paper {n} on =3D ümläuts & <tags> of {n}") for n in range(papers)]
    edition = make.edition(papers=made)
    rows = [delivery(made, edition=edition, matched=papers + n * 5) for n in range(2)]
    rows[1].papers[0]["reasons"] = [SPEECH, COMMUNITY]
    rows[0].papers[-1]["reasons"] = [COMMUNITY]
    assert_whole(rows)


@pytest.mark.parametrize(
    "fields",
    [
        {"text_only": True},
        {"abstracts": "full"},
        {"abstracts": "compact"},
        {"frequency": "weekly"},
        {"frequency": "chosen", "days": week.read("tue fri")},
        {"confirmed_at": None},
        {"email": "someone+tag@example.org"},
        {"email": "ada@bücher.example.org"},
    ],
)
def test_every_kind_of_reader(fields: dict[str, Any]):
    paper = make.paper(abstract="A sentence with = and . at the end \n. . " * 60)
    assert_whole([delivery([paper], make.subscriber(**fields))])


@pytest.mark.parametrize("span", [0, 3, 6, 14])
def test_readers_of_every_rhythm_beside_each_other_in_letters_of_several_days(span: int):
    papers = [make.paper(f"Paper {number}") for number in range(2)]
    first = make.edition(make.TODAY - timedelta(days=span), papers[:1]) if span else None
    last = make.edition(make.TODAY, papers[1:])
    since = ((first or last).serial or 1) - 1
    rhythms: list[dict[str, Any]] = [
        {},
        {"frequency": "weekdays"},
        {"frequency": "weekly"},
        *({"frequency": "chosen", "days": week.read(days)} for days in ("tue fri", "wed", "mon tue wed thu fri")),
    ]
    assert_whole([delivery(papers, make.subscriber(**one), last, since=since) for one in rhythms])


@pytest.mark.thorough
def test_letters_that_are_empty_too_long_or_in_doubt():
    many = [make.paper(f"Title {n} " * 20, abstract="Long. " * 500) for n in range(50)]
    edition = make.edition(papers=many)
    long = delivery(many, make.subscriber(abstracts="full"), edition, matched=90)
    empty = delivery([], make.subscriber(), edition)
    doubt = delivery(many[:2], make.subscriber(), edition)
    doubt.papers[1]["reasons"] = [{"kind": "carried", "label": "1 June", "words": []}]
    assert_whole([long, empty, doubt])


def test_a_letter_too_long_fills_the_room_it_has():
    """What a smaller card leaves out, such as its reasons, takes no room."""
    said = {"kind": "topic", "label": "Speech", "words": ["a long word " * 3] * 6}
    many = [make.paper(f"Title {n} " * 4, abstract="Long. " * 80) for n in range(60)]
    row = delivery(many, edition=make.edition(papers=many))
    row.papers = rows(many, [said] * 3)
    [letter] = letters.letters([row], make.NOW)
    # One step of the last card (3.6 kB) and what is reserved for the longest frame (3.2 kB) may stay free.
    assert size_limit.HTML_BYTES - 8_000 < len(letter.html.encode()) < size_limit.HTML_BYTES


def test_pins_late_risers_explored_papers_and_rows_of_an_odd_shape():
    made = [make.paper(f"Paper {n}", upvotes=n) for n in range(6)]
    edition = make.edition(papers=made)
    edition.entries.filter(paper=made[1]).update(is_late_riser=True)
    edition.entries.filter(paper=made[2]).update(note="Read = this & that.")
    row = delivery(made, edition=edition)
    row.papers[0]["reasons"] = [{"kind": "pin", "label": "", "words": []}, SPEECH]
    row.papers[2]["reasons"] = [{"kind": "explore", "label": "", "words": ["near"]}]
    row.papers[3]["reasons"] = [{"kind": "liked", "label": "A liked paper"}]
    row.papers[4]["reasons"] = ["odd", {"kind": "filter", "label": '"a phrase" OR b*', "words": None}]
    row.papers[5] = {"paper": made[5].pk}
    row.papers += [{"paper": 0, "reasons": []}, "odd"]
    assert_whole([row])


def test_notes_and_receipts_are_there():
    paper = make.paper()
    edition = make.edition(
        papers=[paper], note="Two\n\nparagraphs = here.", curator="Ada", coverage={"looked_at": 3, "missing": ["x"]}
    )
    assert_whole([delivery([paper], edition=edition)])


def test_tokens_made_in_numbers_are_the_tokens_made_one_by_one():
    for purpose in ("preferences", "unsubscribe", "letter", "saved", "act", "confirm"):
        made = tokens.maker(purpose)("0" * 32)
        assert tokens.read(purpose, made) == "0" * 32
        if tokens.LIFETIMES[purpose] is None:
            assert made == tokens.make(purpose, "0" * 32)


@given(st.lists(st.text(st.characters(exclude_characters="\r\ue000\ue001", exclude_categories=["Cs"])), max_size=6))
def test_parts_and_values_of_any_text_decode_to_what_was_filled_in(texts: list[str]):
    pattern = cut("".join(f"{text}{placeholder('name')}" for text in texts))
    filled = mime.encoded(pattern, "name").fill(mime.encode("a = b. "))
    assert mime.decode(filled) == "".join(f"{text}a = b. " for text in texts)
    assert all(len(line) <= 76 for line in b"".join(filled).split(b"\r\n"))


@pytest.mark.parametrize("length", [10, 72, 73, 150, 300])
def test_an_address_of_any_length_is_whole_again_once_decoded(length: int):
    url = f"https://papers.example/{'x' * length}/"
    for one in (url, f"{url}?a=b"):
        assert mime.decode([b"go to =\r\n", mime.address(one), b"=\r\n now"]) == f"go to {one} now"


def test_a_card_may_hold_its_places_in_any_order():
    pattern = cut(f"{placeholder('why')} then {placeholder('act')}, {placeholder('number')} and {placeholder('label')}")
    filled = mime.encoded(pattern, "label", "number", "why", "act").fill(b"l", b"1.", b"w", b"a")
    assert mime.decode(filled) == "w then a, 1. and l"


@pytest.mark.parametrize(("channel", "takes_bytes"), [("smtp", True), ("outbox", True), ("resend", False)])
def test_mail_servers_and_files_take_the_bytes_and_providers_the_parts(settings: Any, channel: str, takes_bytes: bool):
    settings.MAIL_CHANNEL = channel
    letter = outgoing.Letter(to="ada@example.org", subject="Parts", text="Parts.", raw=b"Subject: Bytes\r\n\r\nBytes.")
    raw = outgoing.as_message(letter).message().as_bytes()
    assert (raw == letter.raw) is takes_bytes
    assert (b"Parts." in raw) is not takes_bytes


def test_a_preview_is_the_same_letter_as_bytes_and_as_parts():
    edition = make.edition(papers=[make.paper("Speech = for all")])
    letter = previews.sample(previews.stranger(), edition, make.NOW, previews.TEST)
    message = read(letter.raw)
    assert (message["Subject"], letter.subject) == ("[Test] 3 June: Speech = for all",) * 2
    assert (body(message, "plain"), body(message, "html")) == (letter.text.rstrip("\n"), letter.html.rstrip("\n"))
    assert whole.events(letter.html)
