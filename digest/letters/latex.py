"""Makes the TeX in titles, names and abstracts readable as plain Unicode, and never damages a word.

A walker of our own over pylatexenc's table of symbols: it reads each character once, knows no macro that can
repeat or fetch anything, and gives a whole formula back as it was written when one part of it is unknown.
"""
# ruff: noqa: SIM905 - a list of words reads better as a line of words

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from pylatexenc.latex2text import get_default_latex_context_db

MAX_CHARS = 20_000  # longer texts are cut before they come here; what lies beyond is left as it was
MAX_SPAN = 400
MAX_DEPTH = 6
MAX_SPANS = 200
KEPT_SYMBOLS = 2_000  # papers make up as many commands as they like

ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip
LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å",
    "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
}  # fmt: skip
MATH_ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
    "overline": "\u0304", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "check": "\u030c", "breve": "\u0306",
    "acute": "\u0301", "grave": "\u0300",
}  # fmt: skip
WRAPPERS = frozenset(
    "emph textbf textit textsc texttt textsf textrm text textup textnormal underline mbox hbox mathrm mathit mathsf "
    "mathtt mathbf mathcal mathscr mathfrak boldsymbol bm pmb operatorname ensuremath mathnormal mathop".split()
)
SWITCHES = frozenset("em bf it sc tt rm sf sl cal itshape bfseries scshape ttfamily".split())
FUNCTIONS = frozenset(
    "log exp min max sup inf lim sin cos tan cot sinh cosh tanh arcsin arccos arctan ln lg det dim ker arg argmax "
    "argmin Pr gcd deg limsup liminf mod".split()
)
SPACING = {",": " ", ";": " ", ":": " ", "!": "", " ": " ", "quad": " ", "qquad": " ", "/": "", "thinspace": " "}
SILENT = frozenset("left right big Big bigl bigr Bigl Bigr bigg Bigg displaystyle textstyle limits nolimits".split())
ESCAPED = frozenset("%&#_${}")
OWN_SYMBOLS = {
    "times": "×", "cdot": "·", "ldots": "…", "dots": "…", "cdots": "⋯", "to": "→", "top": "⊤", "ell": "ℓ",
    "mid": "|", "vert": "|", "Vert": "‖", "|": "‖", "lVert": "‖", "rVert": "‖", "epsilon": "ε", "varepsilon": "ε",
    "phi": "φ", "varphi": "φ", "sim": "~", "colon": ":", "lbrace": "{", "rbrace": "}", "ast": "*", "star": "⋆",
    "degree": "°", "textdegree": "°", "pm": "±",
}  # fmt: skip
BLACKBOARD = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "P": "ℙ", "E": "𝔼", "F": "𝔽", "H": "ℍ", "S": "𝕊"}
SUPERSCRIPTS = dict(zip("0123456789+-=()nijkmTd", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏᵐᵀᵈ", strict=True)) | {
    "⊤": "ᵀ", "∘": "°", "*": "*", "′": "′", "†": "†", "−": "⁻",
}  # fmt: skip
SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))

_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}(?![A-Za-z])")
_TEX_SIGNS = re.compile(r"[\\^_{]")
_OPENING = re.compile(r"\$|\\[(\[]")
_MATH = re.compile(
    r"\$\$(?P<double>[^$]{1,400})\$\$|\\\((?P<round>.{1,400}?)\\\)|\\\[(?P<square>.{1,400}?)\\\]", re.DOTALL
)
_ACCENT = re.compile(r"""\\(?:(['`^"~=.])\s*|([cvuHkrdb])(?:\s+(?=[A-Za-z](?![A-Za-z]))|(?=\{)))""")
_ACCENTED = re.compile(r"\{\s*(?:\\([ij])|([A-Za-z]))\s*\}|\\([ij])(?![A-Za-z])|([A-Za-z])")
_QUOTED = re.compile(r"``([^`']{1,200})''")
_NUMBER_RANGE = re.compile(r"(?<=\d)--(?=\d)")


class DoubtError(ValueError):
    """This piece of TeX is not surely understood: leave it as its author wrote it."""


def readable(text: str) -> str:
    """`text` with its TeX as Unicode: `Erd\\H{o}s` as Erdős, `$\\mathcal{O}(n^2)$` as O(n²); the rest untouched."""
    if "\\" not in text and "$" not in text and "``" not in text and "--" not in text:
        return text
    head, tail = text[:MAX_CHARS], text[MAX_CHARS:]
    return "".join(_spans(head)) + tail


def _spans(text: str) -> list[str]:
    """The text cut into prose and formulas, each made readable on its own."""
    done: list[str] = []
    start = position = 0
    for _ in range(MAX_SPANS):
        found = _next_formula(text, position)
        if found is None:
            break
        begin, end, formula = found
        position = end
        try:
            inside, _end = _walk(formula, 0, 0, closing="")
            shown = " ".join(inside.split())
        except DoubtError:
            shown = text[begin:end]
        done += [_prose(text[start:begin]), shown]
        start = end
    return [*done, _prose(text[start:])]


