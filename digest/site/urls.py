"""Public addresses of the day's papers."""

from __future__ import annotations

from datetime import date

from django.urls import include, path, register_converter

from digest.site import feed_views, pages, ready, robots
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
    path("", pages.home, name="home"),
    path("readyz", ready.ready, name="ready"),
    path("feed.<form:form>", feed_views.newest, name="feed"),
    path("day/<day:day>/", pages.day, name="day"),
    path("day/<day:day>/feed.<form:form>", feed_views.day, name="day_feed"),
    path("week/<week:period>/", pages.period, name="week"),
    path("month/<month:period>/", pages.period, name="month"),
    path("paper/<int:pk>/", pages.paper, name="paper"),
    path("paper/<int:pk>/cite.<citation:form>", pages.citation, name="citation"),
    path("topics/", pages.topics, name="topics"),
    path("topic/<slug:slug>/", pages.topic, name="topic"),
    path("topic/<slug:slug>/feed.<form:form>", feed_views.topic, name="topic_feed"),
    path("search/", pages.search, name="search"),
    path("search/feed.<form:form>", feed_views.search, name="search_feed"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("robots.txt", robots.robots, name="robots"),
    path("sitemap.xml", robots.sitemap, name="sitemap"),
    path("", include("digest.site.letter_urls")),
]
