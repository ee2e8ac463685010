"""Text with named placeholders, rendered once and filled once a letter.

A template is rendered with `placeholder("name")` in place of what differs from reader to reader; `cut` takes the
result apart at these marks. Marks are private-use characters, which `text.one_line` takes out of every feed's
text, so no paper can make a placeholder of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{OPEN}([a-z_]+){CLOSE}")


@dataclass(frozen=True, slots=True)
class PlaceholderText:
    """`parts[0] names[0] parts[1] … parts[-1]`; `size` counts the UTF-8 bytes of the parts."""

    parts: tuple[str, ...]
    names: tuple[str, ...]
    size: int


def placeholder(name: str) -> str:
    return f"{OPEN}{name}{CLOSE}"


def cut(rendered: str) -> PlaceholderText:
    """The parts and placeholders of a rendered text."""
    pieces = _MARK.split(rendered)
    parts = tuple(pieces[::2])
    return PlaceholderText(parts, tuple(pieces[1::2]), len("".join(parts).encode()))
