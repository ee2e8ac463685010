"""Headers over the line: encoded words of at most 75 characters, lines of at most 76, none of them empty."""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.mail import header_text
from subscriptions.mail.outgoing import Letter, as_message

SUBJECTS = [
    "短い題",
    "大規模言語モデルのための効率的な注意機構に関する包括的な調査と、その応用についての一考察、そして残された課題",
    "تعلم الآلة العميق من أجل ترجمة النصوص القديمة والمخطوطات النادرة في المكتبات",
    "One paper with a long English title that was cut somewhere near its very end with an ellipsis…",
    "Über die Größe der Bäume und die Länge der Wege zwischen ihnen, oder: warum Förster zählen",
    "👩‍🔬 of papers 📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄📄",
    "Plain words that go on for rather longer than one line of a header may be, and then some more of them",
    "A title with =?utf-8?q?something?= that looks encoded",
]
NAMES = ["Offprint", "Offprint, Inc.", "L'Offprint: papers", 'The "Daily"', "日刊論文" * 12, "Zürcher Blätter für alle"]


def words(lines: str) -> list[str]:
    return re.findall(r"=\?utf-8\?[bq]\?[^?]*\?=", lines)


def check(header: str, lines: str) -> None:
    whole = f"{header}: {lines}".split("\r\n")
    assert all(line.strip() for line in whole)
    assert all(len(line) <= 76 for line in whole)
    assert whole[0] != f"{header}: "
    assert all(len(word) <= 75 for word in words(lines))
    assert lines.isascii()


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_folded_and_reads_as_before(subject):
    lines = header_text.folded("Subject", header_text.text(subject))
    check("Subject", lines)
    assert str(make_header(decode_header(lines.replace("\r\n", "")))) == subject


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("header", ["From", "Reply-To"])
def test_a_senders_name_is_folded_and_reads_as_before(header, name):
    lines = header_text.folded(header, header_text.mailbox(name, "papers@example.org"))
    check(header, lines)
    shown, address = parseaddr(lines.replace("\r\n", ""))  # the newer parser puts spaces between encoded words
    assert (str(make_header(decode_header(shown))), address) == (name, "papers@example.org")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=120))
def test_any_text_comes_back_whole(text):
    shown = header_text.text(text)
    if shown != text:
        assert all(len(word) <= 75 for word in shown.split(" "))
        assert str(make_header(decode_header(header_text.folded("Subject", shown)))) == text


@pytest.mark.parametrize("subject", SUBJECTS)
def test_djangos_way_writes_the_same_lines(settings, subject):
    settings.MAIL_FROM = "日刊論文のお知らせ、毎朝の新しい論文を一通の手紙で <papers@example.org>"
    headers = {"List-Id": header_text.phrase("日刊論文" * 12) + " <digest.example.org>"}
    letter = Letter(to="ada@example.org", subject=subject, text="Hello", html="<p>Hello</p>", headers=headers)
    raw = as_message(letter).message().as_bytes(linesep="\r\n").decode()
    for header, value in {
        "Subject": header_text.text(subject),
        "From": header_text.mailbox("日刊論文のお知らせ、毎朝の新しい論文を一通の手紙で", "papers@example.org"),
        "List-Id": headers["List-Id"],
    }.items():
        lines = header_text.folded(header, value)
        check(header, lines)
        assert f"\r\n{header}: {lines}\r\n" in f"\r\n{raw}"
