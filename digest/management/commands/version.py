"""`manage.py version`: what runs here, for a report of a fault."""

from __future__ import annotations

import platform
from typing import Any

import django
from django.conf import settings
from django.db import connection

from subscriptions.commands import Command as BaseCommand


class Command(BaseCommand):
    help = "Print the versions of Offprint, Python and Django, and which database is in use."
    requires_system_checks: list[str] = []

    def run(self, **options: Any) -> dict[str, Any]:
        return {
            "offprint": settings.VERSION,
            "python": platform.python_version(),
            "django": django.get_version(),
            "database": connection.vendor,
        }
