"""Where mail providers send their reports."""

from __future__ import annotations

from django.urls import path

from digest import hooks

urlpatterns = [path("<slug:provider>/", hooks.hook, name="hook")]
