"""Whether this process can serve: for a load balancer, an orchestrator or a monitor."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from digest.delivery import blockers


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200, or 503 without a database or with migrations to run. Holds are named, but pages are served all the same.

    The reason of a hold may have words of the mail provider, so only its kind and its way out are told here.
    """
    try:
        missing = _missing()
        holds = [] if missing else _holds()
    except DatabaseError:
        return JsonResponse({"ready": False, "database": "away", "migrations": "unknown", "holds": []}, status=503)
    migrations = f"{missing} to run: manage.py migrate" if missing else "ok"
    answer = {"ready": not missing, "database": "ok", "migrations": migrations, "holds": holds}
    return JsonResponse(answer, status=503 if missing else 200)


def _missing() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _holds() -> list[dict[str, str]]:
    found = blockers.find(timezone.now())
    return [{"channel": one.channel, "by": one.by, "way_out": one.way_out} for one in found]
