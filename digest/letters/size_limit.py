"""Keeps a letter under the size where Gmail cuts it off.

The last papers get smaller cards; those that still do not fit go to the web.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from digest.letters.cards import LEVELS, Level

HTML_BYTES = 90_000  # Gmail clips at 102 KB; the rest is left for what a provider adds (links rewritten, a pixel)


def fit(count: int, wanted: Level, room: int, size: Callable[[int, Level], int]) -> list[Level | None]:
    """A level for each of `count` cards so that they fit into `room` bytes; None where even the title does not.

    `size(n, level)` is the bytes of card n at a level. All cards keep the wanted level where they can; else the
    last cards step down first, one level at a time, and only then do titles leave, the last first.
    """
    levels: list[Level | None] = [wanted] * count
    total = sum(size(n, wanted) for n in range(count))
    steps = LEVELS[LEVELS.index(wanted) :]
    for level, smaller in zip(steps, [*steps[1:], None], strict=True):
        for n in reversed(range(count)):
            if total <= room:
                return levels
            total -= size(n, level) - (size(n, smaller) if smaller else 0)
            levels[n] = smaller
    return levels


def shown(levels: Sequence[Level | None]) -> int:
    """How many cards are left on the letter."""
    return sum(level is not None for level in levels)
