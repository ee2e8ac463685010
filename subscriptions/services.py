"""Signing up, confirming, choosing, pausing and leaving. Every act is one transaction with its proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from subscriptions import addresses, signals
from subscriptions.accounts import export as export
from subscriptions.accounts import forget as forget
from subscriptions.limits import limiter
from subscriptions.mail import notices
from subscriptions.models import Consent, Notice, Subscriber, Suppression
from subscriptions.wants import interests, liked_papers
from subscriptions.when import schedule

State = Subscriber.State
WORDING = "signup-1"
SCHEDULE = schedule.Times._fields
SETTINGS = (
    *SCHEDULE,
    "papers_per_day",
    "text_only",
    "empty_day",
    "community_picks",
    "abstracts",
    "exploration",
    "catch_up",
)
MOST_PAPERS = 50
RETURN_WITHIN = timedelta(days=30)


class ServiceError(ValueError):
    """The act is not possible; the message says why in a plain sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SuppressedError(ServiceError):
    """Nobody may write to this address."""


class LeftError(ServiceError):
    """They left, so that only they themselves can come back."""


def subscribe(
    email: str,
    *,
    topics: Iterable[str] = (),
    queries: Sequence[str] = (),
    now: datetime,
    network: str = "",
    ask_by_mail: bool = True,
    by_themselves: bool = True,
    paid: bool = False,
    description: str = "",
    papers: str = "",
    reading_list: str = "",
    **wishes: Any,
) -> Subscriber:
    """A reader with these wishes, waiting for their confirmation, which is asked for by mail.

    Whoever reads here already is changed in nothing, and is mailed a link to their own preferences.
    `description` is their work in sentences, `papers` and `reading_list` what they typed and
    the file they brought (ids, links, BibTeX, RIS or CSL JSON).
    `network` must be truncated; `by_themselves` is False for imports and the like, which bring nobody back who left.
    `paid`: the request has used the allowances of the domain and the site (`limits.take_for_signup`).
    Raises `AddressError`, `InterestError`, `ScheduleError`, `SuppressedError`, `LeftError`.
    """
    address = addresses.read(email)
    wanted = interests.read(topics, queries)
    chosen = check_settings(wishes)
    with transaction.atomic():
        _check_suppression(address, by_themselves)
        subscriber = _reader(address, now)
        if not by_themselves:
            _check_presence(subscriber)
        if subscriber.state in {State.ACTIVE, State.PAUSED}:
            if ask_by_mail:
                send_link(subscriber, now)
            return subscriber
        _renew(subscriber, address.typed, chosen, now)
        interests.store(subscriber, wanted)
        liked_papers.replace(subscriber, description, (papers, reading_list), now)
        # Proof only of what leads to a letter: thousands of signups for one address leave one row a day.
        if not ask_by_mail or ask_to_confirm(subscriber, now, paid):
            _keep_proof(subscriber, "asked", now, network)
    return subscriber


def ask_to_confirm(subscriber: Subscriber, now: datetime, paid: bool = False) -> bool:
    """Mail a waiting reader the question; False where their address has been asked often enough."""
    with transaction.atomic():
        if not limiter.take_for_letter(addresses.read(subscriber.email), now, paid):
            return False
        return notices.queue(Notice.Kind.CONFIRM, subscriber, now, _letter_key("confirm", subscriber))


def check_settings(wishes: dict[str, Any], current: Subscriber | None = None) -> dict[str, Any]:
    """The wishes, if every one can be kept beside the others; raises `ScheduleError`."""
    unknown = [name for name in wishes if name not in SETTINGS]
    if unknown:
        raise TypeError(f"not a reader's setting: {unknown[0]}")
    whole = current or Subscriber()
    asked = schedule.Times._make(wishes.get(name, getattr(whole, name)) for name in SCHEDULE)
    # A zone that tzdata has dropped since it was chosen (`schedule.zone_of`) is no reason to refuse another wish.
    schedule.check(asked._replace(zone="UTC") if current and asked.zone == current.zone else asked)
    papers = wishes.get("papers_per_day", whole.papers_per_day)
    if not 1 <= papers <= MOST_PAPERS:
        raise schedule.ScheduleError(
            "papers_per_day", f"{papers} papers a day cannot be. Choose from 1 to {MOST_PAPERS}."
        )
    empty_day = wishes.get("empty_day", whole.empty_day)
    if empty_day not in Subscriber.EmptyDay.values:
        raise schedule.ScheduleError("empty_day", "For empty days, choose “nothing” or “line”.")
    if wishes.get("abstracts", whole.abstracts) not in Subscriber.Abstracts.values:
        raise schedule.ScheduleError("abstracts", f"For abstracts, choose {', '.join(Subscriber.Abstracts.values)}.")
    return wishes


