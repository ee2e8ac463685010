"""The settings of the next version, as far as the database goes: one app more, whose migrations only add."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.growth"]  # noqa: F405
