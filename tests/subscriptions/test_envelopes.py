"""Envelope senders: one a letter, signed, and read again where the report arrives."""

from __future__ import annotations

from email import message_from_string
from typing import Any
from uuid import UUID, uuid4

import pytest

from config import mailbox
from config.env import Environment
from subscriptions.mail import envelopes, outgoing

LETTER = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")
DIGEST = f"<d.{LETTER}@offprint.localhost>"
NOTICE = f"<n.{LETTER}.1@offprint.localhost>"


@pytest.fixture(autouse=True)
def bounce_address(settings: Any) -> None:
    settings.MAIL_BOUNCE_ADDRESS = "bounces@example.org"


def read(address: str, name: str = "Delivered-To") -> str:
    return envelopes.read(message_from_string(f"{name}: {address}\n\n"))


@pytest.mark.parametrize(("message_id", "kind"), [(DIGEST, "d"), (NOTICE, "n")])
def test_an_envelope_sender_names_its_letter(message_id: str, kind: str) -> None:
    made = envelopes.sender(message_id)
    assert made.startswith("bounces+")
    assert made.endswith("@example.org")
    assert len(made.partition("@")[0]) <= 64
    assert envelopes.parts(read(made)) == (kind, LETTER)


def test_a_domain_of_its_own_needs_no_mailbox(settings: Any) -> None:
    settings.MAIL_BOUNCE_ADDRESS = "@bounces.example.org"
    made = envelopes.sender(DIGEST)
    assert "+" not in made
    assert envelopes.parts(read(made)) == ("d", LETTER)


@pytest.mark.parametrize("change", [str.upper, str.title, lambda one: f"<{one}>", lambda one: f"Bounces <{one}>"])
def test_servers_may_write_it_their_way(change: Any) -> None:
    assert envelopes.parts(read(change(envelopes.sender(DIGEST)))) == ("d", LETTER)


def test_it_is_read_from_a_received_line() -> None:
    made = envelopes.sender(DIGEST)
    assert read(f"from mx.example.net by mail.example.org for <{made}>; Wed, 3 Jun 2026", "Received")


def test_every_change_of_one_character_is_refused() -> None:
    made = envelopes.sender(DIGEST)
    local, _, domain = made.partition("@")
    start = len("bounces+")
    for place in range(start, len(local)):
        other = "b" if local[place] != "b" else "c"
        changed = f"{local[:place]}{other}{local[place + 1 :]}@{domain}"
        found = envelopes.parts(read(changed))[1]
        assert found in {UUID(int=0), LETTER}  # the last character of an id holds three bits only
        assert place == start + 26 or found == UUID(int=0)


def test_the_signature_of_one_letter_is_no_good_for_another() -> None:
    mine, other = envelopes.sender(DIGEST), envelopes.sender(f"<d.{uuid4()}@offprint.localhost>")
    local = other.partition("@")[0]
    assert read(f"{local[:-16]}{mine.partition('@')[0][-16:]}@example.org") == ""
    notice = envelopes.sender(NOTICE).replace("+n", "+d")
    assert read(notice) == ""


def test_a_former_key_is_good_and_a_foreign_one_is_not(settings: Any) -> None:
    made, former = envelopes.sender(DIGEST), settings.SECRET_KEY
    settings.SECRET_KEY = "another key of more than fifty characters, as it should be"
    assert read(made) == ""
    settings.SECRET_KEY_FALLBACKS = [former]
    assert envelopes.parts(read(made)) == ("d", LETTER)


@pytest.mark.parametrize("text", ["", "bounces@example.org", "bounces+d@example.org", f"bounces+d{'1' * 42}@x.example"])
def test_other_addresses_name_no_letter(text: str) -> None:
    assert read(text) == ""


@pytest.mark.parametrize("text", ["", "x", "<x@y>", f"<d.{'-' * 36}@x>", f"<d.{'0' * 35}-@x>", "<d.@x>"])
def test_other_message_ids_name_no_letter(text: str) -> None:
    assert envelopes.parts(text) == ("", UUID(int=0))


def test_without_the_setting_it_is_the_sites_own_address(settings: Any) -> None:
    settings.MAIL_BOUNCE_ADDRESS = ""
    assert envelopes.sender(DIGEST) == settings.MAIL_FROM


@pytest.mark.parametrize("raw", [b"", b"Subject: x\r\n\r\nx\r\n"])
@pytest.mark.parametrize("channel", ["smtp", "resend"])
def test_the_readers_see_the_sites_own_sender(raw: bytes, channel: str, settings: Any) -> None:
    settings.MAIL_CHANNEL = channel
    letter = outgoing.Letter(to="ada@example.org", subject="s", text="t", message_id=DIGEST, raw=raw)
    message = outgoing.as_message(letter)
    own = message.from_email == envelopes.sender(DIGEST)
    assert own is (channel in outgoing.READY)
    if not raw:
        assert str(message.message()["From"]) == settings.MAIL_FROM


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("", ""),
        ("bounces@Example.org", "bounces@example.org"),
        ("bounces.example.org", "@bounces.example.org"),
        ("@bounces.example.org", "@bounces.example.org"),
    ],
)
def test_the_setting_is_a_mailbox_or_a_domain(given: str, read_as: str, tmp_path: Any) -> None:
    env = Environment(tmp_path, {"MAIL_BOUNCE_ADDRESS": given})
    assert mailbox.bounce_address(env) == read_as


@pytest.mark.parametrize(
    "given", ["bounces@", "bounces@localhost", "a b@example.org", f"{'b' * 21}@example.org", "x+y@z.example"]
)
def test_a_setting_that_cannot_work_is_a_problem_with_an_example(given: str, tmp_path: Any) -> None:
    env = Environment(tmp_path, {"MAIL_BOUNCE_ADDRESS": given})
    assert mailbox.bounce_address(env) == ""
    assert any("Example: MAIL_BOUNCE_ADDRESS=" in one.fix for one in env.findings)
