"""The names behind every doubt, and the letters that were set aside."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from digest.delivery import resolve, settle
from digest.models import Delivery
from subscriptions.commands import Command as Base
from subscriptions.commands import UsageError, current


class Command(Base):
    help = "List letters in doubt, named as uncertain, or set aside; settle one, or send a set-aside one again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sent", metavar="LETTER", help="its provider shows that this one was sent")
        parser.add_argument("--replay", metavar="LETTER", help="send this set-aside one again")

    def run(self, sent: str | None = None, replay: str | None = None, **options: Any) -> dict[str, Any]:
        if sent:
            return {"letter": sent, "settled": settle.mark_proven_sent(_letter(sent), current(None))}
        if replay:
            if not resolve.retry(_letter(replay), current(None)):
                raise CommandError("Only a set-aside letter whose papers have not gone since can be sent again.")
            return {"letter": replay, "replayed": True}
        aside = Delivery.objects.filter(state=Delivery.State.DEAD).select_related("subscriber", "edition")
        lines = []
        for row in [*resolve.backlog()[:1000], *aside.order_by("-due_at")[:1000]]:
            lines.append(
                {
                    "letter": str(row.uuid),
                    "state": row.state,
                    "edition": str(row.edition.date),
                    "email": row.subscriber.email,
                    "reason": row.reason,
                    "carried": row.carried_by_id is not None,
                }
            )
        return {"letters": lines}

    def show(self, answer: dict[str, Any]) -> None:
        for one in answer.get("letters", []):
            self.stdout.write(f"{one['letter']}  {one['state']:<10} {one['edition']}  {one['email']}  {one['reason']}")
        if "letters" not in answer:
            super().show(answer)
        elif not answer["letters"]:
            self.stdout.write("There is no doubt about any letter.")


def _letter(text: str) -> Delivery:
    try:
        return Delivery.objects.get(uuid=UUID(text))
    except (ValueError, Delivery.DoesNotExist) as error:
        raise UsageError(f"There is no letter {text!r}. `manage.py doubts` lists them by their ids.") from error
