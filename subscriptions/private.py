"""Files and folders that only the program's own user may read: readers' addresses and letters lie in them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def folder(path: Path) -> None:
    """Make the folder, and close it to the group and to others. One that is not ours, or is shared, stays as it is.

    Raises OSError where it cannot be made.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    _close(path, 0o700)


def file(path: Path) -> None:
    """Make the file if there is none, and close it to the group and to others.

    One that cannot be made is left to whoever opens it, who can say what for.
    """
    with suppress(OSError):
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        _close(path, 0o600)


def _close(path: Path, mode: int) -> None:
    found = path.stat()
    is_shared = bool(found.st_mode & stat.S_ISVTX)  # such as /tmp
    if found.st_uid == os.getuid() and not is_shared and found.st_mode & OTHERS:
        path.chmod(mode)
