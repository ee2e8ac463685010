"""How far each ledger had come when it last sent from this machine: kept in two files outside the database.

One lies in `VAR_DIR`, the other in `STATE_DIR`, so that a `var/` that is put back together with its database still
shows up as older. Both hold JSON: the ledger's name -> the number of its newest attempt that was begun.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

NAME = "ledger.json"
MOST_KEPT = 50  # ledgers a file remembers; trials on one machine add up

Known = dict[str, int]  # ledger's name -> its newest attempt


def in_var() -> Path:
    return Path(settings.VAR_DIR) / NAME


def in_state() -> Path:
    return Path(settings.STATE_DIR) / NAME


def read(path: Path) -> Known:
    """What the file remembers; nothing where it is absent or cannot be read."""
    try:
        document = json.loads(path.read_text())
        if "epoch" in document:  # as written by the first version: one ledger a file
            return {str(document["epoch"]): int(document["attempt"])}
        return {str(name): int(attempt) for name, attempt in document["ledgers"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def newest(ledger: str) -> int:
    """The newest attempt that any file knows of this ledger; 0 where none does."""
    return max(read(path).get(ledger, 0) for path in (in_var(), in_state()))


def note(ledger: str, attempt: int) -> None:
    """Remember in both files that `ledger` has come as far as `attempt`; a file never goes backwards.

    A file that cannot be written is left out: `doctor` says so.
    """
    for path in (in_var(), in_state()):
        try:
            _note(path, ledger, attempt)
        except OSError:
            continue


def _note(path: Path, ledger: str, attempt: int) -> None:
    if read(path).get(ledger, -1) >= attempt:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path):
        known = read(path)
        attempt = max(attempt, known.pop(ledger, 0))
        kept = list(known.items())[1 - MOST_KEPT :]
        document = {"ledgers": {**dict(kept), ledger: attempt}, "at": datetime.now(UTC).isoformat()}
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        unfinished.write_text(json.dumps(document))
        os.replace(unfinished, path)


def forget_first_version() -> None:
    """Drop the first version's file: it also counted attempts that were claimed and never begun."""
    path = in_var()
    if not path.exists():
        return
    with _locked(path):
        try:
            is_of_first_version = "epoch" in json.loads(path.read_text())
        except (OSError, ValueError, TypeError):
            return
        if is_of_first_version:
            path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, of any process of this machine."""
    with path.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def trouble() -> str:
    """A sentence where the second file cannot be written; empty if all is well."""
    folder = Path(settings.STATE_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return f"{folder} cannot be made ({error.strerror})"
    if not os.access(folder, os.W_OK):
        return f"{folder} cannot be written to"
    if folder.resolve().is_relative_to(Path(settings.VAR_DIR).resolve()):
        return f"{folder} lies in VAR_DIR, and so in the same backup"
    return ""
