"""A database that was put back from a backup has forgotten letters that went: it starts held.

Two kinds of evidence tell. Files outside the database (`marks`) remember how far this ledger had come. And the ledger
keeps where it lives (`home`): one that finds itself elsewhere was moved or put back, and letters that were due
since may have gone. `docs/decisions/056-which-ledgers-are-held.md` has the rule with its reasons.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from digest.delivery import ledger
from digest.delivery.accounts import sent_marks
from digest.delivery.channels import holds
from digest.delivery.states import Event
from digest.models import Attempt, DatabaseMetadata, Delivery, Edition, FrozenCopy
from subscriptions import services
from subscriptions.models import Subscriber

EPOCH, HOME = "epoch", "home"
MACHINE_ID = Path("/etc/machine-id")
UNTOLD = "untold"  # where nothing says which machine this is
BEHIND = "This database is older than the letters it has sent: it was put back from a backup."
ELSEWHERE = "This database was put back from a backup or moved here, and letters fell due since it was copied."
NEW_HERE = (
    "This database is new here: it sends. Another database sent from this folder before; its readers and letters "
    "are not in this one."
)
Reader = Subscriber.State


def check(channel: str, now: datetime) -> str:
    """Compare the ledger with what is known outside it, and hold the channel if letters may be missing. Says why."""
    own, place = _ledger(), home()
    reason = _judge(own, place, now)
    if reason:
        holds.hold(channel, holds.RESTORE, f"{reason} Nothing is sent.", now)
        return reason
    _settle(own, place)
    return ""


def judge(now: datetime) -> str:
    """Why this ledger may have forgotten letters that went; empty if nothing says so. Changes nothing."""
    return _judge(_ledger(), home(), now)


def _judge(own: Ledger | None, place: str, now: datetime) -> str:
    if own is None:  # it never planned a letter
        return ""
    if sent_marks.newest(own.name) > _begun():  # read in this order: another worker may go on in between
        return BEHIND
    if _is_at_home(own, place) or not _is_owed(now):
        return ""
    return ELSEWHERE


class Ledger(NamedTuple):
    """What the database says of itself: its name, and where it lived when it last looked (empty: it never did)."""

    name: str
    home: str


def _ledger() -> Ledger | None:
    rows = dict(DatabaseMetadata.objects.filter(name__in=(EPOCH, HOME)).values_list("name", "value"))
    return Ledger(rows[EPOCH], rows.get(HOME, "")) if EPOCH in rows else None


def _begun() -> int:
    """The newest attempt whose letters may have left."""
    return Attempt.objects.filter(intent_at__isnull=False).aggregate(last=Max("pk"))["last"] or 0


def _is_at_home(own: Ledger, place: str) -> bool:
    """Whether it sent from here before. A ledger of the first version does not say where it lived: its file does."""
    if own.home and own.home == place:
        return True
    if own.name in sent_marks.read(sent_marks.in_state()):
        return True
    is_known_in_var = own.name in sent_marks.read(sent_marks.in_var())
    return is_known_in_var and not own.home


def _is_owed(now: datetime) -> bool:
    """Whether somebody was due, or a letter was on its way: only then can one have gone that the ledger misses."""
    readers = Subscriber.objects.filter(state__in=(Reader.ACTIVE, Reader.PAUSED), next_digest_at__lte=now)
    on_their_way = Delivery.objects.filter(state__in=(Delivery.State.PENDING, Delivery.State.CLAIMED))
    return readers.exists() or on_their_way.exists()


def home() -> str:
    """Where this database lives: a restored dump has tables of its own, a copied file is on a machine.

    Empty where neither can be told (a container without a machine id).
    """
    if connection.vendor == "postgresql":
        return _postgresql_home()
    try:
        machine = MACHINE_ID.read_text().strip()
    except OSError:
        return ""
    # machine-id(5) asks that the id itself is not told.
    return f"sqlite:{hashlib.sha256(f'offprint:{machine}'.encode()).hexdigest()[:32]}" if machine else ""


def _postgresql_home() -> str:
    """The cluster's own number (initdb gives it) and that of the table: pg_restore makes another table."""
    table = Attempt._meta.db_table
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT system_identifier, %s::regclass::oid FROM pg_control_system()", [table])
            system, number = cursor.fetchone()
    except DatabaseError:
        return ""
    return f"postgresql:{system}:{number}"


def settle_here() -> None:
    """Note, in the ledger and outside, that this ledger sends from here."""
    _settle(_ledger(), home())


def _settle(own: Ledger | None, place: str) -> None:
    own = own or _new_ledger()
    place = place or UNTOLD
    if own.home != place:
        DatabaseMetadata.objects.update_or_create(name=HOME, defaults={"value": place})
    sent_marks.note(own.name, _begun())


def _new_ledger() -> Ledger:
    """Its name is noted outside first: a second process that finds the name finds it there, too."""
    name = str(uuid.uuid4())
    sent_marks.note(name, 0)
    row, _ = DatabaseMetadata.objects.get_or_create(name=EPOCH, defaults={"value": name})
    return Ledger(row.value, "")


def remember(attempt: int) -> None:
    """Letters of this attempt are about to leave: a ledger put back to before this moment shall be known by it."""
    own = _ledger() or _new_ledger()
    sent_marks.note(own.name, attempt)


def welcome() -> str:
    """A sentence for a ledger that has sent nothing yet where another one has; else empty."""
    own = _ledger()
    others = [
        attempt for name, attempt in sent_marks.read(sent_marks.in_var()).items() if own is None or name != own.name
    ]
    return NEW_HERE if any(others) and not _begun() else ""


def reconcile(now: datetime) -> dict[str, int]:
    """After a restore: whatever may have gone counts as gone. Nobody is sent an edition a second time.

    Letters on their way become uncertain, every reader counts as served up to the newest edition, and
    the next letter is the one of their next hour. The missing days' editions should be pulled and
    released before, so that their papers do not come as new ones.
    """
    newest = Edition.objects.aggregate(newest=Max("serial"))["newest"] or 0
    with transaction.atomic():
        letters = ledger.move(Delivery.objects.all(), Event.FORGET, now, reason="restored")
        ledger.turn(Attempt.objects.all(), Attempt.State.CLOSED, closed_at=now)
        FrozenCopy.objects.all().delete()
        readers = Subscriber.objects.filter(state__in=(Reader.ACTIVE, Reader.PAUSED))
        moved = readers.update(cursor=newest)
        for reader in readers.filter(state=Reader.ACTIVE).iterator(chunk_size=1000):
            Subscriber.objects.filter(pk=reader.pk).update(next_digest_at=services.next_due(reader, now))
        DatabaseMetadata.objects.filter(name__in=(EPOCH, HOME)).delete()
    settle_here()
    return {"uncertain": letters, "readers": moved}
