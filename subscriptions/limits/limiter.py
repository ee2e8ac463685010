"""The one limiter: how often something may be done, how fast, by whose turn, and until when it is put off.

Everything is counted in one table (`Budget`), so that every process and every restart counts alike:

- `take`, `note`: uses within windows, such as confirmations to one address or failed sign-ins by one name;
- `hold`, `held`: a moment before which nothing goes, such as the pause a mail server asked for;
- `begin_turn`, `end_turn`: one at a time, such as requests to one publisher;
- `draw`, `give_back`, `empty`: a token bucket, such as the letters a second of one channel.

Subjects that may name a person are kept as a keyed hash; those of `IN_CLEAR` name machines and are kept as they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from subscriptions import addresses
from subscriptions.addresses import Address
from subscriptions.models import Budget

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PRUNED_AT_ONCE = 50
IN_CLEAR = frozenset({"turn", "host", "destination", "channel"})
KEPT = 365 * DAY  # rows of turns and buckets are few, and worth nothing only after long disuse


@dataclass(frozen=True)
class Rule:
    """At most `most` uses within `window`; beyond the first `free` of them only with a proof of work."""

    most: int
    window: timedelta
    free: int | None = None

    def allows(self, proved: bool) -> int:
        return self.most if proved or self.free is None else self.free


# Other rooms add the rules of their own kinds.
RULES: dict[str, tuple[Rule, ...]] = {
    # One letter a day and three a month to a mailbox whose reader has not confirmed.
    "address": (Rule(1, DAY), Rule(3, 30 * DAY)),
    # A link to their own account, for those who read here already.
    "link": (Rule(3, DAY), Rule(10, 30 * DAY)),
    # A lecture hall behind one address may sign up at once; a script may not go on.
    "network": (Rule(80, HOUR, free=40), Rule(240, DAY, free=120)),
    # One network's part of one domain's allowance: no handful of networks can use up what others need.
    "share": (Rule(40, HOUR, free=10),),
    # What one network gets of an allowance whose free part is used up.
    "late": (Rule(3, HOUR, free=0),),
    "change": (Rule(3, DAY),),
    "export": (Rule(5, HOUR),),
    # Lists brought as files, from one network and in all: a megabyte each, kept until the sweeper reads it.
    "list": (Rule(20, HOUR), Rule(60, DAY)),
    "lists": (Rule(200, HOUR),),
    "preview": (Rule(120, HOUR), Rule(600, DAY)),
    "proof": (Rule(1, DAY),),
}


def rules(kind: str) -> tuple[Rule, ...]:
    """The rules of a kind; `site` and `domain` follow SIGNUPS_PER_HOUR."""
    width = settings.SIGNUPS_PER_HOUR
    if kind == "site":
        return (Rule(width, HOUR, free=max(1, width * 4 // 5)),)
    if kind == "domain":
        return (Rule(max(1, width * 4 // 5), HOUR, free=max(1, width * 2 // 5)),)
    return RULES[kind]


# -- uses within windows --------------------------------------------------------------------------


def take(kind: str, subject: str, now: datetime, proved: bool = False) -> bool:
    """Use one of `subject`'s allowance; False (and nothing used) where there is none left."""
    with transaction.atomic():
        budget = _locked(kind, subject, now)
        if not _has_room(budget.taken, rules(kind), now, proved):
            return False
        _use(budget, kind, now)
    return True


def note(kind: str, subject: str, now: datetime) -> None:
    """Count a use that has happened already, whether there was room for it or not."""
    with transaction.atomic():
        _use(_locked(kind, subject, now), kind, now)


def has_room(kind: str, subject: str, now: datetime, proved: bool = False) -> bool:
    """Whether `take` would succeed; uses nothing."""
    budget = Budget.objects.filter(key=_key(kind, subject)).first()
    return budget is None or _has_room(budget.taken, rules(kind), now, proved)


def room(kind: str, subject: str, now: datetime) -> int:
    """How many times `take` would succeed now."""
    budget = Budget.objects.filter(key=_key(kind, subject)).first()
    taken = [] if budget is None else budget.taken
    return min(max(0, rule.most - len(_within(taken, rule, now))) for rule in rules(kind))


