"""Public addresses of the day's papers."""

from __future__ import annotations

from datetime import date

from django.urls import include, path, register_converter

from digest.site import crawling, feed_views, views
from digest.site.periods import Period, month, week


class DayConverter:
    """`2026-06-03`; a day that no calendar has matches nothing."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date | str) -> str:
        return str(value)


class WeekConverter:
    """`2026-W23`."""

    regex = r"[0-9]{4}-W[0-9]{2}"

    def to_python(self, value: str) -> Period:
        return week(value)

    def to_url(self, value: Period | str) -> str:
        return value if isinstance(value, str) else value.name


class MonthConverter(WeekConverter):
    """`2026-06`."""

    regex = r"[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> Period:
        return month(value)


class FormConverter:
    """The two forms of a feed."""

    regex = "atom|json"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class CitationConverter(FormConverter):
    """The two forms of a citation."""

    regex = "bib|ris"


register_converter(DayConverter, "day")
register_converter(WeekConverter, "week")
register_converter(MonthConverter, "month")
register_converter(FormConverter, "form")
register_converter(CitationConverter, "citation")

urlpatterns = [
    path("", views.home, name="home"),
    path("feed.<form:form>", feed_views.newest, name="feed"),
    path("day/<day:day>/", views.day, name="day"),
    path("day/<day:day>/feed.<form:form>", feed_views.day, name="day_feed"),
    path("week/<week:period>/", views.period, name="week"),
    path("month/<month:period>/", views.period, name="month"),
    path("paper/<int:pk>/", views.paper, name="paper"),
    path("paper/<int:pk>/cite.<citation:form>", views.citation, name="citation"),
    path("topics/", views.topics, name="topics"),
    path("topic/<slug:slug>/", views.topic, name="topic"),
    path("topic/<slug:slug>/feed.<form:form>", feed_views.topic, name="topic_feed"),
    path("search/", views.search, name="search"),
    path("search/feed.<form:form>", feed_views.search, name="search_feed"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("robots.txt", crawling.robots, name="robots"),
    path("sitemap.xml", crawling.sitemap, name="sitemap"),
    path("", include("digest.site.letter_urls")),
]
