"""Author strings as publishers write them, taken apart; TeX accents put right."""

from __future__ import annotations

import re
import unicodedata

from digest.sources.parsers import markup
from digest.sources.parsers.text import AUTHORS, NAME, plain, readable, unmarked

_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "d": "\u0323", "b": "\u0331", "k": "\u0328",
    "r": "\u030a",
}  # fmt: skip
_LETTERS = {
    "oe": "œ", "OE": "Œ", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å", "ss": "ß", "dh": "ð", "DH": "Ð",
    "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ",
}  # fmt: skip
_LETTER = r"(\\[ij](?![A-Za-z])|[A-Za-z])"
_MARKS = re.compile(rf"\\(['`^\"~=.])\s*(?:\{{\s*{_LETTER}\s*\}}|{_LETTER})")
# A letter-named accent needs a brace or a space after it, or it is another command (\\beta, \\cite).
_NAMED_MARKS = re.compile(rf"\\([uvHcdbkr])(?:\s*\{{\s*{_LETTER}\s*\}}|\s+{_LETTER})")
_SPECIAL = re.compile(r"\\(" + "|".join(sorted(_LETTERS, key=len, reverse=True)) + r")(?:\{\}|(?![A-Za-z])\s?)")
_BRACED = re.compile(r"\{([^{}\\$]{0,40})\}")
_LONE = re.compile(r"\{([^\x00-\x7f])\}")  # the braces around a letter that was an accent
_LINE = re.compile(r"<br\b[^<>]*>|</(?:p|li|div|tr|td|dd|h\d)\s*>", re.IGNORECASE)
_INDEX = re.compile(r"<sup\b[^<>]*>[\s\d,;*†‡§¶#a-z]{0,20}</sup>")
_MAILED = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\s*\(([^()]+)\)")
_MAIL = re.compile(r"(?:<|&lt;)?(?:mailto:)?[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}\b(?:>|&gt;)?")
_MATH = re.compile(r"(\$\$?[^$]*\$\$?)")


def accented(text: str, unbrace: bool = False) -> str:
    r"""TeX's accents as letters (`Andr\'e` is `André`), outside of formulas, which are left alone."""
    if "\\" not in text:
        return _BRACED.sub(r"\1", text) if unbrace and "{" in text else text
    parts = _MATH.split(text)
    parts[::2] = [_letters(part, unbrace) for part in parts[::2]]
    return unicodedata.normalize("NFC", "".join(parts))


def _letters(text: str, unbrace: bool) -> str:
    text = _MARKS.sub(lambda m: _with(m[2] or m[3], m[1]), text)
    text = _NAMED_MARKS.sub(lambda m: _with(m[2] or m[3], m[1]), text)
    text = _SPECIAL.sub(lambda m: _LETTERS[m[1]], text)
    return _BRACED.sub(r"\1", text) if unbrace else _LONE.sub(r"\1", text)


def _with(base: str, accent: str) -> str:
    return unicodedata.normalize("NFC", base.lstrip("\\") + _ACCENTS[accent])


def comma_joined(text: str) -> tuple[str, ...]:
    """arXiv's one string of authors: commas outside of parentheses part them, affiliations in parentheses go.

    `A. Bee (1), C. Dee (2 and 3) ((1) Here, (2) There)` is two people.
    """
    return _people(_split(accented(readable(text, 200_000), unbrace=True), ","))


def semicolon_joined(text: str) -> tuple[str, ...]:
    """bioRxiv's string: `Fujii, S.; Wang, Y.` becomes `S. Fujii`, `Y. Wang`."""
    return _people([turned(part) for part in readable(text, 200_000).split(";")])


def turned(name: str) -> str:
    """`Family, Given` as `Given Family`; any other name as it is."""
    family, comma, given = name.partition(",")
    if not comma or "," in given or not given.strip() or not family.strip():
        return name.strip()
    return f"{given.strip()} {family.strip()}"


def from_feed(texts: list[str], in_two_ways: bool = False) -> tuple[str, ...]:
    """A feed's authors: one element a person, or one element with everybody in it.

    `in_two_ways` says that the feed has two kinds of elements for authors, so that one name twice may be one person.
    """
    lines = [line for text in texts for line in _lines(text)]
    if len(texts) == 1:
        return _people([name for line in lines for name in _everybody(line)])
    return _people([turned(line) for line in lines], least=1 if in_two_ways else 2)


def _lines(text: str) -> list[str]:
    """An element's lines, without mail addresses (RSS 2.0 has them there) and marks of affiliations."""
    parts = _LINE.split(_INDEX.sub("", markup.as_meant(text)))
    words = (unmarked(_mailed(part), 200_000) for part in parts)
    return [accented(line, unbrace=True) for line in words if line]


def _mailed(text: str) -> str:
    """`ada@example.org (Ada Example)` and `Ada Example <ada@example.org>` without the address."""
    named = _MAILED.fullmatch(text.strip())
    return named[1] if named else _MAIL.sub("", text)


def _everybody(text: str) -> list[str]:
    if ";" in text:
        return [turned(part) for part in text.split(";")]
    if "、" in text or "，" in text:
        return re.split("[、，]", text)
    parts = [part.strip() for part in _split(text, ",") if part.strip()]
    if _alternates(parts):
        return [f"{given} {family}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    parts = [re.sub(r"^(?:and|&)\s+", "", part) for part in parts]
    return [name for part in parts for name in re.split(r"\s+(?:and|&)\s+", part)]


def _alternates(parts: list[str]) -> bool:
    """True for `Kukla, D., Crampton, A.` and for a lone `Inoda, Toshio`: family names and initials take turns."""
    if len(parts) < 2 or len(parts) % 2:
        return False
    if len(parts) == 2:
        return all(part.count(" ") == 0 for part in parts) and not parts[0].endswith(".")
    return all(
        (re.fullmatch(r"(?:[^\W\d_][.\s-]*){1,4}", part) and len(part) <= 8 and part.isupper())
        or re.fullmatch(r"(?:[^\W\d_]\.[\s-]?)+", part)
        for part in parts[1::2]
    )


def _split(text: str, mark: str) -> list[str]:
    """Parts at `mark`, not inside parentheses; what is in parentheses is left out. Linear in the text."""
    parts, depth, start, kept = [], 0, 0, []
    for place, letter in enumerate(text):
        if letter == "(":
            if depth == 0:
                kept.append(text[start:place])
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            start = place + 1
        elif letter == mark and depth == 0:
            kept.append(text[start:place])
            parts.append("".join(kept))
            kept, start = [], place + 1
    kept.append(text[start:] if depth == 0 else "")
    parts.append("".join(kept))
    return parts


def _people(names: list[str], least: int = 2) -> tuple[str, ...]:
    cleaned = (
        plain(name, NAME).strip(" ,;.") if not name.strip().endswith(".") else plain(name, NAME).strip(" ,;")
        for name in names
    )
    kept = (name for name in cleaned if is_name(name) and name.casefold() not in {"et al", "et al.", "and", "others"})
    return _once(list(kept), least)[:AUTHORS]


def _once(names: list[str], least: int) -> tuple[str, ...]:
    """The list without its repetition: some publishers say all authors twice. Two people of one name stay two.

    Lists of fewer than `least` names are never taken for said twice.
    """
    half = len(names) // 2
    is_twice = half >= least and names[:half] == names[half:]
    return tuple(names[:half] if is_twice else names)


def is_name(text: str) -> bool:
    """False for what has no letter: arXiv gives the colon after a collaboration a place among the authors."""
    return any(letter.isalpha() for letter in text)
