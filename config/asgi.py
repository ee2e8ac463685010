"""The door for ASGI servers: `config.asgi:application`."""

import os
import sys

from django.core.asgi import get_asgi_application

from config.findings import SettingsError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = get_asgi_application()

    from config import checks

    checks.refuse_to_start()
except SettingsError as wrong:
    print(wrong, file=sys.stderr)
    sys.exit(3)  # gunicorn stops for good at this code (its WORKER_BOOT_ERROR), and starts others anew

from digest.matching import recent

recent.prepare()
