"""Texts that feeds should never send: markup, scripts, header breaks, invisible characters, TeX bombs, sheer size."""

from __future__ import annotations

import random

PARTS = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</td></tr></table>",
    "<a href=\"https://evil.example/unsubscribe\">Unsubscribe</a>", "</style><style>*{display:none}</style>",
    "<!--[if mso]>", "--><b>", "]]>", "<svg onload=alert(1)>", "<iframe src=//evil.example>", "&#60;script&#62;",
    "&lt;b&gt;", "javascript:alert(1)", "data:text/html,<script>", "{{ 7*7 }}", "{% raw %}", "{# x #}", "%(count)s",
    "%s%d%n", "\ue000cards\ue001", "\ue000act\ue001", "\r\nBcc: victim@example.org\r\n\r\nbody", "\nSubject: other",
    "\x00", "\x0b\x0c\x1b[31m", "\x85\u2028\u2029", "\u202egnp.exe\u202c", "\u2066\u2067\u2069\u200f",
    "\u200b\ufeff\u2060",
    "\ud800", "\udfff\ud83d", "\ufdd0\uffff", "a" + "\u0301" * 60, "𝕬𝖑𝖊𝖗𝖙", "раураl.example", "\U000e0041\U000e007f",
    r"\def\a{\a\a}\a", "$" * 30, r"$\frac{$", "{" * 60, r"\href{javascript:alert(1)}{click}", r"\'" * 20,
    r"$\unicode{x3c}$script$\unicode{x3e}$", r"$\text{<b>}$", "=?utf-8?q?=0D=0ABcc:_x?=",
    "=\r\n=3Cscript=3E", "\n.\r\n",
    "word " * 40, "x" * 500, "ﷺ" * 50, "\t\t", "-- \n", "<<SYS>>", "\"quoted\" <a@b>",
    "a,b;c:d@e", "\\", "\"", "'", "<", ">", "&",
)  # fmt: skip
HUGE = ("<b>" * 350_000, "A" * 1_000_000, "$\\alpha" * 150_000, "\ud800" * 500_000)


def texts(count: int) -> list[str]:
    """`count` texts of one to four parts, always the same; the parts alone and the huge ones are among them."""
    chance = random.Random(67)
    made = [*PARTS, *HUGE]
    while len(made) < count:
        made.append(chance.choice(["", " ", "A title "]).join(chance.choices(PARTS, k=chance.randint(2, 4))))
    return made[:count]
