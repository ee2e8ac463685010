"""`python -m tests.bench.child`: the process that `day.stage` starts. Its settings come from its environment."""

from __future__ import annotations

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    from tests.bench.day import rehearse

    call_command("migrate", verbosity=0)
    print(json.dumps(rehearse(*(int(one) for one in sys.argv[1:]))))
