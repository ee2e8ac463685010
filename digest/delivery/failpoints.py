"""Places where a test may kill this process. Without `OFFPRINT_FAILPOINTS` they do nothing at all.

`OFFPRINT_FAILPOINTS="intended:3,settled:0.01"` ends the process with SIGKILL the third time it passes
`intended`, and with probability 0.01 each time it passes `settled`.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter

NAMES = (
    "plan.read",
    "plan.matched",
    "plan.inserted",
    "plan.moved",
    "plan.committed",
    "claim.selected",
    "claim.attempts_written",
    "claim.marked",
    "claim.committed",
    "render.begun",
    "render.done",
    "intend.checked",
    "intend.marked",
    "intend.frozen",
    "intend.committed",
    "post.before",
    "post.after",
    "settle.begun",
    "settle.attempt_closed",
    "settle.deliveries_written",
    "settle.committed",
    "recover.begun",
    "recover.marked",
    "repeat.begun",
    "evidence.stored",
    "evidence.applied",
    "release.begun",
    "release.marked",
)


def _armed(text: str) -> dict[str, float]:
    pairs = (part.split(":") for part in text.split(",") if part)
    return {name.strip(): float(value) for name, value in pairs}


_ARMED = _armed(os.environ.get("OFFPRINT_FAILPOINTS", ""))
_passed: Counter[str] = Counter()
_dice = random.Random(os.environ.get("OFFPRINT_FAILPOINTS_SEED") or None)  # noqa: S311 - not a secret


def failpoint(name: str) -> None:
    """Perhaps die here, as a power cut would: no clean-up runs."""
    if not _ARMED or name not in _ARMED:
        return
    _passed[name] += 1
    limit = _ARMED[name]
    if _passed[name] == limit if limit >= 1 else _dice.random() < limit:
        os.kill(os.getpid(), signal.SIGKILL)
