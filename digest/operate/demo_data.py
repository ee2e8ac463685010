"""The first run: a few readers, so that there are letters to look at, and a few papers kept back to try the desk on.

Only where mail goes to files. Once mail is real, `subscriptions.mail.outgoing` sends these readers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from digest.editions import lifecycle
from digest.models import Edition
from subscriptions import addresses, services
from subscriptions.models import Subscriber


@dataclass(frozen=True)
class Demonstration:
    """One made-up reader: what they asked for, and how they want it."""

    email: str
    topics: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    wishes: dict[str, Any] = field(default_factory=dict)


READERS = (
    Demonstration("language@demo.example.org", topics=("large-language-models", "multilingual-nlp")),
    Demonstration(
        "vision@demo.example.org", topics=("detection-segmentation",), queries=("diffus* AND (image OR video)",)
    ),
    Demonstration("speech@demo.example.org", queries=("speech OR audio OR speaker",), wishes={"zone": "Asia/Tokyo"}),
    Demonstration(
        "agents@demo.example.org",
        queries=("agent* NOT survey",),
        wishes={"zone": "America/New_York", "text_only": True},
    ),
    Demonstration("tomography@demo.example.org", queries=('"neutron tomography"',), wishes={"frequency": "weekly"}),
)


def is_wanted() -> bool:
    """Never where real mail could leave, and never on a public site."""
    return settings.MAIL_CHANNEL == "outbox" and not settings.PUBLIC


def add_readers(now: datetime) -> int:
    """Add those who are missing, confirmed, and due for their first letter at once; returns how many."""
    if Subscriber.objects.filter(email_key__endswith=f"@{addresses.DEMONSTRATION}").exists():
        return 0
    for one in READERS:
        row = services.subscribe(one.email, topics=one.topics, queries=one.queries, now=now, **one.wishes)
        services.confirm(row, now)
        Subscriber.objects.filter(pk=row.pk).update(next_digest_at=now)
        row.notices.all().delete()
    return len(READERS)


KEPT_BACK = 12  # papers; on a day of fewer than sixty, a fifth of them


def keep_some_back(now: datetime) -> Edition | None:
    """Before the first edition goes: every fifth paper waits in tomorrow's, which is open at the desk at once.

    None where there was an edition before, or the day is too small to be shared.
    """
    if not is_wanted() or Edition.objects.exists():
        return None
    papers = lifecycle.unplaced(now.date())[4::5][:KEPT_BACK]
    if not papers:
        return None
    practice, _ = Edition.objects.get_or_create(date=now.date() + timedelta(days=1))
    lifecycle.place(practice, papers)
    return practice
