"""A site's own letter templates: proved in a child, then taken into use whole; the last good ones stay until then.

A folder holds any of the files of templates/email; what it lacks is Offprint's own. They run in Jinja's sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings

PATIENCE = 30  # seconds of waiting; the processor time is limited by the child itself
MAX_BYTES = 200_000
KINDS = (".html", ".txt", ".css")


def active() -> Path:
    """The folder in use; engines look here first."""
    return Path(settings.VAR_DIR) / "letter" / "active"


def check(folder: Path) -> list[str]:
    """What is wrong with the templates in `folder`; empty where they may be used."""
    found = _files(folder)
    if isinstance(found, str):
        return [found]
    with tempfile.TemporaryDirectory(prefix="offprint-proof-") as trial:
        _copy(found, Path(trial))
        return _prove(Path(trial))


def activate(folder: Path) -> list[str]:
    """Check, and take into use where nothing is wrong. Processes that run already see it once restarted."""
    wrong = check(folder)
    if not wrong:
        found = _files(folder)
        new = active().with_name("next")
        shutil.rmtree(new, ignore_errors=True)
        _copy([] if isinstance(found, str) else found, new)
        reset()
        os.replace(new, active())
    return wrong


def reset() -> None:
    """Back to Offprint's own templates."""
    shutil.rmtree(active(), ignore_errors=True)


def _files(folder: Path) -> list[Path] | str:
    """The templates in a folder, or the sentence that says why it cannot be used."""
    place = folder / "email" if (folder / "email").is_dir() else folder
    if not place.is_dir():
        return f"{folder} is not a folder."
    known = {path.name for path in (Path(settings.BASE_DIR) / "templates" / "email").iterdir()}
    found = [path for path in sorted(place.iterdir()) if path.suffix in KINDS]
    if not found:
        return f"{folder} holds no template. Copy one from templates/email and change it."
    for path in found:
        if path.name not in known:
            return f"{path.name} is not a template of the letters. The names are those in templates/email."
        if path.is_symlink() or path.stat().st_size > MAX_BYTES:
            return f"{path.name} is too big, or not a plain file."
    return found


def _copy(files: list[Path], target: Path) -> None:
    (target / "email").mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, target / "email" / path.name)


def _prove(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "digest.letters.proof", str(folder)]
    try:
        done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return ["The templates take too long to print."]
    if done.returncode < 0:
        return ["The templates take too much time or memory: is there a loop without an end?"]
    try:
        return [str(line) for line in json.loads(done.stdout)]
    except ValueError:
        return [f"The templates could not be tried: {done.stderr.decode(errors='replace')[-300:]}"]
