"""The fast way says the same as the plain way, once decoded."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest

from digest.letters import links, mime
from digest.letters.letters import letters
from digest.models import Delivery
from subscriptions.links import tokens
from subscriptions.mail import outgoing
from subscriptions.when import week
from tests import make
from tests.digest.letters.posts import SPEECH, delivery

pytestmark = pytest.mark.django_db
COMMUNITY = {"kind": "community", "label": "", "words": []}
OWN_FORM = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


def body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return part.get_content().replace("\r\n", "\n").rstrip("\n") if part else None


def assert_same(rows: list[Delivery]) -> None:
    plain = [outgoing.as_message(letter).message().as_bytes(linesep="\r\n") for letter in letters(rows, make.NOW)]  # type: ignore[call-arg]
    for row, expected, got in zip(rows, plain, mime.posted(rows, make.NOW), strict=True):
        one, two = read(expected), read(got.message)
        assert got.to == row.subscriber.email
        assert body(one, "plain") == body(two, "plain")
        assert body(one, "html") == body(two, "html")
        assert headers(expected) == headers(got.message)
        lines = got.message.split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert not any(b"\n" in line or b"\r" in line for line in lines)
        _, _, encoded = got.message.partition(b"\r\n\r\n")
        assert max(map(len, encoded.split(b"\r\n"))) <= 76
        assert all(not part.defects for part in two.walk())


def headers(raw: bytes) -> dict[str, str]:
    """The headers as they go over the line, with their folds."""
    head = raw.partition(b"\r\n\r\n")[0].decode()
    lines = dict(line.split(": ", 1) for line in re.split(r"\r\n(?![ \t])", head))
    return {name: value for name, value in lines.items() if name not in OWN_FORM}


@pytest.mark.parametrize(
    "title", ["大規模言語モデルのための効率的な注意機構に関する包括的な調査と、その応用", "Ein schöner Titel… " * 6]
)
def test_headers_that_are_not_ascii_are_the_same_bytes(settings: Any, title: str):
    settings.SITE_NAME = "Zürcher Blätter für Förster, Bäcker und Müller: jeden Tag"
    settings.MAIL_FROM = "日刊論文のお知らせ、毎朝の新しい論文を一通の手紙で <papers@example.org>"
    settings.MAIL_REPLY_TO = "Rückfragen <answers@example.org>"
    made = [make.paper(title)]
    assert_same([delivery(made, edition=make.edition(papers=made))])


@pytest.mark.parametrize("papers", [1, 7, 8, 15])
def test_daily_letters_of_any_length(papers: int):
    made = [make.paper(f"Paper {n} on =3D ümläuts & <tags> of {n}") for n in range(papers)]
    edition = make.edition(papers=made)
    rows = [delivery(made, edition=edition, matched=papers + n * 5) for n in range(2)]
    rows[1].papers[0]["reasons"] = [SPEECH, COMMUNITY]
    rows[0].papers[-1]["reasons"] = [COMMUNITY]
    assert_same(rows)


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
    assert_same([delivery([paper], make.subscriber(**fields))])


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
    assert_same([delivery(papers, make.subscriber(**one), last, since=since) for one in rhythms])


@pytest.mark.thorough
def test_letters_that_are_empty_too_long_or_in_doubt_take_the_plain_way():
    many = [make.paper("Title " * 30, abstract="Long. " * 500) for _ in range(50)]
    edition = make.edition(papers=many)
    long = delivery(many, make.subscriber(abstracts="full"), edition, matched=90)
    empty = delivery([], make.subscriber(), edition)
    doubt = delivery(many[:2], make.subscriber(), edition)
    doubt.papers[1]["reasons"] = [{"kind": "carried", "label": "1 June", "words": []}]
    assert_same([long, empty, doubt])


def test_notes_and_receipts_are_there():
    paper = make.paper()
    edition = make.edition(
        papers=[paper], note="Two\n\nparagraphs = here.", curator="Ada", coverage={"looked_at": 3, "missing": ["x"]}
    )
    assert_same([delivery([paper], edition=edition)])


def test_tokens_made_in_numbers_are_the_tokens_made_one_by_one():
    for purpose in (*links.OWN.values(), "confirm"):
        made = tokens.maker(purpose)("0" * 32)
        assert tokens.read(purpose, made) == "0" * 32
        if tokens.LIFETIMES[purpose] is None:
            assert made == tokens.make(purpose, "0" * 32)


def test_templates_that_do_not_come_apart_are_written_the_plain_way(monkeypatch: pytest.MonkeyPatch):
    def posted(*_: Any) -> Any:
        raise mime.LayoutError("order")

    monkeypatch.setattr(mime, "posted", posted)
    monkeypatch.setattr(mime.letters, "letters", lambda rows, now: ["plain"])
    assert mime.ready([], datetime.now(UTC)) == ["plain"]
