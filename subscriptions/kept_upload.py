"""A file that a form carries from one page to the next: browsers empty a file's field when a form is shown again."""

from __future__ import annotations

import base64
import zlib


def packed(body: bytes) -> str:
    """The file as a hidden field takes it; `unpacked` reads it back."""
    return base64.b64encode(zlib.compress(body, 6)).decode()


def unpacked(field: str, most: int) -> bytes:
    """At most `most` bytes of what was carried. Raises ValueError for what `packed` never made."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(field, validate=True), most)
    except zlib.error as error:
        raise ValueError("Nothing that was packed.") from error
