"""A database that was put back from a backup has forgotten letters that went: it starts held.

A small file beside the data remembers how far the ledger had come. A ledger that is behind it, or is
another one altogether, sends nobody anything until an operator has looked (`resume --restored`).
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from digest.delivery import states
from digest.delivery.channels import holds
from digest.delivery.states import Event, State
from digest.models import Attempt, Delivery, Edition, Mark, Sealed
from subscriptions import services
from subscriptions.models import Subscriber

NAME = "epoch"


def check(channel: str, now: datetime) -> str:
    """Compare ledger and file, and hold if the ledger is behind. Answers why."""
    known = _read()  # first: what the file says was committed before it was written
    epoch, last = _ledger()
    reason = ""
    if known and known.epoch != epoch:
        reason = "This is another database than the one that sent before."
    elif known and last < known.attempt:
        reason = "This database is older than the letters it has sent: it was put back from a backup."
    if reason:
        fix = "Nothing is sent. Read docs/reliability.md, then run: manage.py resume --restored"
        holds.hold(channel, holds.RESTORE, f"{reason} {fix}", now)
        return reason
    return ""


def remember() -> None:
    """Note how far the ledger has come; never backwards (another process may be further)."""
    epoch, last = _ledger()
    known = _read()
    if known is None or (known.epoch == epoch and last > known.attempt):
        _write(epoch, last)


def _ledger() -> tuple[str, int]:
    """The database's own name for itself, and its newest attempt."""
    row, _ = Mark.objects.get_or_create(name=NAME, defaults={"value": str(uuid.uuid4())})
    return row.value, Attempt.objects.aggregate(last=Max("pk"))["last"] or 0


def path() -> Path:
    return Path(settings.VAR_DIR) / "ledger.json"


class KnownSent(NamedTuple):
    """What the file remembers: which ledger, and its newest attempt."""

    epoch: str
    attempt: int


def _read() -> KnownSent | None:
    try:
        known = json.loads(path().read_text())
        return KnownSent(str(known["epoch"]), int(known["attempt"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(epoch: str, attempt: int) -> None:
    path().parent.mkdir(parents=True, exist_ok=True)
    unfinished = path().with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(json.dumps({"epoch": epoch, "attempt": attempt}))
    os.replace(unfinished, path())


def reconcile(now: datetime) -> dict[str, int]:
    """After a restore: whatever may have gone counts as gone. Nobody is sent an edition a second time.

    Letters on their way become uncertain, every reader counts as served up to the newest edition, and
    the next letter is the one of their next hour. The missing days' editions should be pulled and
    released before, so that their papers do not come as new ones.
    """
    newest = Edition.objects.aggregate(newest=Max("serial"))["newest"] or 0
    states.after(State.AMBIGUOUS, Event.GIVE_UP)
    with transaction.atomic():
        open_states = [Delivery.State.PENDING, Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS]
        letters = Delivery.objects.filter(state__in=open_states).update(
            state=Delivery.State.UNCERTAIN, reason="restored", settled_at=now
        )
        Attempt.objects.exclude(state=Attempt.State.CLOSED).update(state=Attempt.State.CLOSED, closed_at=now)
        Sealed.objects.all().delete()
        moved = 0
        for reader in Subscriber.objects.filter(state=Subscriber.State.ACTIVE).iterator(chunk_size=1000):
            reader.cursor, reader.next_digest_at = newest, services.next_due(reader, now)
            reader.save(update_fields=["cursor", "next_digest_at"])
            moved += 1
        Mark.objects.filter(name=NAME).update(value=str(uuid.uuid4()))
    epoch, last = _ledger()
    _write(epoch, last)
    return {"uncertain": letters, "readers": moved}
