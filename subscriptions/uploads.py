"""A reading list brought as a file, which the form carries on (`carrying.py`).

What is carried is the visitor's own file, packed; it is read anew each time it comes back, as if it came first.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile

from subscriptions import bibliography, kept_upload
from subscriptions.bibliography import ListError, ParseResult

MOST_BYTES = 5_000_000
# Packed text of a real list is a third of it; what does not pack is hardly a list.
MOST_CARRIED = 3_000_000
LONGEST_NAME = 80


@dataclass(frozen=True)
class Brought:
    """A file that was read: its name, its text, and what the text holds."""

    name: str
    text: str
    shelf: ParseResult

    @property
    def carried(self) -> str:
        """The file as a hidden field takes it; `carried_on` reads it back."""
        return kept_upload.packed(f"{self.name}\n{self.text}".encode())


def taken(upload: UploadedFile[bytes]) -> Brought:
    """The file just sent. Raises ListError, whose message says what to bring instead."""
    if (upload.size or 0) > MOST_BYTES:
        most = MOST_BYTES // 1_000_000
        raise ListError(f"A file may have {most} MB. Export it without abstracts and notes, or bring a part of it.")
    brought = _read(upload.name or "", bibliography.decoded(upload.read(MOST_BYTES + 1)))
    if len(brought.carried) > MOST_CARRIED:
        raise ListError("This file holds too much that is no list of papers. Bring a part of it.")
    return brought


def carried_on(field: str) -> Brought | None:
    """The file a form carried; None for an empty field or one that was tampered with. Raises ListError as `taken`."""
    if not field or len(field) > MOST_CARRIED:
        return None
    try:
        text = kept_upload.unpacked(field, 2 * MOST_BYTES).decode()
    except ValueError:
        return None
    name, _, text = text.partition("\n")
    return _read(name, text)


def _read(name: str, text: str) -> Brought:
    name = "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]
    shelf = bibliography.read(text)
    if not shelf.references:
        why = f" {shelf.bad[0]}" if shelf.bad else ""
        raise ListError(f"No paper was found in {name or 'this file'}.{why}")
    return Brought(name or "your file", text, shelf)
