"""`manage.py curate VERB DAY [PAPER]`: what a curator does at the desk, for scripts and machines without a browser."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from digest.desk import actor
from digest.desk.actor import Actor
from digest.desk.acts import add_paper, edition_acts, paper_acts, undo
from digest.desk.acts.paper_acts import CuratingError
from digest.models import Edition, Paper
from subscriptions import commands
from subscriptions.commands import UsageError

OF_EDITIONS = {
    "freeze": edition_acts.freeze,
    "hold": edition_acts.hold,
    "let-go": edition_acts.let_go,
    "take-back": edition_acts.take_back,
    "undo": undo.undo,
}


class Command(commands.Command):
    help = "Pin, hide, annotate or add a paper of an edition, or hold, freeze or take back the edition, as at the desk."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=[*paper_acts.VERBS, "add", *OF_EDITIONS])
        parser.add_argument("day", type=commands.day, help="the edition's day, such as 2026-06-03")
        parser.add_argument("paper", nargs="?", default="", help="an arXiv id, a DOI or a link")
        parser.add_argument("--text", default="", help="the note, for the verb note")

    def run(self, **options: Any) -> dict[str, Any]:
        verb, now = options["verb"], commands.current(None)
        if (verb in OF_EDITIONS) == bool(options["paper"]):
            raise UsageError("Name a paper to pin, unpin, hide, show, note or add; the other verbs take no paper.")
        edition = _edition(options["day"])
        who = actor.of_command()
        try:
            if verb in OF_EDITIONS:
                OF_EDITIONS[verb](who, edition, now)
            else:
                _act_on_paper(who, edition, verb, options["paper"], options["text"], now)
        except CuratingError as error:
            raise CommandError(str(error)) from error
        edition.refresh_from_db()
        return {"edition": str(edition.date), "verb": verb, "state": edition.state, "actor": who.name}


def _edition(day: date) -> Edition:
    edition = Edition.objects.filter(date=day).first()
    if edition is None:
        raise CommandError(f"There is no edition of {day}.")
    return edition


def _act_on_paper(who: Actor, edition: Edition, verb: str, name: str, text: str, now: datetime) -> None:
    """Raises CuratingError where the act cannot be done, CommandError where the paper is not known."""
    paper_acts.require_open(edition)
    paper: Paper | None = add_paper.find(name, now)
    if paper is None:
        raise CommandError(
            f"No paper is known as {name!r}. Add it on the edition's page, where its title can be given."
        )
    if verb == "add":
        paper_acts.add(who, edition, paper, now)
        return
    entry = edition.entries.filter(paper=paper).first()
    if entry is None:
        raise CommandError(f"{name!r} is not in the edition of {edition.date}. Add it first.")
    paper_acts.change(who, entry, verb, now, text)
