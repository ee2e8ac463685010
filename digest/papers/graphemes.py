"""Where a text may be cut: between two characters as readers see them (Unicode Standard Annex 29), never inside one."""

from __future__ import annotations

import unicodedata

LONGEST = 64  # code points looked back on: a longer pile of marks is no character of any script
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_VIRAMA = 9  # the canonical combining class of the signs that join two consonants


def whole(text: str, length: int) -> str:
    """The first `length` code points of `text`, or a few less where the cut would part one character.

    It is empty where the first character is longer than that.
    """
    end = min(length, len(text))
    least = max(0, end - LONGEST)
    place = end
    while place > least and _is_inside(text, place):
        place -= 1
    is_pile = place == least > 0
    return text[:end] if is_pile else text[:place]


def _is_inside(text: str, place: int) -> bool:
    """True if the code points before and at `place` belong to one character."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if before.isascii() and after.isascii():
        return False
    if before == _JOINER or _extends(after):
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters(text, place) % 2 == 1
    return unicodedata.combining(before) == _VIRAMA and after.isalpha()


def _extends(char: str) -> bool:
    """True for marks, joiners, variation selectors, skin tones and the tags that spell a flag."""
    if unicodedata.category(char) in {"Mn", "Mc", "Me"} or char in {_JOINER, _NON_JOINER}:
        return True
    return "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_letters(text: str, place: int) -> int:
    """How many regional indicators stand in a row before `place`; two of them are one flag."""
    start = place
    while start > 0 and place - start < LONGEST and _is_flag_letter(text[start - 1]):
        start -= 1
    return place - start
