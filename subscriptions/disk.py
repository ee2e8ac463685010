"""A disk without room, told by whatever met it: the file system, SQLite or PostgreSQL."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
SQLITE_FULL = "SQLITE_FULL"
# SQLite's word for any failed write; it means a full disk where there is hardly any room left.
SQLITE_FAILED = "SQLITE_IOERR"
DISK_FULL = "53100"  # PostgreSQL, appendix A: disk_full
HARDLY_ANY = 1_048_576  # bytes


def is_full(error: BaseException | None) -> bool:
    """Whether the error, or one that caused it, says that there is no room left."""
    while error is not None:
        if _says_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and not isinstance(error, DatabaseError):
        return error.errno in FULL
    sqlite = str(getattr(error, "sqlite_errorname", ""))
    if sqlite == SQLITE_FULL or getattr(error, "sqlstate", "") == DISK_FULL:
        return True
    return sqlite.startswith(SQLITE_FAILED) and _room(Path(settings.VAR_DIR)) < HARDLY_ANY


def _room(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def sentence(error: BaseException) -> str:
    """What an operator is told; empty where the disk is not the trouble."""
    if not is_full(error):
        return ""
    name = getattr(error, "filename", None)
    where = f"of {name}" if name else f"of the database or of {settings.VAR_DIR}"
    return f"The disk {where} is full. Make room, then run this again."
