"""Log lines that give nobody away: no token of a signed link, no e-mail address, whoever wrote the line."""

from __future__ import annotations

import logging
import re

# A signed link is one letter and a long word: /u/<token>/.
_TOKEN = re.compile(r"(/[a-z]/)[A-Za-z0-9_:.=~-]{12,}")
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


def discreet(text: str) -> str:
    return _ADDRESS.sub("…@…", _TOKEN.sub(r"\1…", text))


class Discreet(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))