def free_again(kind: str, subject: str, now: datetime) -> timedelta:
    """How long until there is room without a proof."""
    budget = Budget.objects.filter(key=_key(kind, subject)).first()
    waits = [timedelta(0)]
    for rule in rules(kind):
        most = rule.allows(proved=False)
        uses = [] if budget is None else _within(budget.taken, rule, now)
        if most and len(uses) >= most:
            waits.append(datetime.fromtimestamp(uses[-most], UTC) + rule.window - now)
    return max(waits)


def forget(kind: str, subject: str) -> None:
    """Give back everything `subject` has used."""
    Budget.objects.filter(key=_key(kind, subject)).delete()


# -- what one signup or one list uses -------------------------------------------------------------


def take_for_signup(address: Address, network: str, now: datetime, proved: bool) -> bool:
    """Use what one visitor's signup costs, or nothing: of their network, its share of the domain, the domain, the site.

    Once the free part of the domain's or the site's allowance is used up, a network gets a few more with a proof
    each: whoever used it up cannot also take the rest. Says nothing about the address: only its domain counts.
    """
    return _take_all(_costs(address, network, now), now, proved)


def would_a_proof_help(address: Address, network: str, now: datetime) -> bool:
    """Whether `take_for_signup` would succeed with a proof."""
    return all(has_room(kind, subject, now, proved=True) for kind, subject in _costs(address, network, now))


def _costs(address: Address, network: str, now: datetime) -> list[tuple[str, str]]:
    """Kinds and subjects that a signup is counted under."""
    costs = [("network", network), ("share", f"{network} {address.domain}")]
    shared = [("domain", address.domain), ("site", "")]
    if not all(has_room(kind, subject, now) for kind, subject in shared):
        costs.append(("late", network))
    return costs + shared


def wait_for_signup(address: Address, network: str, now: datetime) -> timedelta:
    """How long until a signup needs no proof."""
    return max(free_again(kind, subject, now) for kind, subject in _costs(address, network, now))


def take_for_letter(address: Address, now: datetime, paid: bool = False) -> bool:
    """Use the allowances of one letter nobody has confirmed yet: its mailbox's, its domain's and the site's.

    With `paid`, `take_for_signup` has used those of the domain and the site already.
    """
    costs = [("address", address.budget)]
    if not paid:
        costs += [("domain", address.domain), ("site", "")]
    return _take_all(costs, now, proved=True)


