#!/usr/bin/env python3
"""Offprint's command line: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as missing:
        raise SystemExit(
            f"Offprint's libraries are not installed here ({missing}). "
            "Run `make setup`, then use .venv/bin/python manage.py …"
        ) from missing
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        raise SystemExit(str(wrong)) from None


if __name__ == "__main__":
    main()
