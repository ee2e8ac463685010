"""Addresses for signing up, confirming, choosing and leaving."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
