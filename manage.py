#!/usr/bin/env python3
"""Offprint's command line: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        import django
        from django.core.management import ManagementUtility, execute_from_command_line
        from django.db import DatabaseError

        from config.findings import SettingsError
    except ImportError as missing:
        raise SystemExit(
            f"Offprint's libraries are not installed here ({missing}). "
            "Run `make setup`, then use .venv/bin/python manage.py …"
        ) from missing
    try:
        if sys.argv[1:2] == ["version"]:  # Django would answer with its own
            django.setup()
            ManagementUtility(sys.argv).fetch_command("version").run_from_argv(sys.argv)
        else:
            execute_from_command_line(sys.argv)
    except SettingsError as wrong:
        if "--json" not in sys.argv:
            raise SystemExit(str(wrong)) from None
        print(wrong.as_json())
        raise SystemExit(1) from None
    except Exception as error:
        from subscriptions import disk
        from subscriptions.commands import database_trouble

        trouble = disk.sentence(error)
        if not trouble and isinstance(error, DatabaseError):
            trouble = database_trouble()
        if not trouble:
            raise
        raise SystemExit(trouble) from error


if __name__ == "__main__":
    main()
