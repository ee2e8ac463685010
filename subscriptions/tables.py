"""A table out of a CSV file, whichever spreadsheet wrote it: its own separator, encoding and line ends.

Excel separates by semicolons where a comma is the decimal sign, writes "Unicode text" as UTF-16 with tabs, and may put
a line `sep=;` first (https://support.microsoft.com: "Import or export text (.txt or .csv) files").
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from subscriptions.bibliography import decoded
from subscriptions.query import tokenizer

SEPARATORS = (",", ";", "\t")
_declared = re.compile(r"\"?sep=([,;\t])[\",;\t ]*[\r\n]", re.IGNORECASE)
_between = re.compile(r"[\s_.-]+")


class TableError(ValueError):
    """The file is no table with the columns asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `number` is its last line in the file (from 1), `cells` go by the column's name."""

    number: int
    cells: dict[str, str]

    @property
    def is_readable(self) -> bool:
        """False where a cell holds a NUL or half a surrogate pair, which no text has and no database stores."""
        return all(tokenizer.is_storable(cell) for cell in self.cells.values())


@dataclass(frozen=True, slots=True)
class Table:
    """The rows with anything in them, and the columns that were passed over, as the file names them."""

    rows: tuple[Row, ...]
    passed_over: tuple[str, ...]


def read(content: bytes, known: Collection[str], needed: str, aliases: Mapping[str, str]) -> Table:
    """The columns `known`, of which `needed` must be there; `aliases` are other names for them. Raises TableError.

    Case, spaces, hyphens and underscores of a column's name do not matter.
    """
    text, skipped, declared = _body(decoded(content).lstrip("\ufeff"))
    names = {_plain(name): name for name in known}
    names |= {_plain(other): name for other, name in aliases.items()}
    separators = (declared,) if declared else SEPARATORS
    lines = _lines(text, max(separators, key=lambda one: _width(text, one, names, needed)))
    try:
        _, header = next(lines, (0, []))
        columns = _columns(header, names, needed)
        return _table([(skipped + number, cells) for number, cells in lines], header, columns)
    except csv.Error as error:
        raise TableError(f"The file is no CSV file ({error}). Save it as one.") from error


def _body(text: str) -> tuple[str, int, str]:
    """The text from its header on, how many lines stand before that, and the separator that Excel's line declares."""
    lines = list(io.StringIO(text, newline=""))
    first = next((at for at, line in enumerate(lines) if line.strip(" \t,;\r\n")), len(lines))
    found = _declared.match(lines[first]) if first < len(lines) else None
    start = first + 1 if found else first
    return "".join(lines[start:]), start, found[1] if found else ""


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for cells in reader:
        yield reader.line_num, cells


def _width(text: str, separator: str, names: Mapping[str, str], needed: str) -> tuple[bool, int]:
    """How well a separator divides the header: whether it shows the needed column, and how many known ones."""
    try:
        _, header = next(_lines(text, separator), (0, []))
    except csv.Error:
        return False, 0
    found = {names.get(_plain(cell), "") for cell in header} - {""}
    return needed in found, len(found)


def _columns(header: list[str], names: Mapping[str, str], needed: str) -> dict[int, str]:
    """The known columns by their place. Raises TableError."""
    columns = {at: names[_plain(cell)] for at, cell in enumerate(header) if _plain(cell) in names}
    if needed not in columns.values():
        known = ", ".join(dict.fromkeys(names.values()))
        raise TableError(f"The first line must name the columns; there is no column called {needed!r}. Known: {known}.")
    twice = [name for name, count in Counter(columns.values()).items() if count > 1]
    if twice:
        raise TableError(f"Two columns are called {twice[0]!r}. Keep one of them.")
    return columns


def _table(lines: list[tuple[int, list[str]]], header: list[str], columns: dict[int, str]) -> Table:
    rows = []
    passed_over = {at: cell.strip() for at, cell in enumerate(header) if cell.strip() and at not in columns}
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        rows.append(Row(number, {name: cells[at] for at, name in columns.items() if at < len(cells)}))
        for at, cell in enumerate(cells):
            if cell.strip() and at not in columns:
                passed_over.setdefault(at, f"column {at + 1}, which has no name")
    return Table(tuple(rows), tuple(_shown(passed_over[at]) for at in sorted(passed_over)))


def _plain(name: str) -> str:
    return _between.sub("", name).casefold()


def _shown(name: str) -> str:
    """A column's name as a terminal and a page can show it."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)[:60]
