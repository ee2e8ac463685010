"""Keeps a letter under the size where Gmail clips it.

The last papers get smaller cards; those that still do not fit are shown on the web.
"""

from __future__ import annotations

from collections.abc import Callable

from digest.letters.cards import LEVELS, Level

HTML_BYTES = 90_000  # Gmail clips at 102 KB; the rest is left for what a provider adds (links rewritten, a pixel)


def fit(count: int, wanted: Level, room: int, size: Callable[[int, Level], int]) -> list[Level | None]:
    """A level for each of `count` cards so that they fit into `room` bytes; None where even the title does not.

    `size(n, level)` is the bytes of card n at a level. All cards keep the wanted level where they can; else the
    last cards step down first, one level at a time, and only then do titles leave, the last first.
    """
    levels: list[Level | None] = [wanted] * count
    sizes = [size(n, wanted) for n in range(count)]
    total = sum(sizes)
    smaller = LEVELS[LEVELS.index(wanted) + 1 :]
    for level in (*smaller, None):
        for n in reversed(range(count)):
            if total <= room:
                return levels
            total -= sizes[n]
            levels[n] = level
            if level:
                sizes[n] = size(n, level)
                total += sizes[n]
    return levels
