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
    holds = []
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if not missing:
            for one in blockers.find(timezone.now()):
                holds.append({"channel": one.channel, "by": one.by, "way_out": one.way_out})
    except DatabaseError:
        return JsonResponse({"ready": False, "database": "away", "migrations": "unknown", "holds": []}, status=503)
    answer = {"ready": True, "database": "ok", "migrations": "ok", "holds": holds}
    if not missing:
        return JsonResponse(answer)
    answer |= {"ready": False, "migrations": f"{missing} to run: manage.py migrate"}
    return JsonResponse(answer, status=503)
