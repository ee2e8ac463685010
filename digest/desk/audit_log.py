"""Who did what: a table to which rows are only added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from digest.models import AuditEntry, Edition
from subscriptions.limits import client_prefix

NOBODY = "nobody"  # who did it had not signed in


def of_edition(edition: Edition) -> str:
    """An edition as the subject of an act."""
    return f"edition {edition.date}"


def of_paper(paper: int, edition: Edition) -> str:
    """A paper of an edition as the subject of an act; `paper` is its id."""
    return f"paper {paper} in {of_edition(edition)}"


def record(
    request: HttpRequest | None,
    verb: str,
    subject: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
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
    return AuditEntry.objects.create(**values)


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
        AuditEntry.objects.create(**values, verb=verb, subject=subject[:200], before={}, after=after)


def changes(act: AuditEntry) -> list[str]:
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
