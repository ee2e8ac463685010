"""How often an address may be written to, and a network, a domain and the whole site may ask for it.

Kept in the database, so that every process and every restart counts alike. The rules stop a list
bomb: thousands of signups for one address, or one each for thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from subscriptions import addresses
from subscriptions.addresses import Address
from subscriptions.models import Budget

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """At most `most` uses within `window`."""

    most: int
    window: timedelta


RULES: dict[str, tuple[Rule, ...]] = {
    # One letter a day and three a month to an address whose reader has not confirmed.
    "address": (Rule(1, DAY), Rule(3, 30 * DAY)),
    # A link to their own account, for those who read here already.
    "link": (Rule(3, DAY), Rule(10, 30 * DAY)),
    # A lecture hall behind one address may sign up at once; a script may not go on.
    "network": (Rule(40, HOUR), Rule(120, DAY)),
    "network-proved": (Rule(40, HOUR), Rule(120, DAY)),
    "change": (Rule(3, DAY),),
    "export": (Rule(5, HOUR),),
    # Lists brought as files, from one network and in all: a megabyte each, kept until the sweeper reads it.
    "list": (Rule(20, HOUR), Rule(60, DAY)),
    "lists": (Rule(200, HOUR),),
    "preview": (Rule(120, HOUR), Rule(600, DAY)),
    "proof": (Rule(1, DAY),),
}
PRUNED_AT_ONCE = 50


def rules(kind: str) -> tuple[Rule, ...]:
    """`site` and `domain` follow SIGNUPS_PER_HOUR; a solved sum opens a second lane of the same width."""
    if kind in {"site", "site-proved"}:
        return (Rule(settings.SIGNUPS_PER_HOUR, HOUR),)
    if kind == "domain":
        return (Rule(max(1, settings.SIGNUPS_PER_HOUR * 2 // 5), HOUR),)
    return RULES[kind]


def take(kind: str, subject: str, now: datetime) -> bool:
    """Use one of `subject`'s allowance; False (and nothing used) where there is none left."""
    limits = rules(kind)
    with transaction.atomic():
        budget = _locked(kind, subject, now)
        kept = _recent(budget.taken, limits, now)
        if not _has_room(kept, limits, now):
            return False
        budget.taken = [*kept, now.timestamp()]
        budget.expires_at = now + max(rule.window for rule in limits)
        budget.save(update_fields=["taken", "expires_at"])
    return True


def has_room(kind: str, subject: str, now: datetime) -> bool:
    """Whether `take` would succeed; uses nothing."""
    budget = Budget.objects.filter(key=_key(kind, subject)).first()
    limits = rules(kind)
    return budget is None or _has_room(_recent(budget.taken, limits, now), limits, now)


def free_again(kind: str, subject: str, now: datetime) -> timedelta:
    """How long until there is room."""
    budget = Budget.objects.filter(key=_key(kind, subject)).first()
    waits = [timedelta(0)]
    for rule in rules(kind):
        uses = [] if budget is None else _within(budget.taken, rule, now)
        if len(uses) >= rule.most:
            waits.append(datetime.fromtimestamp(uses[-rule.most], UTC) + rule.window - now)
    return max(waits)


def take_for_letter(address: Address, now: datetime, kind: str = "address", lane: str = "site") -> bool:
    """Use the allowances of one letter nobody has confirmed yet: the address, its domain, the site."""
    with transaction.atomic():
        if take(kind, address.budget, now) and take("domain", address.domain, now) and take(lane, "", now):
            return True
        transaction.set_rollback(True)  # a refusal by one uses up nothing of the others
    return False


def take_for_list(network: str, now: datetime) -> bool:
    """Use the allowances of one list brought as a file: its network's, and the site's."""
    with transaction.atomic():
        if take("list", network, now) and take("lists", "", now):
            return True
        transaction.set_rollback(True)
    return False


def prune(now: datetime) -> int:
    """Forget budgets nobody has used for as long as they count; a few at a time."""
    stale = Budget.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:PRUNED_AT_ONCE]
    return Budget.objects.filter(pk__in=list(stale)).delete()[0]


def _key(kind: str, subject: str) -> str:
    return f"{kind}:{addresses.keyed_hash(subject)[:40]}" if subject else kind


def _locked(kind: str, subject: str, now: datetime) -> Budget:
    key = _key(kind, subject)
    Budget.objects.bulk_create([Budget(key=key, expires_at=now)], ignore_conflicts=True)
    return Budget.objects.select_for_update().get(key=key)


def _within(taken: list[float], rule: Rule, now: datetime) -> list[float]:
    return [at for at in taken if at > (now - rule.window).timestamp()]


def _recent(taken: list[float], limits: tuple[Rule, ...], now: datetime) -> list[float]:
    return _within(taken, max(limits, key=lambda rule: rule.window), now)


def _has_room(taken: list[float], limits: tuple[Rule, ...], now: datetime) -> bool:
    return all(len(_within(taken, rule, now)) < rule.most for rule in limits)
