"""Reads an answer in a child process that can be killed: bytes in, `Batch` out."""

from __future__ import annotations

import json
import string
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from digest.papers.entry import Batch, CutShortError, Entry, FormatError

WALL_SECONDS = 30
MAX_BYTES = 50 * 1024 * 1024
_HOME = Path(__file__).resolve().parents[3]
_DAYS = ("published_on", "announced_on")
_LISTS = ("authors", "categories")


class KilledError(FormatError):
    """Reading the answer went over a limit and was stopped."""


def parse(kind: str, body: bytes, day: date, address: str = "") -> Batch:
    """Read `body` as `kind`, `day` being the one asked for and `address` where the bytes came from.

    Raises FormatError (or its kinds CutShortError and KilledError) with a sentence for the curator.
    """
    if len(body) > MAX_BYTES:
        raise FormatError(f"It is {len(body) // 2**20} MB; the most that is read is {MAX_BYTES // 2**20} MB.")
    if not body.strip():
        raise FormatError("It is an empty answer.")
    found = _ask_child(kind, body, day, address)
    if "batch" not in found:
        raise (KilledError if found.get("killed") else FormatError)(found["error"])
    batch = _batch(found["batch"])
    if "cut" in found:
        raise CutShortError(found["cut"], batch)
    return batch


def _ask_child(kind: str, body: bytes, day: date, address: str) -> dict[str, Any]:
    command = [sys.executable, "-E", "-s", "-m", "digest.sources.parsers.sandbox_child", kind, day.isoformat()]
    try:
        # The address comes before the bytes: a process's arguments are seen by every user of the machine.
        # Its own words only: no environment (it holds secrets), no open files, no terminal.
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command,
            input=quote(address, safe=string.punctuation).encode() + b"\n" + body,
            capture_output=True,
            timeout=WALL_SECONDS,
            cwd=_HOME,
            env={"LANG": "C.UTF-8", "HOME": "/"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KilledError(f"Reading it took more than {WALL_SECONDS} seconds and was stopped.") from error
    if done.returncode != 0 or not done.stdout:
        raise KilledError(_why(done.returncode, done.stderr))
    return dict(json.loads(done.stdout))


def _why(code: int, errors: bytes) -> str:
    if code in {-9, -24}:
        return "Reading it took more than 10 seconds of processor time and was stopped."
    if b"MemoryError" in errors or code in {-6, -11}:
        return "Reading it took more memory than allowed and was stopped."
    last = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {code}"]
    return f"Reading it failed ({last[0][:200]})."


def _batch(plain: dict[str, Any]) -> Batch:
    plain["entries"] = tuple(_entry(one) for one in plain["entries"])
    plain["problems"] = tuple(plain["problems"])
    plain["day"] = _day(plain["day"])
    return Batch(**plain)


_NAMES = frozenset(field.name for field in fields(Entry))


def _entry(plain: dict[str, Any]) -> Entry:
    values = {name: value for name, value in plain.items() if name in _NAMES}
    for name in _DAYS:
        values[name] = _day(values[name])
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Entry(**values)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    return date.fromisoformat(text)
