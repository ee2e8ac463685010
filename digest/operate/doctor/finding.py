"""One finding of the doctor: its state, what was seen, and the fix."""

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
    """The worst state among the findings."""
    states = {one.state for one in findings}
    if BAD in states:
        return BAD
    if WARN in states:
        return WARN
    return OK


NAMED = 3  # of many with one cause


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for one cause: those of an area that are not OK and have the same detail are merged."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for number, one in enumerate(findings):
        cause: tuple[str, ...] = (one.area, one.state, one.detail)
        if one.state == OK:
            cause += (str(number),)
        groups.setdefault(cause, []).append(one)
    found = []
    for group in groups.values():
        names = ", ".join(one.name for one in group[:NAMED])
        if len(group) > NAMED:
            names += f" and {len(group) - NAMED} more"
        found.append(replace(group[0], name=names))
    return found
