"""The arithmetic of a channel's rate: it falls by half and rises by a tenth (AIMD). Pure; rates in letters a second."""

from __future__ import annotations

LOWEST = 0.1  # one letter every ten seconds still finds out when the provider takes more again
FALL = 0.5
RISE = 0.1  # of the configured rate, after each chunk that went through
BURST = 2.0  # seconds' worth of letters that may be saved up
UNLIMITED = 1000.0  # above this a channel without a configured rate is not limited any more


def size(rate: float) -> float:
    """How many letters may be saved up."""
    return max(1.0, rate * BURST)


def slower(rate: float) -> float:
    """The rate after the provider asked for less."""
    return max(LOWEST, rate * FALL)


def faster(rate: float, ceiling: float | None) -> float | None:
    """The rate after a chunk without complaint; None once it is without limit again."""
    if ceiling is not None:
        return min(ceiling, rate + ceiling * RISE)
    if rate >= UNLIMITED:
        return None
    return rate * (1 + RISE)
