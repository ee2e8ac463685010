"""`python -m tests.chaos powercut`: what a power cut leaves of SQLite's log, judged and gone on from.

A day is sent with no checkpoint, so that the database is one file and a log that only grows. A cut at any byte
of the log is then a disk as a power cut may leave it: whatever had been synced is there (`synchronous=FULL` syncs
every commit), and some of what had not. Each letter is noted with the length of the log when its bytes left.
In every image, a letter that had left by then must stand behind its committed intent; and whoever goes on
from a sample of the images sends nobody anything twice, and forgets nobody.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos.ground import ROOT

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def cuts(images: int, recoveries: int, readers: int, seed: int) -> dict[str, int | bool]:
    """The counts of `judge`, and whether all is `good`."""
    with tempfile.TemporaryDirectory(prefix="offprint-powercut-") as name:
        result = judge(Path(name), images, recoveries, readers, random.Random(seed))
    bad = sum(result[name] for name in ("damaged", "without intent", "twice", "forgotten"))
    return {**result, "good": not bad}


def judge(folder: Path, images: int, recoveries: int, readers: int, dice: random.Random) -> dict[str, int]:
    """Counts over all images. `sent before` is how many letters had left at the cuts, all told."""
    left = aside("send", folder, readers)
    whole = (folder / "kept-wal").stat().st_size
    first = left["furnished"]
    counts = dict.fromkeys(("images", "sent before", "damaged", "without intent", "recovered", "twice", "forgotten"), 0)
    for number in range(images):
        cut = dice.randrange(first, whole + 1)
        gone = {letter for letter, length in left["letters"] if length <= cut}
        image = _image(folder, cut)
        counts["images"] += 1
        counts["sent before"] += len(gone)
        sound, begun = _read(image)
        counts["damaged"] += not sound
        counts["without intent"] += len(gone - begun)
        if number < recoveries:
            again = aside("recover", image, readers)
            counts["recovered"] += 1
            counts["twice"] += len(gone & {letter for letter, _ in again["letters"]})
            counts["forgotten"] += again["forgotten"]
        shutil.rmtree(image)
    return counts


def _image(folder: Path, cut: int) -> Path:
    image = Path(tempfile.mkdtemp(dir=folder))
    shutil.copyfile(folder / "kept", image / "day.sqlite3")
    (image / "day.sqlite3-wal").write_bytes((folder / "kept-wal").read_bytes()[:cut])
    return image


def _read(image: Path) -> tuple[bool, set[str]]:
    """Whether the database is sound, and the letters of which it knows that their bytes may have left."""
    copy = Path(tempfile.mkdtemp(dir=image))
    for name in ("day.sqlite3", "day.sqlite3-wal"):  # opening it folds the log in: the image itself stays as it is
        shutil.copyfile(image / name, copy / name)
    database = sqlite3.connect(copy / "day.sqlite3")
    sound = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = database.execute(
        "SELECT d.uuid FROM digest_delivery d JOIN digest_attempt a ON a.id = d.attempt_id"
        " WHERE d.state = 'accepted' OR a.intent_at IS NOT NULL"
    )
    begun = {str(row[0]).replace("-", "") for row in rows}
    database.close()
    return sound, begun


# -- in processes of their own ------------------------------------------------------------------


def aside(act: str, folder: Path, readers: int) -> dict[str, Any]:
    settings = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OFFPRINT_DOTENV": "no",
        "VAR_DIR": str(folder),
        "STATE_DIR": f"{folder}/state",
        "DATABASE_URL": f"sqlite:///{folder}/day.sqlite3",
        "EMAIL_URL": "console:",  # blind: nothing but the ledger tells what went
        "LOG_LEVEL": "error",
    }
    program = f"from tests.chaos import powercut; powercut.{act}({str(folder)!r}, {readers})"
    done = subprocess.run(
        [sys.executable, "-c", program], env=settings, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def send(folder: str, readers: int) -> None:
    """A day without a checkpoint; the database and its log are copied before anybody closes them."""
    left, log = _watched(folder), Path(folder, "day.sqlite3-wal")
    from django.core.management import call_command
    from django.db import connection

    from digest import delivery
    from digest.delivery import plan
    from tests import make

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA wal_autocheckpoint=0")
    make.edition(NOW.date(), papers=[make.paper("Speech for all")], released_at=NOW, frozen_at=NOW)
    for _ in range(readers):
        make.subscriber(queries=["speech"], next_digest_at=NOW, created_at=NOW, confirmed_at=NOW)
    furnished = log.stat().st_size
    plan.plan(NOW)
    delivery.deliver(NOW)
    shutil.copyfile(Path(folder, "day.sqlite3"), Path(folder, "kept"))
    shutil.copyfile(log, Path(folder, "kept-wal"))
    print(json.dumps({"letters": left, "furnished": furnished}))


def recover(folder: str, readers: int) -> None:
    """Go on from an image an hour later: the leases of before are over."""
    left = _watched(folder)
    from digest import delivery
    from digest.delivery import claim, plan
    from digest.models import Attempt, Delivery
    from subscriptions.clock import database_now

    Attempt.objects.update(lease_until=database_now() - claim.LEASE)
    plan.plan(LATER)
    delivery.deliver(LATER)
    limbo = Delivery.objects.filter(state__in=["pending", "claimed", "ambiguous"]).count()
    print(json.dumps({"letters": left, "forgotten": readers - Delivery.objects.count() + limbo}))


def _watched(folder: str) -> list[tuple[str, int]]:
    """Every letter that leaves, with the length of the database's log at that moment."""
    import django

    django.setup()
    from subscriptions.mail import outgoing
    from subscriptions.mail.outcomes import Outcome
    from subscriptions.mail.outgoing import Letter, Receipt

    left: list[tuple[str, int]] = []
    log = Path(folder, "day.sqlite3-wal")

    def hand_over(letter: Letter, postbox: Any) -> Receipt:
        left.append((letter.metadata["delivery"].replace("-", ""), log.stat().st_size if log.exists() else 0))
        return Receipt(Outcome.ACCEPTED)

    outgoing._hand_over = hand_over
    return left
