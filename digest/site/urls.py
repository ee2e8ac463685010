"""Public addresses of the day's papers."""

from __future__ import annotations

from datetime import date

from django.urls import path, register_converter

from digest.site import views


class DayConverter:
    """`2026-06-03`; a day that no calendar has matches nothing."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date | str) -> str:
        return str(value)


register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.home, name="home"),
    path("day/<day:day>/", views.day, name="day"),
    path("paper/<int:pk>/", views.paper, name="paper"),
    path("topics/", views.topics, name="topics"),
]
