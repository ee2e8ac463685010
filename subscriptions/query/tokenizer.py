"""The one tokeniser: papers and filters are cut into words here, so that both agree on what a word is.

Case, accents, hyphens, slashes and LaTeX markup do not matter; `C++` and `C#` stay whole; a Greek letter is
its name, so that `α`, `$\\alpha$` and `alpha` are one word; each CJK character is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_CJK += "\uac00-\ud7af\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
# Indic and South-East Asian vowel signs are marks, not letters, yet belong to the word.
_WORD = f"(?:[^\\W_{_CJK}]|[\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])+"
_SYMBOLS = r"(?<![a-z0-9])[a-z](?:\+\+|#)(?![a-z0-9+#])"

_plain = re.compile(r"[a-z0-9]+")
_plain_with_symbols = re.compile(f"{_SYMBOLS}|[a-z0-9]+")
_any = re.compile(f"{_SYMBOLS}|[{_CJK}]|{_WORD}")
_cjk = re.compile(f"[{_CJK}]")
_possessive = re.compile(r"(?<=[^\W_])['\u2019]s(?![^\W_])")
_accents = re.compile("[\u0300-\u036f]")
_invisible = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_letters = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})

_GREEK_NAMES = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "omicron",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
]
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_NAMES, strict=True))
# One to three Greek letters are symbols (αβ T cells); more are a word of that language.
_greek = re.compile("(?<![α-ω])[α-ω]{1,3}(?![α-ω])")

# LaTeX, read in lower case: accents melt into their letter, markup goes, any other command is its name.
_latex_accent = re.compile(r"\\(?:['\"`^~=.]\s?|[uvhcdbktr](?=\{))(?:\{\\?([a-z])\}|\\?([a-z]))")
_latex_letter = re.compile(r"\\(ss|ae|oe|aa|o|l|i|j)(?![a-z])\s?")
_latex_variant = re.compile(r"\\var(?=[a-z])")
_latex_markup = re.compile(
    r"\\(?:text[a-z]*|math[a-z]*|emph|bf|it|rm|sf|tt|sc|cal|left|right|big[a-z]*|frac|[dt]frac|sqrt|hat|widehat|bar"
    r"|tilde|widetilde|vec|dot|ddot|over|overline|underline|operatorname|mbox|hbox|cite[a-z]*|ref|label|begin|end|url"
    r"|href|q?quad|[lc]?dots?|times|displaystyle|limits|nolimits|boldsymbol|bm|footnote|item)(?![a-z])"
)
_braced_letter = re.compile(r"(?<![a-z0-9}])\{([a-z]{1,2})\}(?=[a-z])|(?<=[a-z])\{([a-z])\}")


_unstorable = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """False for a text with a NUL or half a surrogate pair: PostgreSQL stores neither."""
    return not _unstorable.search(text)


def storable(text: str) -> str:
    """The text with a replacement character for what no database stores."""
    return _unstorable.sub("\ufffd", text)


def fold(text: str) -> str:
    """The text without case, accents and typographic forms (NFKC), so that equal-looking words are equal."""
    if text.isascii():
        return text.lower()
    opened = unicodedata.normalize("NFKD", _invisible.sub("", text)).casefold()
    opened = unicodedata.normalize("NFKD", opened).casefold()
    return unicodedata.normalize("NFKC", _accents.sub("", opened).translate(_letters))


def tokens(text: str) -> list[str]:
    """The words of a text, in order. `tokens(" ".join(tokens(text)))` is the same list."""
    folded = fold(text)
    if "\\" in folded:
        folded = _without_latex(folded)
    if "'" in folded or "\u2019" in folded:
        folded = _possessive.sub("", folded)
    if folded.isascii():
        has_symbols = "+" in folded or "#" in folded
        return (_plain_with_symbols if has_symbols else _plain).findall(folded)
    return _any.findall(_greek.sub(_spelled, folded))


def _without_latex(folded: str) -> str:
    text = _latex_markup.sub(" ", folded)
    text = _latex_accent.sub(lambda match: match[1] or match[2], text)
    text = _latex_letter.sub(lambda match: "a" if match[1] == "aa" else match[1], text)
    text = _braced_letter.sub(lambda match: match[1] or match[2], text)
    return _latex_variant.sub(r"\\", text)


def _spelled(match: re.Match[str]) -> str:
    return " " + " ".join(_GREEK[letter] for letter in match[0]) + " "


def stem(word: str) -> str:
    """The word without a simple English plural (Harman's S-stemmer, JASIS 1991); three letters or fewer stay."""
    if len(word) < 4 or word[-1] != "s":
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        return word[:-3] + "y"
    if word.endswith("es") and word[-3] not in "aeo":
        return word[:-1]
    return word if word[-2] in "us" or word.endswith(("aes", "ees", "oes")) else word[:-1]


def is_cjk(word: str) -> bool:
    """Whether this word is one character of a script written without spaces."""
    return bool(_cjk.match(word))


_rough = re.compile(r"[^\s\-/‐-―]+|[\s\-/‐-―]+")


def mark(text: str, found: Iterable[str]) -> list[tuple[str, bool]]:
    """The text in pieces whose join is the text; true marks a piece that holds one of the words `found`."""
    wanted = {stem(token) for word in found for token in tokens(word)}
    pieces: list[tuple[str, bool]] = []
    for rough in _rough.findall(text) if wanted else [text]:
        hit = bool(wanted) and any(stem(token) in wanted for token in tokens(rough))
        pieces += _trimmed(rough) if hit else [(rough, False)]
    return _joined(pieces)


def _trimmed(rough: str) -> list[tuple[str, bool]]:
    """Punctuation at a word's ends is not part of the mark."""
    core = rough.strip(".,;:!?()[]{}\"'\u201c\u201d\u2018\u2019") or rough
    before, _, after = rough.partition(core)
    return [(before, False), (core, True), (after, False)]


def _joined(pieces: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    joined: list[tuple[str, bool]] = []
    for piece, hit in pieces:
        if not piece:
            continue
        if joined and not hit and not joined[-1][1]:
            joined[-1] = (joined[-1][0] + piece, False)
        else:
            joined.append((piece, hit))
    return joined
