"""Replays every captured day, in date order, through pull -> release -> send, and checks the books.

`make replay` runs it on a database of its own in a temporary folder. What it compares with is counted
here from the files alone, with the standard library and none of the product's code.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})")
ARXIV_ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?$")

READERS: tuple[dict[str, Any], ...] = (
    {
        "email": "all@replay.example.org",
        "queries": ["source:huggingface OR cat:cs.* OR cat:eess.* OR the"],
        "zone": "UTC",
    },
    {"email": "speech@replay.example.org", "queries": ["speech OR audio"], "zone": "Asia/Tokyo", "hour": 8},
    {"email": "llm@replay.example.org", "queries": ['"language model*" OR LLM'], "zone": "America/New_York"},
    {
        "email": "vision@replay.example.org",
        "queries": ["image OR video"],
        "zone": "Europe/Berlin",
        "frequency": "weekdays",
    },
    {
        "email": "diffusion@replay.example.org",
        "queries": ["diffus*"],
        "zone": "Australia/Lord_Howe",
        "frequency": "weekly",
    },
    {
        "email": "agents@replay.example.org",
        "queries": ["agent*", "reinforcement learning"],
        "zone": "Pacific/Kiritimati",
    },
    {
        "email": "medicine@replay.example.org",
        "queries": ["medical OR clinical"],
        "zone": "Pacific/Pago_Pago",
        "hour": 23,
    },
    {"email": "nothing@replay.example.org", "queries": ['"xylophone metallurgy"'], "zone": "Asia/Kathmandu"},
    {
        "email": "security@replay.example.org",
        "queries": ["attack* OR jailbreak*"],
        "zone": "America/St_Johns",
        "hour": 0,
    },
    {
        "email": "music@replay.example.org",
        "queries": ["music"],
        "zone": "Europe/London",
        "frequency": "weekly",
        "weekday": 4,
    },
)


@dataclass(frozen=True)
class Captured:
    """One captured answer: its file, day, and what is in it by an independent count (None: malformed)."""

    path: Path
    day: date
    kind: str
    source: str
    ids: tuple[str, ...] | None


@dataclass
class Books:
    """What the replay did, to be held against the files."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    def expect(self, is_so: bool, sentence: str) -> None:
        if not is_so:
            self.wrong.append(sentence)


def huggingface_ids(path: Path) -> tuple[str, ...] | None:
    answer = json.loads(path.read_text())
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        return None
    return tuple(item["paper"]["id"] for item in answer)


def arxiv_ids(path: Path) -> tuple[str, ...] | None:
    links = [item.findtext("link") or "" for item in ElementTree.parse(path).iter("item")]
    return tuple(found.group(1) for link in links if (found := ARXIV_ID.search(link)))


def captured_days(data: Path) -> dict[date, list[Captured]]:
    """Every captured Hugging Face and arXiv answer, by its day, in date order."""
    days: dict[date, list[Captured]] = {}
    for folder, kind, read in (("hf_daily", "huggingface", huggingface_ids), ("arxiv/rss_rebuilt", "arxiv", arxiv_ids)):
        for path in sorted((data / folder).iterdir()):
            day = date.fromisoformat(DAY.match(path.name)[1])  # type: ignore[index]
            source = (
                "huggingface"
                if kind == "huggingface"
                else "arxiv-" + path.stem[11:].lower().replace("+", "-").replace(".", "-")
            )
            if "WEEKEND" in path.name:
                source = "arxiv-weekend"
            days.setdefault(day, []).append(Captured(path, day, kind, source, read(path)))
    return dict(sorted(days.items()))


def command(name: str, *arguments: Any) -> dict[str, Any]:
    """One management command by its own door, its JSON answer read."""
    from django.core.management import call_command

    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(name, *[str(argument) for argument in arguments], "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def set_up(start: datetime) -> None:
    from django.core.management import call_command

    from subscriptions import services
    from subscriptions.models import Notice

    call_command("migrate", verbosity=0)
    for reader in READERS:
        wishes = {name: value for name, value in reader.items() if name not in {"email", "queries"}}
        row = services.subscribe(reader["email"], queries=reader["queries"], now=start, **wishes)
        services.confirm(row, start)
    Notice.objects.all().delete()


def moments(day: date) -> Iterator[datetime]:
    """Once an hour from the release on, so that every zone's hour falls on its own run."""
    for hour in range(5, 29):
        yield datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour, minutes=30)


def send(at: datetime, books: Books) -> int:
    answer = command("send_due", "--now", at.isoformat())
    for name in ("planned", "accepted", "rejected", "uncertain", "expired", "dead", "pending"):
        books.sent[name] += answer[name]
    for reason, count in answer["skipped"].items():
        books.sent[f"skipped: {reason}"] += count
    books.expect(
        answer["uncertain"] + answer["rejected"] + answer["dead"] + answer["expired"] == 0, f"trouble at {at}: {answer}"
    )
    return int(answer["accepted"])


