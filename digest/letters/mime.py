"""The MIME form of a letter (RFC 2045, RFC 2046): quoted-printable pieces encoded once, and the message around them.

Quoted-printable lets pieces be encoded apart: every placeholder lies between two soft line breaks, so what is
filled in needs no look at what stands around it.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from digest.letters.placeholders import PlaceholderText
from subscriptions.mail import header_text

EOL = b"\r\n"
SOFT = b"=\r\n"  # a soft line break: decodes to nothing
# In quoted-printable text `=` is always followed by two hex digits or a line's end, so this never occurs in it.
BOUNDARY = b"=_offprint_letter"
_PART = b'--%s\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
TEXT, HTML = _PART % (BOUNDARY, b"plain"), _PART % (BOUNDARY, b"html")
END = b"--%s--\r\n" % BOUNDARY
MULTIPART = b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="%s"\r\n\r\n' % BOUNDARY
ALONE = b"MIME-Version: 1.0\r\n" + TEXT.split(EOL, 1)[1]
OWN_LINE = 72
Pieces = list[bytes]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text with placeholders in quoted-printable.

    `parts` has the parts at even places and room for a placeholder's value between them; `names` are the
    placeholders in their order, and `select` puts given values in that order.
    """

    parts: Pieces
    names: tuple[str, ...]
    select: Callable[[Sequence[bytes]], Sequence[bytes]]

    def fill(self, *values: bytes) -> Pieces:
        """The parts with encoded values between them, as pieces to be joined once.

        `values` are those of the names that `encoded` was called with.
        """
        pieces = self.parts.copy()
        pieces[1::2] = self.select(values)
        return pieces

    def join(self, values: Mapping[str, bytes], blocks: Mapping[str, Pieces]) -> Pieces:
        """As `fill`, by name; some values are pieces themselves, so that long ones are not copied on the way."""
        pieces = [self.parts[0]]
        for name, part in zip(self.names, self.parts[2::2], strict=True):
            if name in blocks:
                pieces += blocks[name]
            else:
                pieces.append(values[name])
            pieces.append(part)
        return pieces


def encode(text: str) -> bytes:
    """Quoted-printable, lines ending in CRLF."""
    return binascii.b2a_qp(text.encode()).replace(b"\n", EOL)


def decode(pieces: Iterable[bytes]) -> str:
    """The text that the pieces are the quoted-printable form of, lines ending in LF."""
    return binascii.a2b_qp(b"".join(pieces)).replace(EOL, b"\n").decode()


def encoded(text: PlaceholderText, *names: str) -> Encoded:
    """The parts encoded so that anything may come between them; `names` are those `fill` gets values for."""
    parts: Pieces = [encode(text.parts[0])]
    for part in text.parts[1:]:
        parts[-1] += SOFT
        parts += [b"", SOFT + encode(part)]
    places = [names.index(name) for name in text.names if name in names]
    if len(places) > 1:
        return Encoded(parts, text.names, itemgetter(*places))
    return Encoded(parts, text.names, lambda values: [values[place] for place in places])


def address(url: str) -> bytes:
    """One of our own addresses (ASCII) as a placeholder's value, in lines that quoted-printable allows."""
    if "=" in url:
        return encode(url)
    raw = url.encode("ascii")
    if len(raw) <= OWN_LINE:
        return raw
    return SOFT.join([raw[at : at + OWN_LINE] for at in range(0, len(raw), OWN_LINE)])


def message(head: Iterable[bytes], text: Pieces, html: Pieces) -> bytes:
    """Every byte of a mail with both bodies, or with the text alone where there is no HTML."""
    if not html:
        return b"".join([*head, ALONE, *text])
    return b"".join([*head, MULTIPART, TEXT, *text, EOL, HTML, *html, EOL, END])


def subject(text: str) -> bytes:
    """The Subject header of one line of text; words that are not ASCII are encoded (RFC 2047)."""
    return lines({"Subject": header_text.text(text)}, ["Subject"])


def lines(values: Mapping[str, str], names: Sequence[str]) -> bytes:
    """The named headers, in this order."""
    return "".join([f"{name}: {header_text.folded(name, values[name])}\r\n" for name in names]).encode()
