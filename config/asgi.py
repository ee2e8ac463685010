"""The door for ASGI servers: `config.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()

from config import checks  # noqa: E402 - settings are ready only now

checks.refuse()

from digest.matching import recent  # noqa: E402 - models are ready only now

recent.prepare()
