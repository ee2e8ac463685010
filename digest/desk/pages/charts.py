"""Where the lines and boxes of a chart go. Pure geometry; templates/desk/_charts.html draws it as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 640, 180
LEFT, BOTTOM, TOP = 48, 24, 8
SPAN = HEIGHT - BOTTOM - TOP


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    part: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart, or a word beneath it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars, one column a label. `rows` are the same numbers for the table beneath."""

    title: str
    parts: tuple[str, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Tick, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True, slots=True)
class Cell:
    x: int
    y: int
    state: str
    says: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One row a name, one column a day; each cell's `says` is read out."""

    days: tuple[date, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    width: int
    height: int
    marks: tuple[Tick, ...] = ()


def stacked(title: str, parts: Sequence[str], columns: Sequence[tuple[str, Mapping[str, int]]]) -> Chart:
    """Bars of several parts each; `columns` are labels with the number of every part."""
    rows: list[tuple[str, tuple[int, ...]]] = []
    for label, values in columns:
        rows.append((label, tuple(values.get(part, 0) for part in parts)))
    top = nice(max((sum(numbers) for _, numbers in rows), default=0))
    step = (WIDTH - LEFT) / max(1, len(columns))
    every = max(1, -(-len(columns) // 8))  # one label for so many columns, rounded up
    bars: list[Bar] = []
    labels: list[Tick] = []
    for place, (label, numbers) in enumerate(rows):
        left = LEFT + place * step
        base = float(HEIGHT - BOTTOM)
        for part, value in zip(parts, numbers, strict=True):
            tall = value / top * SPAN
            if not tall:
                continue
            base -= tall
            bar = Bar(
                x=round(left + step * 0.12, 1),
                y=round(base, 1),
                width=round(step * 0.76, 1),
                height=round(tall, 1),
                part=part,
            )
            bars.append(bar)
        if place % every == 0:
            labels.append(Tick(round(left + step * 0.5, 1), label))
    return Chart(title, tuple(parts), tuple(bars), ticks(top), tuple(labels), tuple(rows))


def ticks(top: int) -> tuple[Tick, ...]:
    """Lines at nothing, a half (where that is a whole number) and the whole."""
    shares = [0, 1.0]
    if top % 2 == 0:
        shares.insert(1, 0.5)
    found = []
    for share in shares:
        found.append(Tick(round(HEIGHT - BOTTOM - SPAN * share, 1), short(top * share)))
    return tuple(found)


def short(value: float) -> str:
    """12,000 as 12k: the room beside a chart is small."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    if value >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:,.0f}"


def nice(value: int) -> int:
    """The next round number: 1, 2, 3, 4, 5, 6, 8, 10, 20 …, never 0."""
    size = 1
    while True:
        for factor in (1, 2, 3, 4, 5, 6, 8):
            if value <= size * factor:
                return size * factor
        size *= 10


STEP = 18  # a cell of 16 and a gap of 2


def heat_map(
    names: Sequence[tuple[str, str]], states: Mapping[tuple[str, date], tuple[str, str]], until: date, days: int
) -> HeatMap:
    """`names` are (slug, name); `states[(slug, day)]` is the state's word and what is said of it."""
    span = tuple(until - timedelta(days=back) for back in range(days - 1, -1, -1))
    rows = []
    for number, (slug, name) in enumerate(names):
        cells = []
        for place, day in enumerate(span):
            state, says = states.get((slug, day), ("none", f"{day}: no pull"))
            cells.append(Cell(place * STEP, number * STEP, state, says))
        rows.append((slug, name, tuple(cells)))
    return HeatMap(span, tuple(rows), days * STEP, len(names) * STEP, marks(span))


def marks(span: Sequence[date]) -> tuple[Tick, ...]:
    """The days named above the cells: each first of a month, and the Mondays at some distance from one and the end."""
    firsts = [day for day in span if day.day == 1]
    found = []
    for day in span:
        if (span[-1] - day).days < 2:
            continue
        distances = [abs((day - first).days) for first in firsts]
        is_clear_monday = day.weekday() == 0 and min(distances, default=3) > 2
        if day.day == 1 or is_clear_monday:
            found.append(Tick((day - span[0]).days * STEP, f"{day:%-d %b}"))
    return tuple(found)
