"""What is said when a query cannot be read."""

from __future__ import annotations


class QueryError(ValueError):
    """The query cannot be used. `message` is a plain sentence; `column` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class ProseError(QueryError):
    """What could not be read may be punctuation: a title's colon, a dash between words."""