def run_day(day: date, files: list[Captured], books: Books, known: set[str]) -> None:
    """Pull the day's files, release its edition, send hour by hour; one row of the table."""
    entries = new = 0
    outcomes = []
    at = datetime(day.year, day.month, day.day, 5, 0, tzinfo=UTC)
    for one in files:
        answer = command("pull", "--file", one.path, "--kind", one.kind, "--source", one.source, "--at", at.isoformat())
        fetch = answer["fetches"][0]
        outcomes.append(fetch["outcome"])
        fresh = set(one.ids or ()) - known
        books.expect(
            fetch["entries"] == len(one.ids or ()),
            f"{one.path.name}: {fetch['entries']} entries, the file has {len(one.ids or ())}",
        )
        books.expect(fetch["new"] == len(fresh), f"{one.path.name}: {fetch['new']} new, the files say {len(fresh)}")
        books.expect(
            (fetch["outcome"] == "format_error") == (one.ids is None), f"{one.path.name}: outcome {fetch['outcome']}"
        )
        known |= fresh
        entries, new = entries + fetch["entries"], new + fetch["new"]
    released = command("release", "--date", day, "--now", at.isoformat())
    letters = sum(send(moment, books) for moment in moments(day))
    books.rows.append(
        {"day": day, "outcomes": ", ".join(outcomes), "entries": entries, "new": new, "papers": released["papers"],
         "edition": released["status"], "letters": letters}
    )  # fmt: skip


def quiet_days(last: date, following: date, books: Books) -> None:
    """Days without a captured answer: readers fall due, and nobody gets anything but what is still owed."""
    day = last + timedelta(days=1)
    while day < following:
        letters = sum(send(datetime(day.year, day.month, day.day, hour, 45, tzinfo=UTC), books) for hour in (6, 18))
        if letters:
            books.rows.append(
                {"day": day, "outcomes": "", "entries": 0, "new": 0, "papers": 0, "edition": "", "letters": letters}
            )
        day += timedelta(days=1)


def check_books(books: Books, days: dict[date, list[Captured]], known: set[str]) -> None:
    from digest.models import Announcement, Delivery, Paper

    distinct = {one for files in days.values() for captured in files for one in captured.ids or ()}
    books.expect(known == distinct, "the running count of papers went wrong")
    books.expect(
        Paper.objects.count() == len(distinct), f"{Paper.objects.count()} papers stored, the files have {len(distinct)}"
    )
    announced = sum(len(set(captured.ids or ())) for files in days.values() for captured in files)
    books.expect(
        Announcement.objects.count() == announced,
        f"{Announcement.objects.count()} announcements, the files have {announced}",
    )
    seen: Counter[tuple[int, int]] = Counter()
    for reader, papers in Delivery.objects.filter(state="accepted").values_list("subscriber_id", "papers"):
        seen.update((reader, choice["paper"]) for choice in papers)
    twice = [pair for pair, times in seen.items() if times > 1]
    books.expect(not twice, f"{len(twice)} times a reader got a paper twice: {twice[:5]}")
    audit = command("audit")
    books.expect(bool(audit.get("good")), f"audit: {audit['broken']}")


def check_letters(books: Books, outbox: Path) -> int:
    """Every letter accepted is a file without a defect, with the same papers in both parts; returns how many."""
    from tests.digest.letters import checks  # needs Django's settings

    letters = list(outbox.rglob("*.eml"))
    books.expect(
        len(letters) == books.sent["accepted"], f"{len(letters)} files in the outbox, {books.sent['accepted']} accepted"
    )
    for path in letters:
        raw = path.read_bytes()
        message = BytesParser(policy=policy.default).parsebytes(raw)
        books.expect(not message.defects, f"{path.name}: {message.defects}")
        books.expect(max(map(len, raw.splitlines())) <= 998, f"{path.name}: a line over 998 bytes")
        books.expect(not (fault := checks.fault(raw)), f"{path.name}: {fault}")
    return len(letters)


def table(books: Books) -> str:
    names = ("day", "outcomes", "entries", "new", "papers", "edition", "letters")
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in books.rows]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the table to this Markdown file")
    options = parser.parse_args()
    if not DATA.is_dir():
        print("No captured answers beside the checkout (../shared/data): nothing to replay.")
        return 0
    with tempfile.TemporaryDirectory(prefix="offprint-replay-") as folder:
        os.environ |= {
            "VAR_DIR": folder,
            "STATE_DIR": f"{folder}/state",
            "OFFPRINT_DOTENV": "no",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "error",
        }
        for name in ("DATABASE_URL", "EMAIL_URL", "REDIS_URL", "PUBLIC_BASE_URL"):
            os.environ.pop(name, None)
        sys.path.insert(0, str(ROOT))
        import django

        django.setup()
        return replay(Path(folder) / "outbox", options.write)


def replay(outbox: Path, write: Path | None) -> int:
    days = captured_days(DATA)
    books, known = Books(), set[str]()
    order = list(days)
    set_up(datetime(order[0].year, order[0].month, order[0].day, tzinfo=UTC))
    for day, following in zip(order, [*order[1:], order[-1] + timedelta(days=8)], strict=True):
        run_day(day, days[day], books, known)
        quiet_days(day, following, books)
        print(books.rows[-1]["day"], books.rows[-1], flush=True)
    check_books(books, days, known)
    letters = check_letters(books, outbox)
    totals = ", ".join(f"{name} {count}" for name, count in sorted(books.sent.items()) if count)
    summary = f"{len(days)} days, {len(known)} distinct papers, {letters} letters; {totals}."
    print(table(books), summary, sep="\n\n")
    if write:
        write.write_text(f"{PREFACE}\n{table(books)}\n\n{summary}\n")
    print("\n".join(f"WRONG: {line}" for line in books.wrong) or "Everything agrees with the files.")
    return 1 if books.wrong else 0


PREFACE = """# Replay of captured days

`make replay` pulls every captured Hugging Face and arXiv day in date order, releases its edition and sends the
digests of ten readers with different filters, zones and frequencies, hour by hour, gaps included. Entries, new and
distinct papers are held against a count of the files made without the product's code; nobody may get a paper twice,
every letter must parse, and `audit` must be clean. Last run:
"""

if __name__ == "__main__":
    sys.exit(main())