def _next_formula(text: str, position: int) -> tuple[int, int, str] | None:
    """Where the next formula begins and ends, with its inside."""
    while (begin := _first_mark(text, position)) >= 0:
        marked = _MATH.match(text, begin)
        if marked:
            return begin, marked.end(), next(part for part in marked.groups() if part is not None)
        if text[begin] == "$" and (end := _closing(text, begin)) > 0:
            return begin, end + 1, text[begin + 1 : end]
        position = begin + 1
    return None


def _first_mark(text: str, position: int) -> int:
    for found in _OPENING.finditer(text, position):
        if found.group() != "$" or text[found.start() - 1 : found.start()] != "\\":
            return found.start()
    return -1


def _closing(text: str, begin: int) -> int:
    """The `$` that closes the one at `begin`, else -1: money (`$5 and saves $10`) has none."""
    end = text.find("$", begin + 2, begin + MAX_SPAN)
    while end > 0 and text[end - 1] == "\\":
        end = text.find("$", end + 1, begin + MAX_SPAN)
    if end < 0:
        return -1
    inside, after = text[begin + 1 : end], text[end + 1 : end + 2]
    return end if _is_formula(inside, text[begin - 1 : begin], after) else -1


def _is_formula(inside: str, before: str, after: str) -> bool:
    """False for what may well be two prices or two names with a dollar in them."""
    if inside[0].isdigit() and (after.isdigit() or before.isalpha()):
        return False
    if _TEX_SIGNS.search(inside):
        return True
    if before.isalpha():
        return False  # C$D
    words = [word for word in _WORD.findall(inside) if word not in FUNCTIONS]
    return not words and not inside[0].isspace() and not inside[-1].isspace()


def _walk(source: str, position: int, depth: int, closing: str) -> tuple[str, int]:
    """Read from `position` to `closing` (or the end): the readable text and the place after it."""
    if depth > MAX_DEPTH:
        raise DoubtError(source)
    done: list[str] = []
    while position < len(source):
        char = source[position]
        if char == closing:
            return "".join(done), position + 1
        if char == "}":
            raise DoubtError(source)
        piece, position = _item(source, position, depth)
        if piece in FUNCTIONS and done and done[-1][-1:].isalnum():
            piece = f" {piece}"  # n\\log n
        done.append(piece)
    if closing:
        raise DoubtError(source)
    return "".join(done), position


def _item(source: str, position: int, depth: int) -> tuple[str, int]:
    """One thing a formula is made of: a command, a group, a raised or lowered part, or a character."""
    char = source[position]
    if char == "\\":
        return _command(source, position, depth)
    if char == "{":
        return _walk(source, position + 1, depth + 1, "}")
    if char in "^_":
        inner, end = _argument(source, position + 1, depth)
        if char == "^":
            return _raised(inner), end
        return _shifted(inner, SUBSCRIPTS, "_"), end
    if char in "&#":
        raise DoubtError(source)
    return {"~": " ", "'": "′"}.get(char, char), position + 1


def _argument(source: str, position: int, depth: int) -> tuple[str, int]:
    while source[position : position + 1].isspace():
        position += 1
    if position >= len(source) or source[position] in "^_}":
        raise DoubtError(source)
    if depth > MAX_DEPTH:
        raise DoubtError(source)
    return _item(source, position, depth + 1)


def _command(source: str, position: int, depth: int) -> tuple[str, int]:
    match = _COMMAND.match(source, position)
    if match is None:
        raise DoubtError(source)
    name, end = match.group(1), match.end()
    known = _simple(name)
    if known is not None:
        return known, end
    if name in WRAPPERS:
        return _argument(source, end, depth)
    if name in MATH_ACCENTS:
        inner, end = _argument(source, end, depth)
        return _accented(inner, MATH_ACCENTS[name]), end
    return _structure(source, name, end, depth)


def _simple(name: str) -> str | None:
    """Commands without arguments."""
    if name in ESCAPED:
        return name
    if name in FUNCTIONS:
        return name
    if name in SILENT or name in SWITCHES:
        return ""
    if name in SPACING:
        return SPACING[name]
    return OWN_SYMBOLS.get(name) or LETTERS.get(name) or _symbol(name)


@lru_cache(maxsize=KEPT_SYMBOLS)
def _symbol(name: str) -> str | None:
    """The one character pylatexenc knows for a command without arguments."""
    spec = _symbols().get_macro_spec(name)
    shown = getattr(spec, "simplify_repl", None)
    if not isinstance(shown, str) or len(shown) != 1 or not shown.isprintable() or shown.isspace():
        return None
    return shown


@cache
def _symbols() -> Any:
    return get_default_latex_context_db()


