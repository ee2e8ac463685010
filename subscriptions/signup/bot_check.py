"""Signs that a person sent the form: a trap, its age, and (under load) a small sum their browser does.

No third party is asked. The sum is to find a number whose SHA-256, together with a signed challenge,
begins with `BITS` zero bits: a second or two for a browser, too dear by the thousand for a script.
Each challenge opens once, for ten minutes, and lets the form use more of the same allowance (`limits.Rule.free`).
Without JavaScript the wait for the next free place is told.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from subscriptions.limits import limiter
from subscriptions.links import tokens

BITS = 16
YOUNGEST = timedelta(seconds=2)
# A name that no form filler knows: they fill in what is called website, url, company, phone and the like.
TRAP = "q7_blank"
TRAPPED = (
    "A field that people do not see was filled in, perhaps by your browser or password manager. "
    "It is shown below: leave it empty, and press the button once more. Nothing is lost."
)


def stamp(now: datetime) -> str:
    """For a hidden field of a fresh form: when it was made, signed."""
    return tokens.make("form", str(int(now.timestamp())))


def carried(data: Mapping[str, str], now: datetime) -> str:
    """The stamp of a form that is shown again: it counts from its first showing, or anew once that is too old."""
    age = data.get("age", "")
    try:
        tokens.read("form", age)
    except tokens.TokenError:
        return stamp(now)
    return age


def is_honeypot_filled(data: Mapping[str, str]) -> bool:
    """True where the field no person sees was filled in."""
    return bool(data.get(TRAP, "").strip())


def hurry(data: Mapping[str, str], now: datetime) -> str:
    """Why the form's age is no person's, as a sentence; empty where it is."""
    try:
        made = int(tokens.read("form", data.get("age", "")))
    except tokens.TokenError:
        return "This page was open for more than a day. Nothing is lost: press the button once more."
    if now.timestamp() - made < YOUNGEST.total_seconds():
        return "That was faster than people type. Press the button once more."
    return ""


def challenge() -> str:
    return tokens.make("work", secrets.token_hex(12))


def is_proof_of_work_solved(data: Mapping[str, str], now: datetime) -> bool:
    """True for a right answer to a challenge of ours that was not used before; uses it."""
    asked, number = data.get("work", ""), data.get("sum", "")
    if not number.isascii() or not number.isdigit() or len(number) > 12:
        return False
    try:
        nonce = tokens.read("work", asked)
    except tokens.TokenError:
        return False
    return leading_zeros(asked, number) >= BITS and limiter.take("proof", nonce, now)


def leading_zeros(challenge: str, number: str) -> int:
    """Zero bits at the head of SHA-256 of `challenge:number`."""
    digest = int.from_bytes(hashlib.sha256(f"{challenge}:{number}".encode()).digest(), "big")
    return 256 - digest.bit_length()
