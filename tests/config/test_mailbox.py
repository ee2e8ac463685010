"""`EMAIL_URL` names the postbox; whatever is wrong with it is said without its password."""

from __future__ import annotations

import pytest

from config import mailbox
from config.env import Environment


def read(tmp_path, **values):
    env = Environment(tmp_path, values)
    box = mailbox.read(env)
    return box, [str(one) for one in env.findings]


@pytest.mark.parametrize(
    ("url", "channel", "backend"),
    [
        ("", "outbox", "OutboxBackend"),
        ("outbox:", "outbox", "OutboxBackend"),
        ("console:", "console", "console.EmailBackend"),
        ("memory:", "memory", "locmem.EmailBackend"),
        ("anymail://resend", "resend", "Backend"),
        ("anymail://postmark", "postmark", "anymail.backends.postmark.EmailBackend"),
        ("anymail://amazon_ses", "amazon_ses", "anymail.backends.amazon_ses.EmailBackend"),
    ],
)
def test_a_postbox_is_found_by_its_name(url, channel, backend, tmp_path):
    box, problems = read(tmp_path, EMAIL_URL=url)
    assert (box.channel, box.backend.endswith(backend), problems) == (channel, True, [])


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtp+tls://mail.example.org", 587, True, False),
        ("smtps://mail.example.org", 465, False, True),
        ("smtp+tls://mail.example.org:2525", 2525, True, False),
    ],
)
def test_a_mail_server_gets_the_port_of_its_kind(url, port, tls, ssl, tmp_path):
    box, problems = read(tmp_path, EMAIL_URL=url)
    assert (box.host, box.port, box.use_tls, box.use_ssl) == ("mail.example.org", port, tls, ssl)
    assert problems == []


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postfix:", "127.0.0.1", 25),
        ("postfix://127.0.0.1:2525/etc/postfix-papers", "127.0.0.1", 2525),
        ("postfix://localhost/", "localhost", 25),
    ],
)
def test_postfix_is_short_for_the_mail_server_of_this_machine(url, host, port, tmp_path):
    box, problems = read(tmp_path, EMAIL_URL=url)
    assert (box.channel, box.host, box.port, problems) == ("smtp", host, port, [])
    assert box.backend.endswith("SmtpBackend")


def test_a_port_of_postfix_that_is_no_number_is_a_problem(tmp_path):
    _, problems = read(tmp_path, EMAIL_URL="postfix://127.0.0.1:x")
    assert "not a number" in problems[0]


def test_user_and_password_are_unescaped(tmp_path):
    box, _ = read(tmp_path, EMAIL_URL="smtp+tls://me%40example.org:a%2Fb%23c@mail.example.org")
    assert (box.user, box.password) == ("me@example.org", "a/b#c")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("pigeon://x", "starts with 'pigeon'"),
        ("anymail://nobody", "names no provider"),
        ("anymail://", "names no provider"),
        ("anymail://base", "names no provider"),
        ("anymail://test", "names no provider"),
        ("smtp://", "names no mail server"),
        ("smtp://me:hunter2@mail.example.org:port", "not a number"),
        ("smtp://me:hunter2#x@mail.example.org", "%23"),
        ("smtp://me:hunter2[x@mail.example.org", "cannot be read"),
    ],
)
def test_a_wrong_postbox_is_named_without_its_password(url, says, tmp_path):
    _, problems = read(tmp_path, EMAIL_URL=url)
    assert says in " ".join(problems)
    assert "hunter2" not in " ".join(problems)


def test_a_providers_settings_reach_it_with_their_real_types(tmp_path):
    box, problems = read(
        tmp_path,
        EMAIL_URL="anymail://resend",
        ANYMAIL_RESEND_API_KEY="re_x",
        ANYMAIL_IGNORE_RECIPIENT_STATUS="false",
        ANYMAIL_SEND_DEFAULTS='{"track_clicks": false}',
    )
    assert problems == []
    assert box.anymail["RESEND_API_KEY"] == "re_x"
    assert box.anymail["IGNORE_RECIPIENT_STATUS"] is False
    assert box.anymail["SEND_DEFAULTS"] == {"track_clicks": False}


def test_a_mapping_that_is_no_json_is_a_problem(tmp_path):
    _, problems = read(tmp_path, ANYMAIL_SEND_DEFAULTS="{track: no}")
    assert "ANYMAIL_SEND_DEFAULTS" in problems[0]
