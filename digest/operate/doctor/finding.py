"""What the doctor says of one thing: its state, what was seen, and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARN, BAD = "ok", "warn", "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` groups; `detail` is what was seen (never a secret); `fix` is empty where all is well."""

    area: str
    name: str
    state: str
    detail: str
    fix: str = ""


def worst(findings: Iterable[Finding]) -> str:
    """The state of the whole."""
    states = {one.state for one in findings}
    return BAD if BAD in states else WARN if WARN in states else OK
