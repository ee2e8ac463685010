"""Where mail providers send their reports."""

from __future__ import annotations

from django.urls import path

from digest.delivery.reports import webhooks

urlpatterns = [path("<slug:provider>/", webhooks.hook, name="hook")]
