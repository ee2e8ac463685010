"""Addresses for signing up, confirming, choosing and leaving.

`/c/…/`, `/p/…/`, `/a/…/`, `/n/…/`, `/r/…/` carry a token and lead on to a page without one; `/u/…/` and
`/b/…/` keep it, because mail programs POST to them.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from subscriptions.links.link_sessions import enter
from subscriptions.views import account, leave, preferences, signup

urlpatterns: list[URLPattern] = [
    path("subscribe/", signup.subscribe, name="subscribe"),
    path("subscribe/preview/", signup.preview, name="preview"),
    path("c/<str:token>/", enter("confirm", "confirm_page"), name="confirm"),
    path("confirm/", signup.confirm, name="confirm_page"),
    path("p/<str:token>/", enter("preferences", "preferences"), name="preferences_link"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("a/<str:token>/", enter("account", "account"), name="account_link"),
    path("account/", account.account, name="account"),
    path("n/<str:token>/", enter("address", "address_page"), name="address"),
    path("new-address/", account.address, name="address_page"),
    path("r/<str:token>/", enter("return", "return_page"), name="return"),
    path("return/", leave.come_back, name="return_page"),
    path("u/<str:token>/", leave.unsubscribe, name="unsubscribe"),
    path("b/<str:token>/", leave.block, name="block"),
]
