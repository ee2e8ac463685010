"""Who did what: an append-only table in which every act holds the hash of the one before (`verify` walks it)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from digest.models import Act, Mark
from subscriptions.limits import client_prefix

TRIES = 20
NOBODY = "nobody"  # who did it had not signed in
CHECKED = "log checked"


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What the last walk along the chain found: how many acts, or (`broken`) where it does not hold."""

    at: datetime
    acts: int
    broken: str


class ChainError(Exception):
    """The log was tampered with; the message names the first act that does not fit."""


def record(
    request: HttpRequest | None,
    verb: str,
    subject: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Act:
    """Add one act. Call it in the transaction of the act itself, so that neither is there without the other."""
    values = {
        "at": now,
        "actor": _actor(request)[:150],
        "network": client_prefix.prefix_of(request) if request is not None else "",
        "verb": verb,
        "subject": subject[:200],
        "before": dict(before or {}),
        "after": dict(after or {}),
    }
    return _append(values)


def _actor(request: HttpRequest | None) -> str:
    if request is None:
        return "offprint"
    return request.user.get_username() if request.user.is_authenticated else NOBODY


@receiver(post_save, sender=LogEntry)
def keep_admin_act(instance: LogEntry, created: bool, **_: Any) -> None:
    """What is changed in the stock admin is an act like any other; which fields, not what they say."""
    if created:
        verb = {ADDITION: "add record", DELETION: "delete record"}.get(instance.action_flag, "change record")
        subject = f"{instance.content_type.model if instance.content_type else 'record'} {instance.object_id}"
        values = {"at": instance.action_time, "actor": instance.user.get_username()[:150], "network": ""}
        after = {"change": instance.change_message}
        _append({**values, "verb": verb, "subject": subject[:200], "before": {}, "after": after})


def _append(values: dict[str, Any]) -> Act:
    """`previous` is unique: of two acts at once the later one takes its place behind the earlier."""
    for _ in range(TRIES):
        last = Act.objects.order_by("-id").values_list("hash", flat=True).first() or ""
        act = Act(**values, previous=last, hash=_hash(values, last))
        try:
            with transaction.atomic():
                act.save(force_insert=True)
            return act
        except IntegrityError:
            continue
    raise ChainError("The log could not be written; others are writing. Try again.")


def _hash(values: Mapping[str, Any], previous: str) -> str:
    plain = {**values, "at": values["at"].isoformat(timespec="microseconds"), "previous": previous}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def changes(act: Act) -> list[str]:
    """What an act changed, in words: of values that were there before and after, those that differ.

    By name, for PostgreSQL keeps the names of JSON in an order of its own.
    """
    said = []
    for name, after in sorted(act.after.items()):
        before = act.before.get(name)
        if name not in act.before:
            said.append(f"{_plain(name)}: {_worded(after)}")
        elif before != after:
            said.append(f"{_plain(name)}: {_worded(before)} → {_worded(after)}")
    return said + [
        f"{_plain(name)}: {_worded(was)}" for name, was in sorted(act.before.items()) if name not in act.after
    ]


def _plain(name: str) -> str:
    return name.removeprefix("is_").replace("_", " ")


def _worded(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_worded(one) for one in value) or "none"
    return "none" if value in (None, "") else str(value)


def verify() -> int:
    """Walk the whole chain; answers how many acts it has. Raises ChainError at the first that does not fit."""
    previous, count = "", 0
    for act in Act.objects.order_by("id").iterator(chunk_size=2000):
        values = {name: getattr(act, name) for name in ("at", "actor", "network", "verb", "subject", "before", "after")}
        if act.previous != previous or act.hash != _hash(values, act.previous):
            raise ChainError(f"Act {act.pk} of {act.at:%Y-%m-%d %H:%M} does not follow from the one before it.")
        previous, count = act.hash, count + 1
    return count


def check(now: datetime) -> ChainCheck:
    """Walk the chain, and remember what was found."""
    try:
        found = ChainCheck(now, verify(), "")
    except ChainError as error:
        found = ChainCheck(now, 0, str(error))
    value = f"{now.isoformat(timespec='seconds')}|{found.acts}|{found.broken}"[:300]
    Mark.objects.update_or_create(name=CHECKED, defaults={"value": value})
    return found


def last_check() -> ChainCheck | None:
    """What the last walk found; None where there was none yet."""
    value = Mark.objects.filter(name=CHECKED).values_list("value", flat=True).first()
    if value is None:
        return None
    at, acts, broken = value.split("|", 2)
    return ChainCheck(datetime.fromisoformat(at), int(acts), broken)
