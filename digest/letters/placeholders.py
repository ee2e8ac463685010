"""Text with named holes: rendered once a day, filled once a letter.

A template is rendered with `hole("name")` in place of what differs from reader to reader; `cut` takes
the result apart at these marks, `fill` puts it together again. Marks are private-use characters, which
`words.one_line` takes out of every feed's text, so no paper can open a hole of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{OPEN}([a-z_]+){CLOSE}")


@dataclass(frozen=True, slots=True)
class PlaceholderText:
    """`parts[0] holes[0] parts[1] … parts[-1]`; `size` counts the UTF-8 bytes of the parts."""

    parts: tuple[str, ...]
    holes: tuple[str, ...]
    size: int

    def fill(self, values: Mapping[str, str]) -> str:
        done = [self.parts[0]]
        for name, part in zip(self.holes, self.parts[1:], strict=True):
            done += [values[name], part]
        return "".join(done)


def placeholder(name: str) -> str:
    return f"{OPEN}{name}{CLOSE}"


def cut(rendered: str) -> PlaceholderText:
    """The pattern in a rendered text."""
    pieces = _MARK.split(rendered)
    parts, holes = tuple(pieces[::2]), tuple(pieces[1::2])
    return PlaceholderText(parts, holes, sum(len(part.encode()) for part in parts))
