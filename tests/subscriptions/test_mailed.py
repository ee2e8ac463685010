"""Unsubscribing by mail, as List-Unsubscribe offers it."""

from __future__ import annotations

from email import message_from_string
from email.header import Header

import pytest

from subscriptions import services
from subscriptions.links import tokens, urls
from subscriptions.mail import unsubscribe_mails
from subscriptions.models import Subscriber
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Subscriber:
    make.subscriber("bob@example.org")
    return make.subscriber("ada@example.org")


def token(reader: Subscriber) -> str:
    return urls.unsubscribe_url(reader).rstrip("/").rpartition("/")[2]


def take(subject: str, more: str = "") -> str:
    return unsubscribe_mails.take(
        message_from_string(f"From: Ada <ada@example.org>\nSubject: {subject}\n{more}\nBy my mail program.\n"), NOW
    )


def states() -> dict[str, str]:
    return dict(Subscriber.objects.values_list("email", "state"))


def test_a_request_ends_that_readers_letters_once(reader: Subscriber) -> None:
    assert take(f"unsubscribe {token(reader)}") == "left"
    assert states() == {"ada@example.org": "unsubscribed", "bob@example.org": "active"}
    assert take(f"unsubscribe {token(reader)}") == "known"


@pytest.mark.parametrize("subject", ["Unsubscribe {}", "unsubscribe  {} ", "unsubscribe\n {}"])
def test_mail_programs_write_the_subject_their_way(subject: str, reader: Subscriber) -> None:
    assert take(subject.format(token(reader))) == "left"


def test_a_subject_in_encoded_words_is_understood(reader: Subscriber) -> None:
    """RFC 2047; a long one is cut into several words."""
    assert take(Header(f"unsubscribe {token(reader)}", "utf-8").encode()) == "left"


def test_the_token_is_the_permission_whoever_sends_it(reader: Subscriber) -> None:
    """Readers write from other addresses than the one they are written to."""
    assert take(f"unsubscribe {token(reader)}", "Sender: x@example.net\n") == "left"


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("Re: unsubscribe {}", ""),
        ("Fwd: unsubscribe {}", ""),
        ("AW: unsubscribe {}", ""),
        ("unsubscribe {}", "In-Reply-To: <x@example.org>\n"),
        ("unsubscribe {}", "References: <x@example.org>\n"),
        ("unsubscribe {}", "Auto-Submitted: auto-replied\n"),
        ("unsubscribe {}", "Subject: another\n"),
        ("unsubscribe {} now", ""),
        ("please unsubscribe {}", ""),
        ("unsubscribe", "X-Token: {}\n"),
    ],
)
def test_answers_and_other_mails_are_no_request(subject: str, more: str, reader: Subscriber) -> None:
    assert take(subject.format(token(reader)), more) == "other"
    assert states()["ada@example.org"] == "active"


def test_every_change_of_one_character_is_refused(reader: Subscriber) -> None:
    good = token(reader)
    for place in range(len(good) - 1):
        other = "a" if good[place] != "a" else "b"
        assert take(f"unsubscribe {good[:place]}{other}{good[place + 1 :]}") == "other"
    assert set(states().values()) == {"active"}


@pytest.mark.parametrize("purpose", ["preferences", "block", "letter", "feed", "saved", "act"])
def test_a_token_for_another_purpose_is_refused(purpose: str, reader: Subscriber) -> None:
    assert take(f"unsubscribe {tokens.make(purpose, urls.subject(reader))}") == "other"
    assert set(states().values()) == {"active"}


@pytest.mark.parametrize(
    "subject", ["unsubscribe " + "a" * 5000, "unsubscribe \x00", "=?x-nope?b?AAAA?=", "unsubscribe ."]
)
def test_rubbish_is_no_request(subject: str, reader: Subscriber) -> None:
    assert take(subject) == "other"


def test_a_reader_who_was_erased_stays_so(reader: Subscriber) -> None:
    good = token(reader)
    services.forget(reader, NOW)
    assert take(f"unsubscribe {good}") == "known"
