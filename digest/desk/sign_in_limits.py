"""How often a name or a network may fail to sign in: a bucket in the database that leaks with time.

The bucket fills by name, whether there is such a person or not, so an answer tells nobody who works here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from digest.models import SignInBudget

MOST_BY_NAME, MOST_BY_NETWORK = 5.0, 30.0
LEAK = timedelta(minutes=3)  # one try comes back in this time
MOST_LINES = 60.0  # failed tries that the log takes at once
LINE_LEAK = timedelta(minutes=1)
SALT = "digest.desk.sign_in_limits"


def keys(name: str, network: str) -> dict[str, float]:
    """The buckets of one try, with what each holds. Names count in any case."""
    return {
        _key("name", name.strip().casefold()): MOST_BY_NAME,
        _key("network", network): MOST_BY_NETWORK,
    }


def _key(kind: str, value: str) -> str:
    return salted_hmac(SALT, f"{kind}:{value}", algorithm="sha256").hexdigest()


def allowed(name: str, network: str, now: datetime) -> bool:
    """Whether another try may be made now."""
    wanted = keys(name, network)
    rows = SignInBudget.objects.filter(key__in=list(wanted))
    return all(level(row.level, now - row.at) + 1 <= wanted[row.key] for row in rows)


def failed(name: str, network: str, now: datetime) -> None:
    """One more failure in both buckets."""
    for key in keys(name, network):
        SignInBudget.objects.bulk_create([SignInBudget(key=key, at=now)], ignore_conflicts=True)
        with transaction.atomic():
            row = SignInBudget.objects.select_for_update().get(key=key)
            row.level, row.at = level(row.level, now - row.at) + 1, now
            row.save(update_fields=["level", "at"])


def succeeded(name: str, network: str) -> None:
    """The right password forgives the name its failures; the network keeps its own."""
    SignInBudget.objects.filter(key=_key("name", name.strip().casefold())).delete()


def is_worth_a_line(network: str, was_refused: bool, now: datetime) -> bool:
    """Whether this failure is written down: of a network that has to wait one line in a while, of all together
    `MOST_LINES` at once, so that an attack fills its own lines and not the log."""
    waits = _fill(_key("refused", network), 1.0, LEAK, now) if was_refused else True
    return waits and _fill(_key("lines", ""), MOST_LINES, LINE_LEAK, now)


def _fill(key: str, most: float, leak: timedelta, now: datetime) -> bool:
    """One more into the bucket, if there is room."""
    SignInBudget.objects.bulk_create([SignInBudget(key=key, at=now)], ignore_conflicts=True)
    with transaction.atomic():
        row = SignInBudget.objects.select_for_update().get(key=key)
        left = level(row.level, now - row.at, leak)
        if left + 1 > most:
            return False
        row.level, row.at = left + 1, now
        row.save(update_fields=["level", "at"])
    return True


def level(before: float, passed: timedelta, leak: timedelta = LEAK) -> float:
    """What is left of a bucket's filling after a while. Pure."""
    return max(0.0, before - max(passed, timedelta()) / leak)
