"""How often one may fail to sign in, counted by the limiter.

Failures count for a name from one network, for the network, and for the name from everywhere. So a stranger's failures
shut out that stranger's network, and not the person whose name they try:

- a browser in which the person has signed in before holds a cookie, and its tries are counted by themselves
  (OWASP, "Slow down online guessing attacks with device cookies");
- a name that many networks fail at stays open to whoever has a second factor: a guessed password opens nothing.

The same is counted for names that nobody has, so an answer tells nobody who works here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from subscriptions.limits import client_prefix, limiter
from subscriptions.limits.limiter import HOUR, MINUTE, Rule

limiter.RULES |= {
    "signin": (Rule(5, 15 * MINUTE),),  # one name from one network, or from one known browser
    "signin-network": (Rule(30, 90 * MINUTE),),
    "signin-name": (Rule(50, HOUR),),  # one name from everywhere
    "signin-refused": (Rule(1, 3 * MINUTE),),  # log lines of one network that has to wait
    "signin-lines": (Rule(60, HOUR),),  # log lines of all together
}
KNOWN_FOR = timedelta(days=180)


@dataclass(frozen=True)
class Attempt:
    """One try to sign in: the name in lower case, the network, and the number of a browser known for it, if any."""

    name: str
    network: str
    browser: str = ""

    @property
    def own(self) -> list[tuple[str, str]]:
        """What this attempt's failures are counted by."""
        if self.browser:
            return [("signin", f"browser {self.browser}")]
        return [("signin", f"{self.name} {self.network}"), ("signin-network", self.network)]


def attempt_of(request: HttpRequest, name: str) -> Attempt:
    folded = name.strip().casefold()
    browser = request.get_signed_cookie(_cookie(), "", salt=folded, max_age=KNOWN_FOR)
    return Attempt(folded, client_prefix.prefix_of(request), browser or "")


def remember(response: HttpResponse, name: str) -> None:
    """Let this browser be known as one in which the person has signed in."""
    response.set_signed_cookie(
        _cookie(),
        get_random_string(22),
        salt=name.strip().casefold(),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie() -> str:
    return f"{'__Host-' if settings.PUBLIC else ''}desk-browser"


def allowed(attempt: Attempt, now: datetime) -> bool:
    """Whether another try may be made now."""
    return all(limiter.has_room(kind, subject, now) for kind, subject in attempt.own)


def needs_second_factor(attempt: Attempt, now: datetime) -> bool:
    """Whether a browser that is not known has to show a second factor, because the name is tried from everywhere."""
    return not attempt.browser and not limiter.has_room("signin-name", attempt.name, now)


def failed(attempt: Attempt, now: datetime) -> None:
    """One more failure."""
    for kind, subject in attempt.own:
        limiter.note(kind, subject, now)
    if not attempt.browser:
        limiter.note("signin-name", attempt.name, now)


def succeeded(attempt: Attempt) -> None:
    """The whole sign-in forgets the failures at this name; the network keeps its own."""
    kind, subject = attempt.own[0]
    limiter.forget(kind, subject)


def is_logged(network: str, was_refused: bool, now: datetime) -> bool:
    """Whether this failure is written down: of a network that has to wait one line in a while, of all together
    so many an hour that an attack fills its own lines and not the log."""
    if was_refused and not limiter.take("signin-refused", network, now):
        return False
    return limiter.take("signin-lines", "", now)
