"""Is the promise kept? Every invariant of the ledger as one query, and the accounting that must come out even."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet

from digest.delivery import claim, resolve
from digest.delivery import states as delivery_states
from digest.delivery.channels import traits
from digest.delivery.channels.traits import Kind
from digest.delivery.limits import LATE_LIMIT_WEEKLY
from digest.editions import lifecycle
from digest.models import Attempt, Delivery, Edition, FrozenCopy, ProviderEvent
from subscriptions.clock import database_now
from subscriptions.models import Notice, Subscriber

LIMBO = timedelta(seconds=60)  # beyond the lease: one sweep is every 15 s
OUTBOX_LIMIT = timedelta(minutes=10)
EXAMPLES = 5
APART = timedelta(hours=12)  # of two letters that fell due on the same date in two zones


@dataclass(frozen=True)
class Finding:
    """One invariant: how often it is broken, and the ids of a few rows to look at."""

    name: str
    says: str
    broken: int = 0
    examples: tuple[str, ...] = ()


@dataclass
class Report:
    """`accounts` has one line an edition: planned, each end state, and what is still on its way."""

    findings: list[Finding] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[Finding]:
        return [one for one in self.findings if one.broken]

    @property
    def even(self) -> bool:
        return all(line["even"] for line in self.accounts)

    @property
    def good(self) -> bool:
        return not self.broken and self.even

    def as_json(self) -> dict[str, Any]:
        return {
            "good": self.good,
            "broken": [
                {"name": one.name, "says": one.says, "rows": one.broken, "examples": list(one.examples)}
                for one in self.broken
            ],
            "invariants": {one.name: one.broken for one in self.findings},
            "editions": self.accounts,
            "uncertain": self.uncertain,
        }


def audit(edition: Edition | None = None) -> Report:
    """Check everything, or what belongs to one edition. Reads only."""
    letters = Delivery.objects.all() if edition is None else Delivery.objects.filter(edition=edition)
    report = Report(findings=[check(letters) for check in CHECKS])
    report.accounts = accounts(letters)
    states = [Delivery.State.UNCERTAIN]
    report.uncertain = [str(one) for one in letters.filter(state__in=states).values_list("uuid", flat=True)[:1000]]
    return report


def accounts(letters: QuerySet[Delivery]) -> list[dict[str, Any]]:
    """planned = accepted + skipped + rejected + uncertain + expired + dead + pending, edition by edition."""
    rows = letters.values("edition_id", "edition__date", "state").annotate(letters=Count("id"))
    by_edition: dict[Any, Counter[str]] = {}
    for row in rows.order_by("edition__date"):
        by_edition.setdefault(row["edition__date"], Counter())[row["state"]] += row["letters"]
    planned = dict(letters.values_list("edition__date").annotate(letters=Count("id")).order_by())
    return [_account(day, states, planned.get(day, 0)) for day, states in by_edition.items()]


ENDS = ("accepted", "skipped", "rejected", "uncertain", "expired", "dead")
ON_THEIR_WAY = ("pending", "claimed", "ambiguous")


def _account(day: Any, states: Counter[str], planned: int) -> dict[str, Any]:
    line = {name: states[name] for name in ENDS}
    line["pending"] = sum(states[name] for name in ON_THEIR_WAY)
    return {"edition": f"{day}", "planned": planned, **line, "even": planned == sum(line.values())}


# -- the invariants -----------------------------------------------------------------------------

Check = Callable[[QuerySet[Delivery]], Finding]


def _finding(name: str, says: str, rows: QuerySet[Any], label: str = "uuid") -> Finding:
    count = rows.count()
    examples = tuple(str(one) for one in rows.values_list(label, flat=True)[:EXAMPLES]) if count else ()
    return Finding(name, says, count, examples)


def one_letter_an_edition(letters: QuerySet[Delivery]) -> Finding:
    twice = letters.values("edition_id", "subscriber_id").annotate(n=Count("id")).filter(n__gt=1)
    return _finding("I1", "no reader has two letters for one edition", twice, "subscriber_id")


def nobody_beyond_their_cursor(letters: QuerySet[Delivery]) -> Finding:
    """A cursor says "served up to here": a letter beyond it would be planned a second time."""
    beyond = letters.filter(subscriber__state=Subscriber.State.ACTIVE, edition__serial__gt=F("subscriber__cursor"))
    return _finding("I3", "no reader has a letter for an edition beyond their cursor", beyond)


def nobody_missed(letters: QuerySet[Delivery]) -> Finding:
    """Every reader has a next moment, and none lies long before the time up to which others were planned."""
    latest = Delivery.objects.aggregate(latest=Max("planned_at"))["latest"]
    missed = Q(next_digest_at=None)
    if latest is not None:
        missed |= Q(next_digest_at__lt=latest - LATE_LIMIT_WEEKLY)
    return _finding(
        "I2", "every active reader is due at a known moment that was not passed over", _active().filter(missed)
    )


def _active() -> QuerySet[Subscriber]:
    return Subscriber.objects.filter(state=Subscriber.State.ACTIVE)


def _editions(letters: QuerySet[Delivery]) -> QuerySet[Delivery, Any]:
    return letters.values("edition_id").distinct()


def no_limbo(letters: QuerySet[Delivery]) -> Finding:
    """Claimed no longer than the lease and a minute; in doubt no longer than evidence may take."""
    at = database_now()
    claimed = Q(state=Delivery.State.CLAIMED, attempt__lease_until__lt=at - LIMBO)
    longest = resolve.LONGEST_DOUBT + LIMBO
    doubtful = Q(state=Delivery.State.AMBIGUOUS, attempt__ambiguous_at__lt=at - longest)
    keyed = [name for name, one in traits.TRAITS.items() if one.kind is Kind.IDEMPOTENT]
    patient = Q(attempt__channel__in=keyed, attempt__ambiguous_at__gt=at - longest - timedelta(days=1))
    stray = Q(state__in=[Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS], attempt=None)
    return _finding(
        "I4", "no letter is claimed or in doubt past its time", letters.filter(claimed | (doubtful & ~patient) | stray)
    )


def accepted_by_an_attempt(letters: QuerySet[Delivery]) -> Finding:
    proof = ProviderEvent.objects.filter(delivery=OuterRef("pk"))
    accepted = letters.filter(state=Delivery.State.ACCEPTED)
    unsent = accepted.filter(Q(attempt=None) | Q(attempt__intent_at=None))
    return _finding("I5", "what is accepted was intended first, or an event shows it", unsent.filter(~Exists(proof)))


def not_after_leaving(letters: QuerySet[Delivery]) -> Finding:
    left = [Subscriber.State.UNSUBSCRIBED, Subscriber.State.SUPPRESSED, Subscriber.State.FORGOTTEN]
    late = letters.filter(
        state=Delivery.State.ACCEPTED, subscriber__state__in=left, attempt__started_at__gt=F("subscriber__ended_at")
    )
    return _finding("I6", "nothing was begun for a reader who had left before", late)


def content_unchanged(letters: QuerySet[Delivery]) -> Finding:
    changed = [
        str(one.date)
        for one in Edition.objects.filter(pk__in=_editions(letters)).exclude(content_hash="")
        if lifecycle.content_hash(one) != one.content_hash
    ]
    return Finding("I8", "no edition changed after it was frozen", len(changed), tuple(changed[:EXAMPLES]))


def events_applied_once(letters: QuerySet[Delivery]) -> Finding:
    twice = ProviderEvent.objects.values("event_key").annotate(n=Count("id")).filter(n__gt=1)
    return _finding("I9", "no provider event is stored twice", twice, "event_key")


def one_letter_a_day(letters: QuerySet[Delivery]) -> Finding:
    """Two on one date are right only for a reader who moved to a zone where the date began again."""
    went = letters.exclude(state__in=[Delivery.State.SKIPPED, Delivery.State.EXPIRED])
    twice = went.values("subscriber_id", "local_date").annotate(n=Count("id"), first=Min("due_at"), last=Max("due_at"))
    close = twice.filter(n__gt=1, last__lt=F("first") + APART)
    return _finding("I10", "no reader has two letters on one local date", close, "subscriber_id")


def notices_move(letters: QuerySet[Delivery]) -> Finding:
    at = database_now()
    stuck = Notice.objects.filter(state=Notice.State.CLAIMED, lease_until__lt=at - OUTBOX_LIMIT)
    return _finding("I11", "no one-off mail is stuck in sending", stuck)


def doubts_carried_once(letters: QuerySet[Delivery]) -> Finding:
    """Papers of a doubtful letter went with the reader's next one, or that is still to come.

    A letter put together while the doubt was being written down could not know of it: the one after brings them.
    """
    states = [delivery_states.DELIVERY[one] for one in delivery_states.CARRIED]
    later = Delivery.objects.filter(
        subscriber=OuterRef("subscriber"),
        planned_at__gt=OuterRef("settled_at") + claim.LEASE,
        edition__serial__gt=OuterRef("edition__serial"),
    ).exclude(state=Delivery.State.SKIPPED)
    forgotten = letters.filter(state__in=states, carried_by=None).exclude(papers=[]).filter(Exists(later))
    return _finding("I12", "the papers of every doubtful letter came with the next one", forgotten)


def attempts_agree(letters: QuerySet[Delivery]) -> Finding:
    """A closed attempt has no letter on its way; an open one has no sealed letter left behind."""
    states = [Delivery.State.CLAIMED, Delivery.State.AMBIGUOUS]
    astray = letters.filter(state__in=states, attempt__state=Attempt.State.CLOSED)
    return _finding("I13", "no letter waits on an attempt that is closed", astray)


def nothing_left_sealed(letters: QuerySet[Delivery]) -> Finding:
    left = FrozenCopy.objects.filter(attempt__state=Attempt.State.CLOSED)
    return _finding("I14", "no sealed letter outlives its attempt", left, "sha256")


CHECKS: tuple[Check, ...] = (
    one_letter_an_edition,
    nobody_missed,
    nobody_beyond_their_cursor,
    no_limbo,
    accepted_by_an_attempt,
    not_after_leaving,
    content_unchanged,
    events_applied_once,
    one_letter_a_day,
    notices_move,
    doubts_carried_once,
    attempts_agree,
    nothing_left_sealed,
)
