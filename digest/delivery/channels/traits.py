"""The traits of each mail channel, which decide how an ambiguous letter is settled there.

*Idempotent*: the same letter may be offered again under the same key. *Evidence*: events or a provider look-up
tell whether it was accepted. *Blind*: neither, so an ambiguous letter becomes uncertain and is listed by name.
Sources: the providers' own pages, as listed in docs/reliability.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.conf import settings


class Kind(StrEnum):
    IDEMPOTENT = "idempotent"
    EVIDENCE = "evidence"
    BLIND = "blind"


@dataclass(frozen=True)
class Traits:
    """What a channel can do.

    `batch`: letters that share one intent; so many are ambiguous when a worker dies. `key_life`: how long the
    provider remembers a key. `lookup`: whether `provider_api` can ask for accepted letters; `lag`: how far behind that
    answer may be. `tag`: whether the provider returns the attempt's key as a tag. `rate`: letters a second at most.
    """

    kind: Kind
    batch: int = 1
    key_life: timedelta = timedelta()
    lookup: bool = False
    lag: timedelta = timedelta(minutes=15)
    tag: bool = False
    rate: float | None = None


BLIND = Traits(Kind.BLIND)
EVIDENCE = Traits(Kind.EVIDENCE)

TRAITS = {
    # A letter's file is named by its Message-ID, so writing it again changes nothing.
    "outbox": Traits(Kind.IDEMPOTENT, batch=100, key_life=timedelta(days=3650)),
    "resend": Traits(Kind.IDEMPOTENT, batch=50, key_life=timedelta(hours=23), rate=2),
    # Brevo's pages say 30 minutes, its changelog 15; its keys must be UUIDs.
    "brevo": Traits(Kind.IDEMPOTENT, batch=50, key_life=timedelta(minutes=14), rate=100),
    "postmark": Traits(Kind.EVIDENCE, batch=20, lookup=True, lag=timedelta(minutes=15), tag=True),
    "mailgun": Traits(Kind.EVIDENCE, batch=20, lookup=True, lag=timedelta(minutes=30)),
    "amazon_ses": Traits(Kind.EVIDENCE, rate=14),
    "mailersend": Traits(Kind.EVIDENCE, tag=True, rate=2),
    "mailjet": EVIDENCE,
    "mailtrap": EVIDENCE,
    "mandrill": EVIDENCE,
    "postal": Traits(Kind.EVIDENCE, tag=True),
    "sendgrid": EVIDENCE,
    "sparkpost": EVIDENCE,
    "unisender_go": EVIDENCE,
    "smtp": BLIND,
    "console": BLIND,
    "memory": BLIND,
    "scaleway": BLIND,
}


def of(name: str) -> Traits:
    """The channel's traits; an unknown channel is blind."""
    return TRAITS.get(name, BLIND)


def makes_reports(name: str) -> bool:
    """Whether the channel sends reports about letters after it accepted them."""
    return of(name).kind is not Kind.BLIND and name != "outbox"


def current() -> str:
    """The name of the configured channel."""
    return str(settings.MAIL_CHANNEL)


def ceiling(name: str) -> float | None:
    """Letters a second at most: `MAIL_RATE` where it is set, else what the provider is known to take."""
    configured = getattr(settings, "MAIL_RATE", None)
    return float(configured) if configured else of(name).rate
