"""CSL JSON, as Zotero and other reference managers export it: a list of items with `title`, `DOI`, `URL`, `author`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from subscriptions.bibliography.entries import BadEntry, Reference, identifier
from subscriptions.bibliography.texts import plain, squeezed, titled

_opening = re.compile(r"\s*\[\s*")
_comma = re.compile(r"\s*,\s*")
_IDS = ("DOI", "URL", "number", "archive_location", "note", "id")


class NotJsonError(ValueError):
    """The text begins as JSON does, and is none; the message says where it ends being so."""


def read(text: str) -> Iterator[Reference | BadEntry]:
    """Every item of a file, taken or named by its number; of a file cut short, what stands before the cut.

    Raises NotJsonError.
    """
    try:
        items = json.loads(text)
    except RecursionError:
        raise NotJsonError("it is nested deeper than any list of papers") from None
    except ValueError as error:
        return _cut_short(text, error)
    rows = items if isinstance(items, list) else [items]
    return (_item(number, row) for number, row in enumerate(rows, start=1))


def _cut_short(text: str, error: ValueError) -> Iterator[Reference | BadEntry]:
    """The items before the place where a list stops being JSON, and a word about that. Raises NotJsonError."""
    items = list(_whole_items(text))
    if not items:
        raise NotJsonError(str(error)) from error
    number = len(items) + 1
    why = f"The file is cut short or broken here ({error}); it is read up to this item. Export it anew."
    taken = (_item(at, item) for at, item in enumerate(items, start=1))
    return chain(taken, [BadEntry(getattr(error, "lineno", 0), f"Item {number}", why)])


def _whole_items(text: str) -> Iterator[object]:
    reader = json.JSONDecoder()
    found = _opening.match(text)
    while found:
        try:
            item, at = reader.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            return
        yield item
        found = _comma.match(text, at)


def _item(number: int, item: Any) -> Reference | BadEntry:
    if not isinstance(item, dict):
        return BadEntry(0, f"Item {number}", "It is not an item with a title or an id.")
    title = plain(_text(item, "title"))
    found = next(filter(None, (identifier(_text(item, name)) for name in _IDS)), "")
    if not found and not titled(title):
        return BadEntry(0, f"Item {number}", "It has neither a title nor an arXiv id nor a DOI.")
    return Reference(found or titled(title), title, squeezed(_text(item, "abstract")), _authors(item.get("author")))


def _authors(people: Any) -> tuple[str, ...]:
    named = people if isinstance(people, list) else []
    names = (f"{_text(one, 'given')} {_text(one, 'family')}" for one in named if isinstance(one, dict))
    return tuple(filter(None, map(squeezed, names)))


def _text(item: dict[str, Any], name: str) -> str:
    """A field as text that a database takes: no NUL, no half of a surrogate pair."""
    value = item.get(name)
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