class Rehearsal:
    """What `take_for_letter` would answer for many letters one after another, with nothing used up."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.used: Counter[tuple[str, str]] = Counter()

    def take_for_letter(self, address: Address) -> bool:
        wanted = [("address", address.budget), ("domain", address.domain), ("site", "")]
        if any(room(kind, subject, self.now) <= self.used[kind, subject] for kind, subject in wanted):
            return False
        self.used.update(wanted)
        return True


def take_for_list(network: str, now: datetime) -> bool:
    """Use the allowances of one list brought as a file: its network's, and the site's."""
    return _take_all([("list", network), ("lists", "")], now, proved=False)


def _take_all(costs: list[tuple[str, str]], now: datetime, proved: bool) -> bool:
    """Use each of them, or none: a refusal by one uses up nothing of the others."""
    with transaction.atomic():
        if all(take(kind, subject, now, proved) for kind, subject in costs):
            return True
        transaction.set_rollback(True)
    return False


# -- moments before which nothing goes ------------------------------------------------------------


def hold(kind: str, subject: str, until: datetime, reason: str = "") -> None:
    """Put `subject` off until then; a later call replaces an earlier one."""
    values = {"free_at": until, "expires_at": until + DAY, "reason": reason[:300]}
    Budget.objects.update_or_create(key=_key(kind, subject), defaults=values)


def held_until(kind: str, subject: str, now: datetime) -> datetime | None:
    """Until when `subject` is put off; None where it is not."""
    found = Budget.objects.filter(key=_key(kind, subject), free_at__gt=now).first()
    return found.free_at if found else None


def held(kind: str, now: datetime) -> list[Budget]:
    """Everything of a kind of `IN_CLEAR` that is put off now, by name."""
    return list(Budget.objects.filter(key__startswith=f"{kind}:", free_at__gt=now).order_by("key"))


# -- one at a time --------------------------------------------------------------------------------


def begin_turn(subject: str, now: datetime, lease: timedelta) -> bool:
    """Take the one turn at `subject`; False where another has it or it is too early. It ends with `lease`."""
    key = _key("turn", subject)
    free = Q(free_at=None) | Q(free_at__lte=now)
    return bool(Budget.objects.filter(free, key=key).update(free_at=now + lease)) or _is_first(key, now, lease)


def _is_first(key: str, now: datetime, lease: timedelta) -> bool:
    _, is_new = Budget.objects.get_or_create(key=key, defaults={"free_at": now + lease, "expires_at": now + KEPT})
    return is_new


def end_turn(subject: str, next_at: datetime) -> None:
    """Let go of the turn; the next may begin at `next_at`."""
    Budget.objects.filter(key=_key("turn", subject)).update(free_at=next_at, expires_at=next_at + KEPT)


# -- token buckets --------------------------------------------------------------------------------
# A bucket is kept as the moment at which it is full again (`free_at`; none: full). See the generic cell rate algorithm.


def draw(kind: str, subject: str, wanted: int, rate: float, size: float, now: datetime) -> int:
    """Up to `wanted` tokens of a bucket that holds `size` and is filled with `rate` a second."""
    with transaction.atomic():
        budget = _locked(kind, subject, now)
        full_at = min(max(budget.free_at or now, now), now + timedelta(seconds=size / rate))  # clocks may step back
        left = size - (full_at - now).total_seconds() * rate
        drawn = max(0, min(wanted, int(left + 1e-6)))  # a moment is kept to the microsecond
        _fill(budget, full_at + timedelta(seconds=drawn / rate), now)
    return drawn


def give_back(kind: str, subject: str, tokens: int, rate: float, now: datetime) -> None:
    """Return tokens that were drawn and not used."""
    with transaction.atomic():
        budget = _locked(kind, subject, now)
        _fill(budget, (budget.free_at or now) - timedelta(seconds=tokens / rate), now)


def empty(kind: str, subject: str, rate: float, size: float, now: datetime) -> None:
    """Take everything out of the bucket."""
    with transaction.atomic():
        _fill(_locked(kind, subject, now), now + timedelta(seconds=size / rate), now)


def _fill(budget: Budget, full_at: datetime, now: datetime) -> None:
    budget.free_at = full_at
    budget.expires_at = now + KEPT
    budget.save(update_fields=["free_at", "expires_at"])


# -- the table ------------------------------------------------------------------------------------


def prune(now: datetime) -> int:
    """Forget budgets nobody has used for as long as they count; a few at a time."""
    stale = Budget.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:PRUNED_AT_ONCE]
    return Budget.objects.filter(pk__in=list(stale)).delete()[0]


def _key(kind: str, subject: str) -> str:
    if not subject:
        return kind
    return f"{kind}:{subject if kind in IN_CLEAR else addresses.keyed_hash(subject)[:40]}"


def _locked(kind: str, subject: str, now: datetime) -> Budget:
    key = _key(kind, subject)
    Budget.objects.bulk_create([Budget(key=key, expires_at=now)], ignore_conflicts=True)
    return Budget.objects.select_for_update().get(key=key)


def _use(budget: Budget, kind: str, now: datetime) -> None:
    longest = max(rules(kind), key=lambda rule: rule.window)
    budget.taken = [*_within(budget.taken, longest, now)[-longest.most :], now.timestamp()]
    budget.expires_at = now + longest.window
    budget.save(update_fields=["taken", "expires_at"])


def _within(taken: list[float], rule: Rule, now: datetime) -> list[float]:
    return [at for at in taken if at > (now - rule.window).timestamp()]


def _has_room(taken: list[float], limits: tuple[Rule, ...], now: datetime, proved: bool) -> bool:
    return all(len(_within(taken, rule, now)) < rule.allows(proved) for rule in limits)
