"""Where the lines and boxes of a chart go. Pure geometry; templates/desk/_charts.html draws it as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 640, 180
LEFT, BOTTOM, TOP = 48, 24, 8


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
    top = nice(max((sum(values.get(part, 0) for part in parts) for _, values in columns), default=0))
    step = (WIDTH - LEFT) / max(1, len(columns))
    bars: list[Bar] = []
    for place, (_, values) in enumerate(columns):
        base = float(HEIGHT - BOTTOM)
        for part in parts:
            tall = values.get(part, 0) / top * (HEIGHT - BOTTOM - TOP)
            if tall:
                base -= tall
                bars.append(
                    Bar(
                        round(LEFT + place * step + step * 0.12, 1),
                        round(base, 1),
                        round(step * 0.76, 1),
                        round(tall, 1),
                        part,
                    )
                )
    every = max(1, -(-len(columns) // 8))
    labels = tuple(
        Tick(round(LEFT + (place + 0.5) * step, 1), label)
        for place, (label, _) in enumerate(columns)
        if place % every == 0
    )
    rows = tuple((label, tuple(values.get(part, 0) for part in parts)) for label, values in columns)
    return Chart(title, tuple(parts), tuple(bars), _ticks(top), labels, rows)


def _ticks(top: int) -> tuple[Tick, ...]:
    """Lines at nothing, a half and the whole."""
    span = HEIGHT - BOTTOM - TOP
    return tuple(
        Tick(round(HEIGHT - BOTTOM - span * share, 1), _short(top * share))
        for share in ((0, 0.5, 1) if top % 2 == 0 else (0, 1))
    )


def _short(value: float) -> str:
    """12,000 as 12k: the room beside a chart is small."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,.0f}"


def nice(value: int) -> int:
    """The next round number: 1, 2, 3, 4, 5, 6, 8, 10, 20 …, never 0."""
    size = 1
    while True:
        for factor in (1, 2, 3, 4, 5, 6, 8):
            if value <= size * factor:
                return size * factor
        size *= 10


CELL, GAP = 16, 2


def heat_map(
    names: Sequence[tuple[str, str]], states: Mapping[tuple[str, date], tuple[str, str]], until: date, days: int
) -> HeatMap:
    """`names` are (slug, name); `states[(slug, day)]` is the state's word and what is said of it."""
    span = tuple(until - timedelta(days=back) for back in range(days - 1, -1, -1))
    rows = []
    for number, (slug, name) in enumerate(names):
        cells = tuple(
            Cell(place * (CELL + GAP), number * (CELL + GAP), *states.get((slug, day), ("none", f"{day}: no pull")))
            for place, day in enumerate(span)
        )
        rows.append((slug, name, cells))
    return HeatMap(span, tuple(rows), days * (CELL + GAP), len(names) * (CELL + GAP), _marks(span))


def _marks(span: Sequence[date]) -> tuple[Tick, ...]:
    """The days named above the cells: each first of a month, and the Mondays that stand clear of one and of the end."""
    firsts = [day for day in span if day.day == 1]
    clear = [day for day in span if day.weekday() == 0 and all(abs((day - first).days) > 2 for first in firsts)]
    named = sorted(day for day in {*firsts, *clear} if (span[-1] - day).days >= 2)
    return tuple(Tick((day - span[0]).days * (CELL + GAP), f"{day:%-d %b}") for day in named)
