"""Addresses that only letters lead to; each carries a token."""

from __future__ import annotations

from django.urls import path, re_path

from digest.site import feedback_pages, letters, mute_pages, outbox, saved

urlpatterns = [
    path("l/<str:token>/", letters.letter, name="letter"),
    path("l/<str:token>/more/", letters.more, name="letter_more"),
    path("f/<str:token>/", letters.feed, name="letters_feed"),
    path("k/<str:token>/", feedback_pages.start, name="act"),
    path("k/<str:token>/<int:paper>/", feedback_pages.choose, name="act_choose"),
    path("k/<str:token>/<int:paper>/why/", mute_pages.quiet, name="act_why"),
    path("k/<str:token>/<int:paper>/<str:act>/", feedback_pages.act, name="act_one"),
    path("s/<str:token>/", saved.saved, name="saved"),
    re_path(r"^s/(?P<token>[^/]+)/papers\.(?P<form>bib|ris)$", saved.export, name="saved_export"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<str:name>/", outbox.letter, name="outbox_letter"),
    path("outbox/<str:name>/html/", outbox.html, name="outbox_html"),
]
