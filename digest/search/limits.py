"""How long one search may keep the database busy."""

from __future__ import annotations

SECONDS = 5.0


class TooSlowError(Exception):
    """The search was given up: its words are too common, or too many begin as asked."""
