"""One-off mail: queued in the same transaction as its reason, sent by whoever wakes first.

The same rules as for digests (intent before effect, settle by compare-and-set), with one freedom:
mail a person asked for by a click (confirmation, fresh link) may be repeated once after a doubt.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.template import engines
from django.utils.translation import ngettext

from subscriptions import questions
from subscriptions.clock import database_now
from subscriptions.db_retry import retry_on_db_error
from subscriptions.links import urls
from subscriptions.mail import outgoing
from subscriptions.mail.outgoing import Letter, Outcome, Receipt
from subscriptions.models import Notice, Subscriber

log = logging.getLogger(__name__)

State, Kind = Notice.State, Notice.Kind

CHUNK = 1  # one at a time: what a worker that dies leaves in doubt is one letter, and no lease is outlived
LEASE = timedelta(minutes=5)
MOST_TRIES = 6
MOST_NAMED = 12  # topics in a request to confirm
REPEATABLE = frozenset({Kind.CONFIRM, Kind.LINK, Kind.ADDRESS, Kind.MOVED})
ELSEWHERE = frozenset({Kind.ADDRESS, Kind.MOVED})  # what goes to an address that is not the reader's own
PROVIDER_PAUSE = timedelta(minutes=5)


def queue(kind: str, subscriber: Subscriber, now: datetime, dedupe_key: str, to: str = "") -> bool:
    """Put one notice on the waiting list, within the caller's transaction; False if it is there already.

    It goes to the reader's own address, the new one where that is to be confirmed, or `to`.
    """
    row = Notice(kind=kind, subscriber=subscriber, dedupe_key=dedupe_key, to=to, next_at=now, created_at=now)
    before = Notice.objects.filter(dedupe_key=dedupe_key).exists()
    Notice.objects.bulk_create([row], ignore_conflicts=True)
    return not before


def queue_quiet(lines: Mapping[Subscriber, tuple[str, str]], now: datetime) -> None:
    """For readers who wish one honest line on days without papers: reader -> (the day's key, the reason)."""
    rows = [
        Notice(
            kind=Kind.QUIET,
            subscriber=subscriber,
            dedupe_key=f"quiet:{subscriber.uuid}:{day}",
            words=words,
            next_at=now,
            created_at=now,
        )
        for subscriber, (day, words) in lines.items()
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def send_waiting(now: datetime, limit: int = 500) -> Counter[str]:
    """Send what waits and is due; answers how many ended in which state."""
    if questions.digest.reason_to_hold(now):
        return Counter()
    counts: Counter[str] = Counter(_heal(now))
    with outgoing.connection() as postbox:
        while counts.total() < limit and (claimed := _claim(now)):
            for notice in claimed:
                counts[_send_one(notice, now, postbox)] += 1
    return counts


@retry_on_db_error
def _claim(now: datetime) -> list[Notice]:
    """Take a few in one short transaction: from here on only the holder of `claim` may settle them."""
    claim = uuid.uuid4()
    waiting = Notice.objects.filter(state=State.PENDING, next_at__lte=now).order_by("next_at", "id")
    with transaction.atomic():
        ids = list(_unlocked(waiting).values_list("id", flat=True)[:CHUNK])
        Notice.objects.filter(id__in=ids, state=State.PENDING).update(
            state=State.CLAIMED, claim=claim, lease_until=database_now() + LEASE
        )
    return list(Notice.objects.filter(claim=claim, state=State.CLAIMED).select_related("subscriber").order_by("id"))


def _unlocked(rows: models.QuerySet[Notice]) -> models.QuerySet[Notice]:
    """Two workers take different rows; SQLite has one writer at a time anyway."""
    if transaction.get_connection().features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def _heal(now: datetime) -> Counter[str]:
    """Whoever claimed these is gone, and may have sent them: a doubt, never simply "not sent"."""
    counts: Counter[str] = Counter()
    for notice in Notice.objects.filter(state=State.CLAIMED, lease_until__lt=database_now()):
        lost = Receipt(Outcome.UNCLEAR, detail="the process that was sending it ended")
        counts[_settle(notice, lost, now)] += 1
    return counts


def _send_one(notice: Notice, now: datetime, postbox: Any) -> str:
    if not _wanted(notice):
        return _settle(notice, Receipt(Outcome.SUPPRESSED, detail="no longer wanted"), now)
    try:
        letter = _letter(notice, now)
    except Exception as error:  # nothing has left: a broken template is a reason to try later, not a doubt
        log.error("a %s notice cannot be written: %s", notice.kind, type(error).__name__)
        return _settle(notice, Receipt(Outcome.LATER, detail=f"cannot be written: {type(error).__name__}"), now)
    [receipt] = outgoing.send_each([letter], postbox)
    return _settle(notice, receipt, now)


def address(notice: Notice) -> str:
    """Where it goes: a change of address is confirmed at the new one, and told to the one left behind."""
    if notice.kind == Kind.ADDRESS:
        return notice.subscriber.new_email
    return notice.to if notice.kind == Kind.MOVED else notice.subscriber.email


def went_to(notice: Notice) -> str:
    """The address that this letter went to, for reports about it; empty where the reader has named another since.

    A report about an older letter must not count for an address that the letter never reached.
    """
    reader = notice.subscriber
    if notice.kind == Kind.ADDRESS:
        has_changed = reader.notices.filter(kind=Kind.ADDRESS, pk__gt=notice.pk).exists()
    elif notice.kind == Kind.MOVED:
        has_changed = False
    else:
        has_changed = reader.consents.filter(act="moved", at__gte=notice.created_at).exists()
    return "" if has_changed else address(notice)


def _wanted(notice: Notice) -> bool:
    """A person who confirmed meanwhile needs no second request; an erased one gets nothing."""
    subscriber = notice.subscriber
    if not address(notice):
        return False
    if notice.kind == Kind.QUIET:
        return subscriber.state == Subscriber.State.ACTIVE
    return notice.kind != Kind.CONFIRM or subscriber.state == Subscriber.State.PENDING


@retry_on_db_error
def _settle(notice: Notice, receipt: Receipt, now: datetime) -> str:
    """Write the outcome if the claim still is ours (compare-and-set); answers the state it is in now.

    An address left behind is kept no longer than its letter needs it.
    """
    changes = after(notice, receipt, now)
    if "settled_at" in changes:
        changes["to"] = ""
    ours = Notice.objects.filter(pk=notice.pk, state=State.CLAIMED, claim=notice.claim)
    ours.update(trouble=receipt.detail[:300], claim=None, lease_until=None, **changes)
    return str(changes["state"])


def after(notice: Notice, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """What a receipt makes of a claimed notice: the columns to write."""
    match receipt.outcome:
        case Outcome.ACCEPTED:
            return {"state": State.ACCEPTED, "settled_at": now}
        case Outcome.REFUSED | Outcome.SUPPRESSED | Outcome.MESSAGE_REJECTED:
            return {"state": State.REJECTED, "settled_at": now}
        case Outcome.BLOCKED:
            return {"state": State.PENDING, "next_at": now + PROVIDER_PAUSE}
        case Outcome.LATER | Outcome.POLICY_REJECTED:
            return _later(notice, receipt, now)
    if notice.kind in REPEATABLE and notice.repeats == 0:
        return {"state": State.PENDING, "next_at": now + timedelta(minutes=1), "repeats": 1}
    return {"state": State.UNCERTAIN, "settled_at": now}


def _later(notice: Notice, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """Back to waiting. A provider that names a time ("429, Retry-After") costs no try."""
    if receipt.retry_after is not None or receipt.status in {429, 421, 450, 451}:
        return {"state": State.PENDING, "next_at": now + timedelta(seconds=receipt.retry_after or 60)}
    tries = notice.tries + 1
    if tries >= MOST_TRIES:
        return {"state": State.DEAD, "tries": tries, "settled_at": now}
    return {"state": State.PENDING, "tries": tries, "next_at": now + timedelta(minutes=2**tries)}


# -- words --------------------------------------------------------------------------------------


def _letter(notice: Notice, now: datetime) -> Letter:
    subscriber = notice.subscriber
    words = {
        "subscriber": subscriber,
        "now": now,
        "confirm_url": urls.confirm_url(subscriber),
        "preferences_url": urls.preferences_url(subscriber),
        "account_url": urls.account_url(subscriber),
        "address_url": urls.address_url(subscriber),
        "block_url": urls.block_url(subscriber),
        "return_url": urls.return_url(subscriber),
        "unsubscribe_url": urls.unsubscribe_url(subscriber),
        "subscribe_url": urls.absolute("subscribe"),
        "words": notice.words,
        "asked": _asked(subscriber) if notice.kind == Kind.CONFIRM else [],
        "when": f"{subscriber.rhythm} at {subscriber.hour:02}:00, {subscriber.zone.replace('_', ' ')} time",
    }
    name = f"email/{notice.kind}"
    subject, text = (
        engines["letter_text"].get_template(f"{name}.{part}").render(words) for part in ("subject.txt", "txt")
    )
    html = engines["letter_html"].get_template(f"{name}.html").render(words)
    return Letter(
        to=address(notice),
        subject=" ".join(subject.split()),
        text=text,
        html="" if subscriber.text_only else html,
        headers=_headers(notice),
        message_id=f"<n.{notice.uuid}.{notice.repeats}@{settings.MAIL_DOMAIN}>",
        metadata={"notice": str(notice.uuid)},
        tags=(str(notice.kind),),
        stream="notice",
        key=f"n.{notice.uuid}.{notice.repeats}",
    )


def _asked(subscriber: Subscriber) -> list[str]:
    """What was asked for, in the site's own words only.

    Whoever typed the address may not be whose it is: none of what they wrote goes to a stranger's inbox.
    """
    wanted = subscriber.interests.filter(muted=False)
    topics = list(wanted.filter(topic__isnull=False).order_by("pk").values_list("topic__name", flat=True))
    named = topics[:MOST_NAMED]
    if more := len(topics) - len(named):
        named.append(ngettext("%(count)s more topic", "%(count)s more topics", more) % {"count": more})
    counts = (
        (wanted.filter(topic__isnull=True).count(), "%(count)s filter of your own", "%(count)s filters of your own"),
        (subscriber.descriptions.count(), "your description of your work", "%(count)s descriptions of your work"),
        (subscriber.liked_papers.count(), "%(count)s paper you like", "%(count)s papers you like"),
    )
    return named + [ngettext(one, many, count) % {"count": count} for count, one, many in counts if count]


def _headers(notice: Notice) -> dict[str, str]:
    """Mail that comes by itself again and again can be ended with one click (RFC 8058)."""
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}
    if notice.kind == Kind.QUIET:
        headers["List-Unsubscribe"] = f"<{urls.unsubscribe_url(notice.subscriber)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def waiting() -> Sequence[Notice]:
    """Notices that are not settled, oldest first (for the desk and `audit`)."""
    return list(Notice.objects.filter(state__in=[State.PENDING, State.CLAIMED]).order_by("created_at"))