def _structure(source: str, name: str, end: int, depth: int) -> tuple[str, int]:
    if name == "mathbb":
        inner, end = _argument(source, end, depth)
        return "".join(BLACKBOARD.get(char, char) for char in inner), end
    if name in ("frac", "tfrac", "dfrac"):
        above, end = _argument(source, end, depth)
        below, end = _argument(source, end, depth)
        return f"{_grouped(above)}/{_grouped(below)}", end
    if name == "unicode" and (match := _CODE_POINT.match(source, end)):
        return _numbered(match), match.end()
    if name == "textsuperscript":
        inner, end = _argument(source, end, depth)
        return _raised(inner), end
    if name == "sqrt" and source[end : end + 1] != "[":
        inner, end = _argument(source, end, depth)
        return f"√{_grouped(inner)}", end
    if name in ACCENTS and len(name) == 1 and not name.isalpha():
        inner, end = _argument(source, end, depth)
        return _accented(inner, ACCENTS[name]), end
    raise DoubtError(source)


def _linked(match: re.Match[str]) -> str:
    """`\\href{https://…}{words}` as words and address; the address alone where they say the same."""
    address, words = match.groups()
    if words == address:
        return address
    return f"{words} ({address})"


def _numbered(match: re.Match[str]) -> str:
    shown = chr(int(match.group(1), 16))
    return shown if shown.isprintable() else match.group()


def _grouped(inner: str) -> str:
    return inner if len(inner) == 1 or inner.isalnum() else f"({inner})"


def _accented(inner: str, mark: str) -> str:
    base = {"ı": "i", "ȷ": "j"}.get(inner, inner)
    if len(unicodedata.normalize("NFC", base)) != 1 or not base[0].isalpha():
        raise DoubtError(inner)
    return unicodedata.normalize("NFC", base + mark)


def _raised(inner: str) -> str:
    return _shifted(inner, SUPERSCRIPTS, "^")


def _shifted(inner: str, table: dict[str, str], mark: str) -> str:
    """Small letters where Unicode has all of them, else `^x` or `^(a/b)`."""
    inner = inner.strip()
    if not inner:
        return ""
    if all(char in table for char in inner):
        return "".join(table[char] for char in inner)
    return f"{mark}{inner}" if inner.isalnum() or len(inner) == 1 else f"{mark}({inner})"


def _prose(text: str) -> str:
    """Accents, special letters, emphasis and escapes outside formulas."""
    text = _NUMBER_RANGE.sub("–", _QUOTED.sub(r"“\1”", text))
    if "\\" not in text:
        return text
    text = _ADDRESS.sub(r"\1", _LINK.sub(_linked, text))
    text = _accents(_ESCAPE.sub(r"\1", text))
    text = _LETTER.sub(lambda match: LETTERS[match.group("braced") or match.group("name")], text)
    for _ in range(3):  # emphasis inside emphasis
        text, count = _EMPHASIS.subn(lambda match: match.group(1) or match.group(2), text)
        if not count:
            break
    text = re.sub(r"\{(\\(?:deg|degree))\}", "°", text)
    text = _BARE_SYMBOL.sub(_bare_symbol, text)
    return text


_ESCAPE = re.compile(r"\\([%&#_$])|(?<=\.)\\(?= )")
_CODE_POINT = re.compile(r"\{x([0-9A-Fa-f]{2,4})\}")
_ADDRESS = re.compile(r"\\url\{(https?://[^{}\s\\]{1,300})\}")
_LINK = re.compile(r"\\href\{(https?://[^{}\s\\]{1,300})\}\s*\{([^{}\\]{1,300})\}")
_names = "|".join(sorted(LETTERS, key=len, reverse=True))
_LETTER = re.compile(rf"\{{\\(?P<braced>{_names})\s*\}}|\\(?P<name>{_names})(?:\{{\}}|\s+(?=[a-z])|(?![A-Za-z]))")
_wrappers = "|".join(sorted(WRAPPERS, key=len, reverse=True))
_switches = "|".join(sorted(SWITCHES, key=len, reverse=True))
_EMPHASIS = re.compile(rf"\\(?:{_wrappers})\{{([^{{}}\\]{{0,400}})\}}|\{{\\(?:{_switches})\s+([^{{}}\\]{{0,400}})\}}")
_BARE_SYMBOL = re.compile(r"(?<![A-Za-z\\:/.])\\([A-Za-z]{2,20})(?![A-Za-z{\\])")


def _bare_symbol(match: re.Match[str]) -> str:
    name = match.group(1)
    if name in FUNCTIONS or name in SILENT or name in SWITCHES or name in SPACING:
        return match.group()
    return OWN_SYMBOLS.get(name) or _symbol(name) or match.group()


def _accents(text: str) -> str:
    """`\\'e`, `\\"{o}`, `\\c{c}`, `{\\'e}`: one letter under one accent; anything else stays."""
    done: list[str] = []
    start = 0
    for mark in _ACCENT.finditer(text):
        letter = _ACCENTED.match(text, mark.end())
        if mark.start() < start or letter is None:
            continue
        base = next(part for part in letter.groups() if part)
        shown = unicodedata.normalize("NFC", base + ACCENTS[mark.group(1) or mark.group(2)])
        begin, end = mark.start(), letter.end()
        if text[begin - 1 : begin] == "{" and text[end : end + 1] == "}" and begin > start:
            begin, end = begin - 1, end + 1
        done += [text[start:begin], shown]
        start = end
    return "".join(done) + text[start:]
