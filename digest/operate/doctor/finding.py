"""What the doctor says of one thing: its state, what was seen, and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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


NAMED = 3  # of many with one cause


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One line for one cause: findings of an area that are not well and say the same are told together."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for number, one in enumerate(findings):
        unlike = str(number) if one.state == OK else ""
        groups.setdefault((one.area, one.state, one.detail, unlike), []).append(one)
    return [replace(group[0], name=_names(group)) for group in groups.values()]


def _names(group: list[Finding]) -> str:
    names = ", ".join(one.name for one in group[:NAMED])
    return f"{names} and {len(group) - NAMED} more" if len(group) > NAMED else names
