"""What pulling costs: `python -m tests.digest.sources.measure` stores days of growing size on a database of its own.

Each size runs through everything: the child, the judging, the merging, one transaction, the search index.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

SIZES = (750, 1_500, 3_000)
DAY = date(2026, 6, 3)


def one(size: int) -> None:
    """In a process of its own, so that its memory is its own."""
    import django

    django.setup()
    from django.core.management import call_command

    from digest.models import Paper
    from digest.sources import pull
    from tests.digest.sources import feeds

    call_command("migrate", verbosity=0)
    words = " ".join(f"word{n % 97}" for n in range(180))
    items = [i | {"abstract": f"{i['title']}: {words}"} for i in feeds.arxiv_day(DAY, size)]
    path = Path(os.environ["VAR_DIR"]) / "day.xml"
    path.write_bytes(feeds.atom(items, DAY))
    now = datetime(2026, 6, 3, 6, tzinfo=UTC)
    started = time.monotonic()
    fetch = pull.pull_file(path, "arxiv", "measured", now)
    seconds = time.monotonic() - started
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "entries": fetch.entries,
                "stored": Paper.objects.count(),
                "outcome": fetch.outcome,
                "seconds": round(seconds, 2),
                "cpu_child": round(children.ru_utime + children.ru_stime, 2),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "child_mb": children.ru_maxrss // 1024,
            }
        )
    )


def main() -> None:
    if len(sys.argv) > 1:
        return one(int(sys.argv[1]))
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            environment = {"VAR_DIR": folder, "OFFPRINT_DOTENV": "no", "DJANGO_SETTINGS_MODULE": "config.settings"}
            environment |= {"PATH": os.environ["PATH"], "LOG_LEVEL": "warning"}
            command = [sys.executable, "-m", "tests.digest.sources.measure", str(size)]
            print(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout.strip())
    return None


if __name__ == "__main__":
    main()