def confirm(subscriber: Subscriber, now: datetime, network: str = "") -> bool:
    """Make a waiting reader active; False if they were not waiting (a second click changes nothing)."""
    with transaction.atomic():
        first = next_due(subscriber, now)
        waiting = Subscriber.objects.filter(pk=subscriber.pk, state=State.PENDING)
        if not waiting.update(state=State.ACTIVE, confirmed_at=now, next_digest_at=first, paused_until=None):
            subscriber.refresh_from_db()
            return False
        subscriber.refresh_from_db()
        _keep_proof(subscriber, "confirmed", now, network)
        signals.confirmed.send(Subscriber, subscriber=subscriber, now=now)
    return True


def set_schedule(subscriber: Subscriber, now: datetime, **wishes: Any) -> None:
    """Change when and how much comes; whoever was served today is not due again today. Raises `ScheduleError`."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        check_settings(wishes, row)
        moved = any(wishes.get(name, getattr(row, name)) != getattr(row, name) for name in SCHEDULE)
        for name, value in wishes.items():
            setattr(row, name, value)
        if moved and row.state == State.ACTIVE and not is_due(row, now):
            row.next_digest_at = next_due_after(row, now, row.served_at)
        elif moved and row.state == State.PAUSED:
            row.next_digest_at = _end_of_pause(row)
        row.save(update_fields=[*wishes, "next_digest_at"])
    subscriber.refresh_from_db()


def pause(subscriber: Subscriber, now: datetime, until: date | None = None, catch_up: bool = True) -> bool:
    """No letters until the local date `until` (for good, without one); False if there is nothing to pause."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if row.state not in {State.ACTIVE, State.PAUSED}:
            return False
        if until is not None and until <= schedule.local_date(row.zone, now):
            raise schedule.ScheduleError("until", "A pause ends on a day to come. Choose a later date.")
        row.state, row.catch_up = State.PAUSED, catch_up
        row.paused_until = until and schedule.start_of(row.zone, until)
        row.next_digest_at = _end_of_pause(row)
        row.save(update_fields=["state", "catch_up", "paused_until", "next_digest_at"])
    subscriber.refresh_from_db()
    return True


def resume(subscriber: Subscriber, now: datetime) -> bool:
    """Back from a pause, by the reader's wish or because its day has come; False if they were not paused."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        if row.state != State.PAUSED:
            return False
        row.state, row.paused_until = State.ACTIVE, None
        if not is_due(row, now):
            row.next_digest_at = next_due_after(row, now, row.served_at)
        row.save(update_fields=["state", "paused_until", "next_digest_at"])
        if not row.catch_up:
            signals.resumed.send(Subscriber, subscriber=row, now=now)
    subscriber.refresh_from_db()
    return True


def unsubscribe(subscriber: Subscriber, now: datetime, tell: bool = False) -> bool:
    """Leave, at once; False if they had left before. `tell` mails a goodbye with the way back.

    The goodbye is for those who left by a page, whose link may have been in a forwarded letter; who
    left by their mail program's own button (RFC 8058) gets no further mail.
    """
    present = (State.PENDING, State.ACTIVE, State.PAUSED)
    with transaction.atomic():
        was_active = subscriber.state in {State.ACTIVE, State.PAUSED}
        rows = Subscriber.objects.filter(pk=subscriber.pk, state__in=present)
        left = rows.update(state=State.UNSUBSCRIBED, ended_at=now, next_digest_at=None, paused_until=None)
        subscriber.refresh_from_db()
        if not left:
            return False
        _keep_proof(subscriber, "left", now)
        if tell and was_active:
            notices.queue(Notice.Kind.GOODBYE, subscriber, now, _letter_key("goodbye", subscriber))
    return True


def come_back(subscriber: Subscriber, now: datetime) -> bool:
    """Undo a leaving of the last thirty days; what passed meanwhile is caught up with."""
    with transaction.atomic():
        rows = Subscriber.objects.filter(
            pk=subscriber.pk,
            state=State.UNSUBSCRIBED,
            confirmed_at__isnull=False,
            ended_at__gte=now - RETURN_WITHIN,
        )
        back = rows.update(
            state=State.ACTIVE, ended_at=None, next_digest_at=next_due_after(subscriber, now, subscriber.served_at)
        )
        subscriber.refresh_from_db()
        if back:
            _keep_proof(subscriber, "returned", now)
    return bool(back)


def suppress(email: str, reason: str, now: datetime, detail: str = "") -> None:
    """Never write to this address again. A later, weaker reason does not replace an earlier one."""
    address = addresses.read(email)
    with transaction.atomic():
        Suppression.objects.get_or_create(
            address_hmac=addresses.keyed_hash(address.key),
            defaults={"reason": reason, "detail": detail[:300], "since": now},
        )
        Subscriber.objects.filter(email_key=address.key).exclude(state=State.FORGOTTEN).update(
            state=State.SUPPRESSED, ended_at=now, next_digest_at=None, paused_until=None
        )


def block(subscriber: Subscriber, now: datetime) -> None:
    """Somebody never asked: no letter of any kind again; of a reader who never confirmed nothing else is kept."""
    if not subscriber.email:
        return
    suppress(subscriber.email, Suppression.Reason.REQUEST, now)
    if subscriber.confirmed_at is None:
        forget(subscriber, now)


def send_link(subscriber: Subscriber, now: datetime) -> bool:
    """Mail the reader a fresh link to their preferences and account; False where they have had enough of them."""
    address = addresses.read(subscriber.email)
    with transaction.atomic():
        if not limiter.take("link", address.budget, now):
            return False
        return notices.queue(Notice.Kind.LINK, subscriber, now, _letter_key("link", subscriber))


def next_due(subscriber: Subscriber, after: datetime) -> datetime:
    """The reader's first due moment strictly after `after`."""
    return schedule.next_due(times(subscriber), after)


