"""The judged collections, read from their published files into tasks. They are not part of the project."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digest.matching.paper_text import PaperText

PROFILE = 5
PARTS = {"tune": 0, "report": 1}
TUNED_REVIEWS = {"ADHD"}


@dataclass(frozen=True, slots=True)
class Task:
    """One question: `profile` are liked papers (places), or `text` sentences; `candidates` are judged by `good`."""

    candidates: NDArray[np.int64]
    good: NDArray[np.bool_]
    profile: NDArray[np.int64] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    name: str
    papers: list[PaperText]
    tasks: list[Task]


def citeulike(folder: Path, part: str) -> Collection:
    """Libraries of CiteULike users: the five papers that entered first, and which later ones they took."""
    rows = [json.loads(line) for line in _text(folder / "citeulike-a_repaired" / "papers.jsonl").split("\n") if line]
    place = {row["item"]: number for number, row in enumerate(rows)}  # in the order of entering
    tasks = []
    for number, line in enumerate(_text(folder / "citeulike-a_repaired" / "users_dev.jsonl").strip().split("\n")):
        liked = sorted(place[item] for item in json.loads(line)["liked"] if item in place)
        if number % 2 == PARTS[part] and len(liked) > PROFILE:
            tasks.append(_later(liked, len(rows)))
    papers = [PaperText(number, row["title"], row["abstract"]) for number, row in enumerate(rows)]
    return Collection("citeulike", papers, tasks)


def reviews(folder: Path, part: str) -> Iterator[Collection]:
    """Systematic reviews: five included papers in a row as they were published, and which later ones were included.

    Each five in turn is a task, while five later ones are left to find.
    """
    for file in sorted((folder / "systematic_reviews").glob("*.csv")):
        if (file.stem in TUNED_REVIEWS) == (part == "tune"):
            yield _review(file)


def _review(file: Path) -> Collection:
    rows = sorted(
        csv.DictReader(io.StringIO(_text(file), newline="")), key=lambda row: float(row["year"] or 0)
    )  # a stable sort: the file's order within a year
    included = [number for number, row in enumerate(rows) if row["label_included"] == "1"]
    papers = [
        PaperText(number, row["title"] or "", row["abstract"] or "", _names(row.get("authors") or ""))
        for number, row in enumerate(rows)
    ]
    starts = range(0, len(included) - 2 * PROFILE + 1, PROFILE)
    tasks = [_later(included[start:], len(rows)) for start in starts]
    return Collection(f"review {file.stem}", papers, tasks)


def cisi(folder: Path, part: str) -> Collection:
    home = folder / "cisi"
    return _asked("cisi", home / "CISI.ALL", home / "CISI.QRY", home / "CISI.REL", part)


def cacm(folder: Path, part: str) -> Collection:
    home = folder / "cacm"
    return _asked("cacm", home / "cacm.all", home / "query.text", home / "qrels.text", part)


LIKES: dict[str, Callable[[Path, str], Collection]] = {"citeulike": citeulike}
QUESTIONS: dict[str, Callable[[Path, str], Collection]] = {"cisi": cisi, "cacm": cacm}


def _later(liked: list[int], many: int) -> Task:
    profile = np.array(liked[:PROFILE])
    candidates = np.arange(profile[-1] + 1, many)
    return Task(candidates, np.isin(candidates, liked[PROFILE:]), profile=profile)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(";") if name.strip())


def _asked(name: str, papers: Path, questions: Path, judged: Path, part: str) -> Collection:
    texts, asked = _marked(_text(papers)), _marked(_text(questions))
    numbers = sorted(texts)
    good: dict[int, set[int]] = {}
    for line in _text(judged).splitlines():
        question, paper = line.split()[:2]
        good.setdefault(int(question), set()).add(int(paper))
    everything = np.arange(len(numbers))
    tasks = [
        Task(everything, np.isin(numbers, sorted(good[number])), text=asked[number].get("W", ""))
        for place, number in enumerate(sorted(set(asked) & set(good)))
        if place % 2 == 1 - PARTS[part]  # tuned on the odd ones
    ]
    held = [PaperText(number, texts[number].get("T", ""), texts[number].get("W", "")) for number in numbers]
    return Collection(name, held, tasks)


_mark = re.compile(r"^\.([A-Z])(?: +(\S.*))?\s*$")


def _marked(text: str) -> dict[int, dict[str, str]]:
    """SMART's format: `.I 12` opens a record, `.T`, `.W` and the like open its fields."""
    records: dict[int, dict[str, str]] = {}
    record: dict[str, str] = {}
    field = ""
    for line in text.splitlines():
        mark = _mark.match(line)
        if mark and mark[1] == "I" and mark[2]:
            record = records[int(mark[2])] = {}
            field = ""
        elif mark and not mark[2]:
            field = mark[1]
        elif field:
            record[field] = (record.get(field, "") + " " + line).strip()
    return records


def _text(file: Path) -> str:
    """Some of these files are older than UTF-8."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
