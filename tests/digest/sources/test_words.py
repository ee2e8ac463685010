"""Texts, names and addresses as publishers write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.papers import graphemes, identifiers
from digest.sources.parsers import authors, text


@pytest.mark.parametrize(
    ("given_", "plain"),
    [
        ("  two\n  words\t", "two words"),
        ("null\x00byte\x07", "nullbyte"),
        ("half \ud800 a character", "half a character".replace("  ", "  ")),
        ("\u202eright to left\u2066", "right to left"),
        ("e\u0301", "é"),
        ("soft\u00adhyphen, zero\u200bwidth\u2060", "softhyphen, zerowidth"),
        ("ภาษา\u200bไทย", "ภาษา\u200bไทย"),
        ("\u061cשלום\u200f, عالم\u200e", "שלום, عالم"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("private \ue000\U000f0000 and \ufdd0\U0001ffff none", "private and none"),
        ("hidden \U000e0041\U000e0042words", "hidden words"),
        ("<think> and a<b stay", "<think> and a<b stay"),
        (None, ""),
        (17, ""),
    ],
)
def test_plain_text_is_one_clean_line(given_: object, plain: str) -> None:
    assert text.plain(given_) == plain


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("H<sub>2</sub>O and CO<sub>2</sub>", "H2O and CO2"),
        ("A &amp; B &lt;b&gt;", "A & B <b>"),
        ("We use <think> and <SOG_k> tokens", "We use <think> and <SOG_k> tokens"),
        ("a<b and b>c", "a<b and b>c"),
        ("<jats:p>Text</jats:p>", "Text"),
        ("<script>alert(1)</script>safe", "safe"),
        ("<style>p{}</style>safe", "safe"),
        ('<img src=x onerror="alert(1)">safe', "safe"),
        ("x < y > z", "x < y > z"),
    ],
)
def test_declared_html_loses_its_tags_and_keeps_its_words(given_: str, words: str) -> None:
    assert text.unmarked(given_) == words


@pytest.mark.parametrize(
    "title", ["<b>On</b> matter", "&lt;b&gt;On&lt;/b&gt; matter", "<p><strong>On</strong> matter</p>", "On&nbsp;matter"]
)
def test_titles_never_carry_markup(title: str) -> None:
    assert text.untagged(title) == "On matter"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "ftp://example.org",
        "http://",
        "x",
        "http://[bad",
        None,
    ],
)
def test_only_web_addresses_are_links(address: object) -> None:
    assert text.link(address) == ""


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert text.plain("x" * 50, 10) == "x" * 9 + "…"
    assert text.link("https://example.org/" + "x" * 2_000) == ""


@pytest.mark.thorough
@given(st.text(max_size=300))
@example("0\x85\x1b 0")
def test_plain_text_is_stable_and_storable(raw: str) -> None:
    once = text.plain(raw)
    assert text.plain(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode("utf-8")


@given(st.text(alphabet="<>/abp =\"'&;lt&#", max_size=200))
def test_untagged_text_has_no_known_tag(raw: str) -> None:
    assert "<p>" not in text.untagged(raw)
    assert "<a" + " href" not in text.untagged(raw)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("7", 7),
        (-1, None),
        (True, None),
        ("", None),
        ("1e3", None),
        (2**31, None),
        (1.5, None),
        ("²", None),
        (None, None),
    ],
)
def test_counts_are_whole_and_not_negative(value: object, number: int | None) -> None:
    assert text.number(value) == number


@pytest.mark.parametrize(
    ("tex", "letters"),
    [
        (r"Paulo Andr\'e Lima", "Paulo André Lima"),
        (r"Erd\H{o}s", "Erdős"),
        (r"Schr\"{o}dinger", "Schrödinger"),
        (r"\'{\i}, \^{\i}", "í, î"),
        (r"{\'e}tale", "étale"),
        (r"\c{c}a va", "ça va"),
        (r"\v{S}kvor", "Škvor"),
        (r"\v Skvor", "Škvor"),
        (r"\O{}rsted and \o", "Ørsted and ø"),
        (r"Stra\ss e", "Straße"),
        (r"\L{}ukasz \k{e}", "Łukasz ę"),
        (r"$\beta$ and $\bar{x}$ and $\'x$", r"$\beta$ and $\bar{x}$ and $\'x$"),
        (r"\beta \cite{x} \url{y} \dots", r"\beta \cite{x} \url{y} \dots"),
        ("no tex {at} all", "no tex {at} all"),
    ],
)
def test_tex_accents_are_letters_outside_of_formulas(tex: str, letters: str) -> None:
    assert authors.accented(tex) == letters


@pytest.mark.parametrize(
    ("joined", "people"),
    [
        ("A. Bee, C. Dee", ("A. Bee", "C. Dee")),
        ("A. Bee (1), C. Dee (2 and 3) ((1) Here, (2) There)", ("A. Bee", "C. Dee")),
        ("Ada Example (Univ. of X, Dept. Y), Ben Sample", ("Ada Example", "Ben Sample")),
        (r"J\"urgen M{\"u}ller, {\'E}. Z", ("Jürgen Müller", "É. Z")),
        ("The Big Collaboration: A. Bee, C. Dee", ("The Big Collaboration: A. Bee", "C. Dee")),
        ("The Big Collaboration, :, A. Bee, C. Dee", ("The Big Collaboration", "A. Bee", "C. Dee")),
        ("A. Bee, A. Bee", ("A. Bee", "A. Bee")),
        ("A. Bee, C. Dee, A. Bee", ("A. Bee", "C. Dee", "A. Bee")),
        ("A. Bee, C. Dee, A. Bee, C. Dee", ("A. Bee", "C. Dee")),
        ("J&uuml;rgen Bee, C. Dee &amp; Sons", ("Jürgen Bee", "C. Dee & Sons")),
        ("A. Bee (never closed, C. Dee", ("A. Bee",)),
        ("", ()),
    ],
)
def test_arxivs_one_string_of_authors_is_taken_apart(joined: str, people: tuple[str, ...]) -> None:
    assert authors.comma_joined(joined) == people


@pytest.mark.parametrize(
    ("given_", "people"),
    [
        (["Kukla, D., Crampton, A., Wood, D."], ("D. Kukla", "A. Crampton", "D. Wood")),
        (["Inoda, Toshio"], ("Toshio Inoda",)),
        (["Urquhart, A.S.", "Douch, J.K."], ("A.S. Urquhart", "J.K. Douch")),
        (["Ada Example and Ben Sample"], ("Ada Example", "Ben Sample")),
        (["范存祥,林志斌,俞雅丽"], ("范存祥", "林志斌", "俞雅丽")),
        (["García J, Balao F, Lorenzo M, et al."], ("García J", "Balao F", "Lorenzo M")),
        (["Rachel M. Binks, \nMargaret Heslewood"], ("Rachel M. Binks", "Margaret Heslewood")),
        (["<b>Ada</b> Example"], ("Ada Example",)),
        (["Ada Example<sup>1</sup>, Ben Sample<sup>2,*</sup>"], ("Ada Example", "Ben Sample")),
        (["<p>Example, Ada</p><p>Sample, Ben</p>"], ("Ada Example", "Ben Sample")),
        (["ada@lab.example (Ada Example)"], ("Ada Example",)),
        (["Ada Example &lt;ada@lab.example&gt;, Ben Sample"], ("Ada Example", "Ben Sample")),
        (["noreply@blog.example"], ()),
        (["Wei Example, Wei Example, Ben Sample"], ("Wei Example", "Wei Example", "Ben Sample")),
        (["Wei Example", "Wei Example"], ("Wei Example", "Wei Example")),
        (["Wei Example", "Ben Sample", "Wei Example"], ("Wei Example", "Ben Sample", "Wei Example")),
        (["Ada Example", "Ben Sample", "Ada Example", "Ben Sample"], ("Ada Example", "Ben Sample")),
        (["中村 例", "中村 例", "Ben Sample"], ("中村 例", "中村 例", "Ben Sample")),
        (["Fujii, S.; Wang, Y."], ("S. Fujii", "Y. Wang")),
    ],
)
def test_a_feeds_authors_are_people(given_: list[str], people: tuple[str, ...]) -> None:
    assert authors.from_feed(given_) == people


@given(st.text(alphabet="ab,;() .\\'{}\"", max_size=120))
def test_no_string_of_authors_is_too_odd(raw: str) -> None:
    for read in (authors.comma_joined, authors.semicolon_joined, lambda t: authors.from_feed([t])):
        assert all(name and len(name) <= text.NAME for name in read(raw))


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://arxiv.org/abs/2508.13426v2", ("2508.13426", 2)),
        ("http://arxiv.org/pdf/hep-ex/0307015", ("hep-ex/0307015", 1)),
        ("oai:arXiv.org:2203.01250v3", ("2203.01250", 3)),
        ("https://huggingface.co/papers/2607.21557", ("2607.21557", 1)),
        ("10.48550/arXiv.2504.02302", ("2504.02302", 1)),
        ("https://arxiv.org/abs/math.GT/0309136", ("math/0309136", 1)),
        ("math.GT/0309136", ("", 1)),
        ("https://example.org/2508.13426", ("", 1)),
        ("https://arxiv.org/abs/2508.134267", ("", 1)),
    ],
)
def test_arxiv_ids_are_found_where_they_are_meant(address: str, found: tuple[str, int]) -> None:
    assert identifiers.arxiv_in(address) == found


@pytest.mark.parametrize(
    ("given_", "doi"),
    [
        ("doi:10.1038/s41586-023-05999-5", "10.1038/s41586-023-05999-5"),
        ("https://doi.org/10.1002/TAX.12650?af=R", "10.1002/tax.12650"),
        ("https://x.org/doi/full/10.1080/01650521.2020.1783478", "10.1080/01650521.2020.1783478"),
        ("10.1016%2Fj.parint.2021.102531", "10.1016/j.parint.2021.102531"),
        ("(see 10.1000/xyz).", "10.1000/xyz"),
        ("10.64898/2026.06.03.1", "10.64898/2026.06.03.1"),
        ("version 10.2", ""),
    ],
)
def test_dois_are_found_and_lower_cased(given_: str, doi: str) -> None:
    assert identifiers.doi(given_) == doi


@pytest.mark.parametrize(
    "address",
    [
        "https://www.x.org/a/",
        "http://x.org/a?utm_source=rss&utm_medium=x",
        "https://x.org/a#top",
        "https://x.org:443/a",
    ],
)
def test_one_page_has_one_canonical_address(address: str) -> None:
    assert identifiers.canonical(address) == "x.org/a"


EMOJI = (
    "\U0001fae8",  # Unicode 15.0
    "\U0001fae9",  # Unicode 16.0
    "\U0001f426\u200d\U0001f525",  # joined, Unicode 15.1
    "\U0001f469\U0001f3fd\u200d\U0001f52c",  # a scientist with a skin tone
    "\U0001f1e8\U0001f1ed",  # a flag of two letters
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # a flag of tags
    "\u2764\ufe0f\u200d\U0001f525",
    "5\ufe0f\u20e3",
)


@pytest.mark.parametrize("emoji", EMOJI)
def test_emoji_stay_whole_and_are_never_cut_in_two(emoji: str) -> None:
    assert text.untagged(f"Moths {emoji} <b>lamps</b>") == f"Moths {emoji} lamps"
    assert text.untagged(f"Moths &#{ord(emoji[0])};{emoji[1:]}") == f"Moths {emoji}"
    for limit in range(2, 30):
        shown = text.plain(f"{emoji * 2} moths and {emoji * 9}", limit)
        rest = shown.removesuffix("…").replace(emoji, "")
        assert len(shown) <= limit
        assert rest.strip() in "moths and"


@pytest.mark.parametrize(
    ("words", "length", "kept"),
    [
        ("ab", 5, "ab"),
        ("abc", 2, "ab"),
        ("cafe\u0323\u0301s", 4, "caf"),
        ("a\U0001f1e8\U0001f1ed\U0001f1e9\U0001f1ea", 4, "a\U0001f1e8\U0001f1ed"),
        ("a\U0001f1e8\U0001f1ed\U0001f1e9\U0001f1ea", 3, "a\U0001f1e8\U0001f1ed"),
        ("क्षमा", 2, ""),
        ("क्षमा", 3, "क्ष"),
        ("שָׁלוֹם", 2, ""),
        ("a" + "\u0301" * 200, 150, "a" + "\u0301" * 149),
    ],
)
def test_a_cut_falls_between_two_characters_as_readers_see_them(words: str, length: int, kept: str) -> None:
    assert graphemes.whole(words, length) == kept


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://e.example/a\n", "https://e.example/a"),
        ("\n  https://e.example/long/\n    address\n", "https://e.example/long/address"),
        ("https://github.com/a/b\r\nhttps://github.com/c/d", "https://github.com/a/b"),
        ("https://github.com/a/b\n(coming soon)", "https://github.com/a/b"),
        ("https://e.example/a b", "https://e.example/a%20b"),
        ("https://e.example/?a=1&amp;b=2", "https://e.example/?a=1&b=2"),
        ("github.com/a/b", "https://github.com/a/b"),
        ("www.e.example/a", "https://www.e.example/a"),
        ("https://e.example/a\u200e", "https://e.example/a"),
    ],
)
def test_an_address_is_read_as_it_was_meant(written: str, address: str) -> None:
    assert text.link(written) == address
