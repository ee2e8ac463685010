"""Every address of the site, room by room."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("desk/", include("digest.desk.urls")),
    path("hooks/", include("digest.delivery.reports.urls")),
    path("", include("subscriptions.urls")),
    path("", include("digest.site.urls")),
]

handler400 = "digest.site.errors.bad_request"
handler403 = "digest.site.errors.forbidden"
handler404 = "digest.site.errors.not_found"
handler500 = "digest.site.errors.server_error"
