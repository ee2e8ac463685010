"""`manage.py desk_roles`: the desk's groups, and who is in each."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser

from digest.desk import actor, audit_log, roles
from subscriptions.commands import Command as BaseCommand
from subscriptions.commands import current, typed


class Command(BaseCommand):
    help = "Make the desk's groups (viewer, curator, operator, admin); with --give, put a person into one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--give", nargs=2, metavar=("NAME", "ROLE"), help="put this person into this role alone")

    def run(self, **options: Any) -> dict[str, Any]:
        groups = {group.name: group for group in roles.make_groups()}
        if options["give"]:
            name, role = options["give"]
            self._give(name, role, groups)
        people = {}
        for name, group in groups.items():
            people[name] = sorted(group.user_set.values_list("username", flat=True))
        return people

    def _give(self, name: str, role: str, groups: dict[str, Group]) -> None:
        if role not in groups:
            raise CommandError(f"{role!r} is not a role. Choose one of {', '.join(groups)}.", returncode=2)
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no {name!r}. Make the user first: {typed('createsuperuser')}", returncode=2)
        before = [group.name for group in user.groups.all()]
        user.groups.set([groups[role]])
        who, now = actor.of_command(), current(None)
        audit_log.record(who, "give role", f"person {name}", now, {"roles": before}, {"roles": [role]})
