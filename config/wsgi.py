"""The door for WSGI servers: `config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from config import checks  # noqa: E402 - settings are ready only now

checks.refuse()

from digest.matching import recent  # noqa: E402 - models are ready only now

recent.prepare()