def next_due_after(subscriber: Subscriber, now: datetime, served: datetime | None) -> datetime:
    """The reader's first due moment after `now`, on a later local date than the one they were `served` for."""
    return schedule.next_due_after_serving(times(subscriber), now, served)


def times(subscriber: Subscriber) -> schedule.Times:
    """When the reader wants letters, as `schedule` takes it."""
    return schedule.Times._make(getattr(subscriber, name) for name in SCHEDULE)


def is_due(subscriber: Subscriber, now: datetime) -> bool:
    return subscriber.next_digest_at is not None and subscriber.next_digest_at <= now


# -- pieces ---------------------------------------------------------------------------------------


def _end_of_pause(subscriber: Subscriber) -> datetime | None:
    if subscriber.paused_until is None:
        return None
    return next_due(subscriber, subscriber.paused_until - timedelta(seconds=1))


def _check_suppression(address: addresses.Address, by_themselves: bool) -> None:
    """An erased address is free again for a signup of its own, not for an import; every other reason stays."""
    rows = Suppression.objects.filter(address_hmac__in=addresses.hashes(address))
    stays = rows.exclude(reason=Suppression.Reason.ERASED) if by_themselves else rows
    row = stays.first()
    if row is not None:
        why = Suppression.Reason(row.reason).label
        raise SuppressedError(f"Nobody may write to this address ({why[:1].lower()}{why[1:]}).")
    rows.delete()


def _check_presence(subscriber: Subscriber) -> None:
    """Raises LeftError for a reader who unsubscribed or is suppressed: a list of somebody else's has no say in it."""
    if subscriber.state not in {State.UNSUBSCRIBED, State.SUPPRESSED}:
        return
    since = f" on {subscriber.ended_at:%-d %B %Y}" if subscriber.ended_at else ""
    did = "unsubscribed" if subscriber.state == State.UNSUBSCRIBED else "was suppressed"
    raise LeftError(f"This reader {did}{since}. Only they themselves can come back, by the signup page.")


def _reader(address: addresses.Address, now: datetime) -> Subscriber:
    Subscriber.objects.bulk_create(
        [Subscriber(email=address.typed, email_key=address.key, created_at=now)], ignore_conflicts=True
    )
    return Subscriber.objects.select_for_update().get(email_key=address.key)


def _renew(subscriber: Subscriber, typed: str, chosen: dict[str, Any], now: datetime) -> None:
    """The last signup before a confirmation is the one that is confirmed."""
    subscriber.email, subscriber.state, subscriber.ended_at = typed, State.PENDING, None
    plain = Subscriber()
    for name in SETTINGS:
        setattr(subscriber, name, chosen.get(name, getattr(plain, name)))
    subscriber.save()


def _keep_proof(subscriber: Subscriber, act: str, now: datetime, network: str = "") -> None:
    Consent.objects.create(subscriber=subscriber, act=act, at=now, wording=WORDING, network=network)


def _letter_key(kind: str, subscriber: Subscriber) -> str:
    """Numbers the letters of one kind to one reader: two processes at once make the same key, and one row."""
    return f"{kind}:{subscriber.uuid.hex}:{subscriber.notices.filter(kind=kind).count()}"
