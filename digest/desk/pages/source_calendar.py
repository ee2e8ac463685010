"""The calendar of the sources: one row a source, one cell a day, by the best outcome of that day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from digest.desk.pages import charts
from digest.models import Fetch, Outcome, Source

DAYS = 35
# outcome -> the state of a cell; the best outcome first
STATES = {
    Outcome.OK: "good",
    Outcome.TRUNCATED: "warn",
    Outcome.UNCHANGED: "quiet",
    Outcome.HOLIDAY: "quiet",
    Outcome.EMPTY: "warn",
    Outcome.STALE: "warn",
    Outcome.FORMAT_ERROR: "bad",
    Outcome.FAILED: "bad",
}


def calendar(sources: Sequence[Source], today: date) -> charts.HeatMap:
    """The last DAYS days of the sources."""
    rows = Fetch.objects.filter(source__in=sources, day__gt=today - timedelta(days=DAYS), is_backfill=False)
    ranks = list(STATES)
    best: dict[tuple[str, date], int] = {}
    cells: dict[tuple[str, date], tuple[str, str]] = {}
    for slug, day, value, entries in rows.values_list("source__slug", "day", "outcome", "entries"):
        outcome = Outcome(value)
        rank = ranks.index(outcome)
        if rank < best.get((slug, day), len(ranks)):
            best[slug, day] = rank
            cells[slug, day] = (STATES[outcome], f"{day}: {outcome.label.lower()}, {entries} entries")
    return charts.heat_map([(source.slug, source.name) for source in sources], cells, today, DAYS)
