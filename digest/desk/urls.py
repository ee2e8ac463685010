"""The desk's addresses, all under /desk/."""

from __future__ import annotations

from datetime import date

from django.urls import path, register_converter

from digest.desk.pages import (
    deliverability,
    edition,
    log,
    password,
    preview,
    readers,
    review_list,
    sign_in,
    sources,
    split,
    today,
    topics,
)


class DayConverter:
    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return str(value)


register_converter(DayConverter, "desk_day")

urlpatterns = [
    path("", today.today, name="desk"),
    path("doctor/", today.check, name="desk-doctor"),
    path("triage/", today.papers, name="desk-papers"),
    path("edition/", today.editions, name="desk-editions"),
    path("sign-in/", sign_in.sign_in, name="desk-signin"),
    path("second/", sign_in.second, name="desk-second"),
    path("sign-out/", sign_in.sign_out, name="desk-signout"),
    path("password/", password.change, name="desk-password"),
    path("triage/<desk_day:day>/", review_list.review_list, name="desk-triage"),
    path("triage/<desk_day:day>/undo/", review_list.undo, name="desk-undo"),
    path("triage/<desk_day:day>/merge/", review_list.merge, name="desk-merge"),
    path("triage/<desk_day:day>/split/<int:paper>/", split.split, name="desk-split"),
    path("triage/<desk_day:day>/add/", review_list.add, name="desk-add"),
    path("triage/<desk_day:day>/back/<int:paper>/", review_list.bring_back, name="desk-bring-back"),
    path("triage/<desk_day:day>/<int:entry>/", review_list.change, name="desk-change"),
    path("edition/<desk_day:day>/", edition.edition, name="desk-edition"),
    path("edition/<desk_day:day>/note/", edition.note, name="desk-note"),
    path("edition/<desk_day:day>/release/", edition.release, name="desk-release"),
    path("edition/<desk_day:day>/release-at/", edition.release_at, name="desk-release-at"),
    path("edition/<desk_day:day>/difference/", edition.difference, name="desk-difference"),
    path("edition/<desk_day:day>/<slug:verb>/", edition.step, name="desk-step"),
    path("preview/", preview.preview, name="desk-preview"),
    path("preview/letter/", preview.letter, name="desk-letter"),
    path("preview/send/", preview.send, name="desk-send"),
    path("readers/", readers.readers, name="desk-readers"),
    path("readers/import/", readers.bring_in, name="desk-import"),
    path("readers/export/", readers.export, name="desk-export"),
    path("readers/<uuid:reader>/", readers.reader, name="desk-reader"),
    path("readers/<uuid:reader>/erase/", readers.erase, name="desk-erase"),
    path("readers/<uuid:reader>/<slug:verb>/", readers.change, name="desk-reader-act"),
    path("topics/", topics.topics, name="desk-topics"),
    path("topics/new/", topics.new, name="desk-topic-new"),
    path("topics/<slug:slug>/", topics.topic, name="desk-topic"),
    path("topics/<slug:slug>/merge/", topics.merge, name="desk-topic-merge"),
    path("sources/", sources.sources, name="desk-sources"),
    path("sources/new/", sources.new, name="desk-source-new"),
    path("sources/import/", sources.bring_in, name="desk-source-import"),
    path("sources/export/", sources.export, name="desk-source-export"),
    path("sources/replay/<int:fetch>/", sources.replay, name="desk-replay"),
    path("sources/<slug:slug>/", sources.source, name="desk-source"),
    path("sources/<slug:slug>/<slug:verb>/", sources.change, name="desk-source-act"),
    path("deliverability/", deliverability.deliverability, name="desk-deliverability"),
    path("deliverability/settle/", deliverability.settle, name="desk-settle"),
    path("deliverability/hold/", deliverability.hold, name="desk-hold"),
    path("deliverability/suppression/", deliverability.suppression, name="desk-suppression"),
    path("log/", log.log_page, name="desk-log"),
    path("<path:rest>/", today.elsewhere, name="desk-elsewhere"),
]
