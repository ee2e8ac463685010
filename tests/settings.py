"""Settings for the tests: the real ones, with nothing of this machine's environment in them.

`TEST_DATABASE_URL` runs the whole suite on another database (PostgreSQL); the default is SQLite.
"""

import atexit
import os
import shutil
import tempfile

_KEPT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TEST_DATABASE_URL") if name in os.environ}
_OURS = (
    "SECRET_KEY",
    "ADDRESS_KEY",
    "PUBLIC_",
    "REDIS_",
    "EMAIL_",
    "DEBUG",
    "MAIL_",
    "POSTAL_",
    "SITE_",
    "ANYMAIL_",
    "SAMPLE_",
    "DATABASE_",
)
_var, _owner = tempfile.mkdtemp(prefix="offprint-test-"), os.getpid()


@atexit.register
def _tidy() -> None:
    if os.getpid() == _owner:  # a forked child ends before its parent is done with the folder
        shutil.rmtree(_var, ignore_errors=True)


for _name in [name for name in os.environ if name.startswith(_OURS)]:
    del os.environ[_name]
os.environ["VAR_DIR"] = _var
os.environ["STATE_DIR"] = f"{_var}/state"
os.environ["OFFPRINT_DOTENV"] = "no"
os.environ["DATABASE_URL"] = _KEPT.get("TEST_DATABASE_URL", "")

from config.settings import *

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING = {"version": 1, "disable_existing_loggers": False}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": None}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"offprint_test_{os.getpid()}"}
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_AUTOREFRESH = True  # looks a file up when it is asked for, instead of all of them for every test's client
CACHES = CACHES | {"pages": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # no page kept
