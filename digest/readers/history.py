"""A reader's letters: those so far, the days without one, and the newest edition's at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Least

from digest.delivery.accounts import why
from digest.letters import links
from digest.models import Delivery, Edition, Skip
from subscriptions.models import Subscriber
from subscriptions.questions import Letter
from subscriptions.when import schedule

LETTERS_SHOWN = 30


def history(subscriber: Subscriber, now: datetime) -> list[Letter]:
    """The newest letters, and the days on which there was none, with the reason."""
    lines = []
    rows = subscriber.deliveries.select_related("edition", "subscriber").order_by("-planned_at")
    for row in rows[:LETTERS_SHOWN]:
        line = replace(_line(why.of_letter(row)), at=row.settled_at)
        if row.papers and row.state != Delivery.State.SKIPPED:
            line = replace(line, papers=len(row.papers), url=links.letter_url(row))
        lines.append(line)
    for skip in Skip.objects.filter(subscriber=subscriber).order_by("-local_date")[:LETTERS_SHOWN]:
        lines.append(replace(_line(why.of_skip(skip)), at=skip.at))
    lines.sort(key=lambda line: (line.day, line.at or now), reverse=True)
    return lines[:LETTERS_SHOWN]


def today(subscriber: Subscriber, now: datetime) -> Letter:
    """What became of the reader's present day."""
    return _line(why.why(subscriber, schedule.local_date(subscriber.zone, now), now))


def _line(answer: why.Answer) -> Letter:
    return Letter(answer.day, None, answer.to_reader, answer.tone)


def send_now(subscriber: Subscriber, now: datetime) -> str:
    """Make the reader due at once for the newest edition; the next sweep plans and sends the letter."""
    newest = Edition.objects.filter(state=Edition.State.RELEASED).order_by("-serial").first()
    if newest is None or newest.serial is None:
        return "No edition is out yet. The first one comes to you at your hour."
    letter = Delivery.objects.filter(subscriber=subscriber, edition=newest).first()
    if letter and letter.state == Delivery.State.SKIPPED:
        return "None of the newest papers matched what you asked for. The next letter comes at your hour."
    if letter:
        return "The newest letter was made for you already. The next one comes at your hour."
    rows = Subscriber.objects.filter(pk=subscriber.pk, state=Subscriber.State.ACTIVE)
    rows.update(cursor=Least(F("cursor"), newest.serial - 1), next_digest_at=now)
    return "It is on its way, and should be in your inbox in a minute or two."
