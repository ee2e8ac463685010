"""How fast a channel may go: a token bucket whose rate falls fast and recovers slowly (AIMD). Pure."""

from __future__ import annotations

LOWEST = 0.1  # letters a second: one every ten seconds still finds out when the provider is well again
FALL = 0.5
RISE = 0.1  # of the configured rate, after each chunk that went through
BURST = 2.0  # seconds' worth of letters that may be saved up


def size(rate: float) -> float:
    """Letters that may be saved up."""
    return max(1.0, rate * BURST)


def slower(rate: float) -> float:
    """After the provider asked for less."""
    return max(LOWEST, rate * FALL)


def faster(rate: float, ceiling: float | None) -> float | None:
    """After a chunk without complaint; None once it is back at "without limit"."""
    if ceiling is None:
        return None if rate >= UNLIMITED else rate * (1 + RISE)
    return min(ceiling, rate + ceiling * RISE)


UNLIMITED = 1000.0  # above this a channel without a configured rate is not limited any more
