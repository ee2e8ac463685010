"""Texts from right to left, and characters of several code points: in letters as their authors wrote them."""

from __future__ import annotations

import re

import pytest

from digest.letters import cards
from digest.letters import text as letter_text


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("דגימה קצרה: מבוא", "דנה דוגמה"),
        ("عينة قصيرة: مقدمة", "ليلى مثال"),
        ("نمونه‌ای کوتاه", "آرش نمونه"),
        ("A sample of שלום", "Ada Example"),
        ("\u202eעל BERT\u202c \u2066ועוד\u2069", "\u200fנועה"),
    ],
)
def test_each_text_of_a_paper_has_its_own_direction(title: str, name: str) -> None:
    card = cards.Card(
        1,
        "https://e.example/1",
        letter_text.plain(title, 300),
        authors=cards.author_line([name]),
        abstract=letter_text.plain(f"{title}. {title}.", 2_000),
        note="Read it.",
        note_label="Note",
    )
    words = {"number": "1", "label": "", "why": "", "act": "", "abstract": card.abstract}
    html = cards.html_fragment("card", {"card": card, "level": "full"} | words)
    for kind in ("title", "authors", "abstract", "why"):
        assert re.search(rf'<(?:h2|p) [^<>]*class="{kind}"[^<>]*dir="auto"', html), kind
    assert not re.search("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]", html)


@pytest.mark.parametrize(
    "emoji",
    [
        "\U0001fae8",
        "\U0001faef",
        "\U0001f426\u200d\U0001f525",
        "\U0001f469\U0001f3fd\u200d\U0001f52c",
        "\U0001f1e8\U0001f1ed",
        "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
        "\u2764\ufe0f\u200d\U0001f525",
        "5\ufe0f\u20e3",
    ],
)
def test_an_emoji_is_printed_whole_or_not_at_all(emoji: str) -> None:
    assert letter_text.plain(f"Moths {emoji} lamps", 300) == f"Moths {emoji} lamps"
    for limit in range(2, 40):
        shown = letter_text.shorten(emoji * 30, limit).removesuffix("…")
        assert shown.replace(emoji, "") == ""


def test_characters_that_nobody_sees_go_where_they_choose_nothing() -> None:
    assert letter_text.plain("mo\ufe0fths\U000e0041\U000e0042 and\u202e lamps", 300) == "moths and lamps"
