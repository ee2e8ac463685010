"""Header values as they go over the line: folded, and in encoded words where they are not plain ASCII.

RFC 2047, section 2: an encoded word has at most 75 characters, and a line that holds one at most 76. RFC 5322, section
2.2.3: lines are folded at spaces. No line here is empty: some programs lose a Subject whose first line is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email.utils import quote

MOST_WORD, MOST_LINE = 75, 76
FIRST_WORD = 64  # it shares its line with the header's name
START, END = {"q": "=?utf-8?q?", "b": "=?utf-8?b?"}, "?="
# Octets that stand for themselves in a word that may be part of a name (RFC 2047, section 5, rule 3).
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_QUOTED = {octet: chr(octet) if octet in _PLAIN else f"={octet:02X}" for octet in range(256)} | {0x20: "_"}
_ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ")


def text(value: str) -> str:
    """A free text such as a subject: as it is in ASCII, else as encoded words."""
    if value.isascii() and "=?" not in value:
        return value
    return " ".join(_words(value))


def mailbox(name: str, address: str) -> str:
    """`name <address>`: the name quoted or encoded where it must be; the bare address without a name."""
    return f"{phrase(name)} <{address}>" if name else address


def phrase(name: str) -> str:
    """A name in front of an address or a list's id."""
    if not name.isascii() or "=?" in name:
        return " ".join(_words(name))
    return name if _ATOM.issuperset(name) else f'"{quote(name)}"'


def folded(header: str, value: str) -> str:
    """The value of `header` on lines of at most 76 characters where its spaces allow it."""
    lines: list[str] = []
    line = ""
    room = MOST_LINE - len(f"{header}: ")
    for piece in value.split(" "):
        if line.strip() and piece and len(line) + 1 + len(piece) > room:
            lines.append(line)
            line, room = piece, MOST_LINE - 1
        else:
            line = f"{line} {piece}" if line else piece
    return "\r\n ".join([*lines, line])


class Folded:
    """A value that the email package writes as it is: it asks anything that is no string to encode itself."""

    def __init__(self, header: str, value: str) -> None:
        self.value = value
        self.lines = folded(header, value)

    def encode(self, splitchars: str = "", maxlinelen: int | None = None, linesep: str = "\n") -> str:
        return self.lines.replace("\r\n", linesep)

    def __str__(self) -> str:
        return self.value


def _words(value: str) -> Iterator[str]:
    """Encoded words that hold whole characters each."""
    kind = _shorter(value)
    around = len(START[kind] + END)
    word, most = b"", FIRST_WORD
    for character in value:
        octets = character.encode("utf-8", "replace")
        if word and around + _size(word + octets, kind) > most:
            yield _word(word, kind)
            word, most = b"", MOST_WORD
        word += octets
    yield _word(word, kind)


def _shorter(value: str) -> str:
    octets = value.encode("utf-8", "replace")
    return min("qb", key=lambda kind: _size(octets, kind))


def _size(octets: bytes, kind: str) -> int:
    if kind == "b":
        return (len(octets) + 2) // 3 * 4
    return sum(len(_QUOTED[octet]) for octet in octets)


def _word(octets: bytes, kind: str) -> str:
    if kind == "b":
        return START["b"] + base64.b64encode(octets).decode() + END
    return START["q"] + "".join(map(_QUOTED.__getitem__, octets)) + END
