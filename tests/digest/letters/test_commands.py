"""The commands that show letters: `preview` and `send_test`."""

from __future__ import annotations

import email
import json
from email import policy
from email.message import EmailMessage
from io import StringIO
from typing import Any

import pytest
from django.core import mail as postbox
from django.core.management import CommandError, call_command

from digest.models import Edition, Paper
from subscriptions.mail import outgoing
from tests import make

pytestmark = pytest.mark.django_db


def run(*words: str, **options: Any) -> Any:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return json.loads(out.getvalue())


def test_preview_shows_what_an_interest_would_bring():
    make.edition(papers=[make.paper("On speech"), make.paper("On stones")])
    answer = run("preview", "--json", interest=["speech"])
    assert "On speech" in answer["body"]
    assert "On stones" not in answer["body"]


def test_preview_of_a_reader_uses_their_own_interests():
    make.edition(papers=[make.paper("On speech"), make.paper("On stones")])
    reader = make.subscriber(queries=["stones"])
    answer = run("preview", reader.email, "--json", "--format", "html")
    assert "On stones" in answer["body"]
    assert answer["body"].startswith("<!DOCTYPE html>")


def test_preview_as_a_mail_file_is_a_whole_message():
    make.edition(papers=[make.paper("On speech")])
    message = email.message_from_string(run("preview", "--json", "--format", "eml", interest=["speech"])["body"])
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"interest": ["(speech"]}, "column"),
        ({"email": "nobody@example.org"}, "Nobody subscribed"),
        ({"interest": ["speech"], "date": make.TODAY.replace(year=2020)}, "There is no edition of 2020-06-03"),
        ({}, "Name a subscriber's address"),
    ],
)
def test_preview_says_what_is_wrong(options: dict[str, Any], says: str):
    make.edition(papers=[make.paper("On speech")])
    with pytest.raises(CommandError, match=says) as caught:
        call_command("preview", **options)
    assert caught.value.returncode == 2


def written(sent: EmailMessage) -> str:
    """The text part of a letter that went as finished bytes."""
    message = email.message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    return str(message.get_body(("plain",)).get_content())


def test_send_test_sends_one_marked_letter():
    make.edition(papers=[make.paper("On speech")])
    answer = run("send_test", "me@example.org", "--json")
    assert answer["outcome"] == "accepted"
    [sent] = postbox.outbox
    assert sent.subject == "[Test] 3 June: On speech"
    message = email.message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_send_test_works_before_any_edition_with_the_bundled_samples():
    answer = run("send_test", "me@example.org", "--json")
    [sent] = postbox.outbox
    assert (answer["outcome"], "bundled samples" in answer["edition"]) == ("accepted", True)
    assert sent.subject.startswith("[Test] ")
    assert written(sent).count("https://") > 10
    assert not Paper.objects.exists()
    assert not Edition.objects.exists()


def test_send_test_before_any_edition_finds_what_is_wanted():
    run("send_test", "me@example.org", "--json", interest=["speech"])
    assert "speech" in written(postbox.outbox[0]).lower()


def test_send_test_says_what_to_do_about_a_server_that_wants_a_password(settings, monkeypatch):
    settings.MAIL_CHANNEL = "smtp"
    refused = outgoing.Receipt(outgoing.Outcome.BLOCKED, detail="530 5.7.0 Authentication required")
    monkeypatch.setattr(outgoing, "send", lambda letter: refused)
    make.edition(papers=[make.paper("On speech")])
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("send_test", "me@example.org", stdout=out)
    assert "fix: The server wants a user and a password" in out.getvalue()
