"""`python -m tests.faults`: every test named for a row of the fault list (`test_f08_…`), on both databases.

Prints one line a row: passed, failed or missing, on SQLite and on PostgreSQL. Exit 1 if any failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Tree
from collections import defaultdict
from pathlib import Path

from tests.chaos.__main__ import POSTGRES, ROOT, has_postgresql

ROWS = range(1, 97)
NUMBERED = re.compile(r"test_((?:f\d\d_)+)")


def run(database: str) -> dict[int, list[str]]:
    """Row number -> the outcome of each of its tests."""
    environment = {**os.environ, "TEST_DATABASE_URL": database}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = " or ".join(f"test_f{tens}" for tens in range(10))
        command = [sys.executable, "-m", "pytest", "tests", "-q", "-k", words, f"--junitxml={report}"]
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
        return outcomes(report)


def outcomes(report: Path) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for case in Tree.parse(report).getroot().iter("testcase"):
        numbered = NUMBERED.match(case.get("name", ""))
        if numbered:
            failed = case.find("failure") is not None or case.find("error") is not None
            word = "failed" if failed else "skipped" if case.find("skipped") is not None else "passed"
            for number in re.findall(r"\d\d", numbered[1]):
                found[int(number)].append(word)
    return found


def verdict(words: list[str]) -> str:
    if not words:
        return "-"
    return "failed" if "failed" in words else "passed" if "passed" in words else "skipped"


def main() -> int:
    tables = {"SQLite": run("")}
    if has_postgresql():
        tables["PostgreSQL"] = run(POSTGRES)
    print("row   " + "".join(f"{name:<14}" for name in tables) + "tests")
    counts = dict.fromkeys(tables, 0)
    bad = 0
    for row in ROWS:
        words = {name: verdict(found[row]) for name, found in tables.items()}
        tests = max(len(found[row]) for found in tables.values())
        print(f"f{row:02}   " + "".join(f"{word:<14}" for word in words.values()) + str(tests))
        for name, word in words.items():
            counts[name] += word == "passed"
            bad += word == "failed"
    print(", ".join(f"{name}: {count} of {len(ROWS)} rows pass" for name, count in counts.items()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
